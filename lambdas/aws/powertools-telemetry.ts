/** Powertools logs and metrics, as the telemetry port. Writes lines and counters; nothing secret goes in. */
import type { Logger } from '@aws-lambda-powertools/logger';
import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Telemetry } from '../app/ports';

/** The telemetry port; metrics are published by the handler after each batch. */
export function makeTelemetry(logger: Logger, metrics: Metrics): Telemetry {
  return {
    info: (message, fields = {}) => logger.info(message, fields),
    warn: (message, fields = {}) => logger.warn(message, fields),
    error: (message, fields = {}) => logger.error(message, fields),
    count: (metric, value = 1) => metrics.addMetric(metric, MetricUnit.Count, value),
  };
}

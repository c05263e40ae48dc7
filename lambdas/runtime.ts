/** The composition root: the only place that makes AWS clients and joins them to ports. Decides nothing. */
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { SQSClient } from '@aws-sdk/client-sqs';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { Clock, Context, Journal, Queues, RowStore, SpecStore, Telemetry } from './app/ports';
import { makeAddresses } from './aws/ec2-addresses';
import { makeCompute } from './aws/ec2-compute';
import { makeProbe } from './aws/network-probe';
import { callAws } from './aws/port-errors';
import { makeTelemetry } from './aws/powertools-telemetry';
import { makeQueues } from './aws/sqs-queues';
import { makeCommands } from './aws/ssm-commands';
import { makeSpecs } from './aws/ssm-specs';
import { Table } from './aws/table';
import { makeBudget, makeClaims, makeJournal, makeLeases, makeRows } from './aws/table-stores';
import { CONTROL_PLANE_PARAMETER, type ControlPlaneParameter, parseControlPlane } from './control-plane-parameter';
import { type Environment, parseEnvironment } from './env';

/** A call that hangs must not eat the function's time: two more tries, a few seconds each. */
const CLIENT_SETTINGS = {
  maxAttempts: 3,
  // Without throwOnRequestTimeout the SDK only warns and goes on waiting.
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 8_000, throwOnRequestTimeout: true },
};

const nowMs = () => Date.now();

/** What a handler works with, made once a cold start. */
export interface Runtime {
  context: Context;
  telemetry: Telemetry;
  /** Publishes the counters of a batch. */
  flush(): void;
}

/** All ports over AWS for an environment; the lab's contract tests use it as the functions do. */
export function makeContext(env: Environment, telemetry: Telemetry): Context {
  const ec2 = new EC2Client(CLIENT_SETTINGS);
  const ssm = new SSMClient(CLIENT_SETTINGS);
  const table = new Table(new DynamoDBClient(CLIENT_SETTINGS), env.TABLE_NAME);
  const launch = {
    subnets: env.SUBNETS,
    launchTemplates: env.LAUNCH_TEMPLATES,
    imageIds: env.IMAGE_IDS,
    placementGroups: env.PLACEMENT_GROUPS,
  };
  const urls = {
    'health-check': env.HEALTH_CHECK_QUEUE_URL,
    ...(env.PROVISION_QUEUE_URL ? { provision: env.PROVISION_QUEUE_URL } : {}),
    ...(env.FAILOVER_QUEUE_URL ? { failover: env.FAILOVER_QUEUE_URL } : {}),
  };
  return {
    ports: {
      compute: makeCompute(ec2, launch),
      addresses: makeAddresses(ec2),
      commands: makeCommands(ssm, env.COMMAND_DOCUMENTS),
      specs: makeSpecs(ssm),
      rows: makeRows(table),
      claims: makeClaims(table, nowMs),
      leases: makeLeases(table),
      budget: makeBudget(table),
      journal: makeJournal(table),
      queues: makeQueues(new SQSClient(CLIENT_SETTINGS), urls),
      probe: makeProbe(nowMs),
      clock: { nowMs },
      telemetry,
    },
    settings: {
      tickEveryS: env.TICK_EVERY_S,
      zones: env.SUBNETS.map((subnet) => subnet.zone).sort(),
      terminationsPer10Min: env.TERMINATIONS_PER_10_MIN,
      probeTimeoutMs: env.PROBE_TIMEOUT_MS,
      ...(env.FAILOVER_QUEUE_URL ? { claimQueueUrl: env.FAILOVER_QUEUE_URL } : {}),
    },
  };
}

/** The runtime of one function. @throws when the environment is incomplete, naming each variable. */
export function makeRuntime(name: string): Runtime {
  const logger = new Logger({ serviceName: name });
  const metrics = new Metrics({ namespace: 'fiware-ha', serviceName: name });
  const telemetry = makeTelemetry(logger, metrics);
  const flush = () => {
    if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
  };
  return { context: makeContext(parseEnvironment(process.env), telemetry), telemetry, flush };
}

/** What the command line needs: it reads state and sends jobs, nothing else. */
export interface OperatorPorts {
  specs: SpecStore;
  rows: RowStore;
  journal: Journal;
  queues: Queues;
  clock: Clock;
  controlPlane: ControlPlaneParameter;
}

/** Finds the deployment by its parameter. @throws one Error that says what is missing and what to do. */
export async function operatorPorts(): Promise<OperatorPorts> {
  const ssm = new SSMClient(CLIENT_SETTINGS);
  const controlPlane = await findControlPlane(ssm);
  const table = new Table(new DynamoDBClient(CLIENT_SETTINGS), controlPlane.tableName);
  const queues = makeQueues(new SQSClient(CLIENT_SETTINGS), controlPlane.queues);
  return { specs: makeSpecs(ssm), rows: makeRows(table), journal: makeJournal(table), queues, clock: { nowMs }, controlPlane };
}

async function findControlPlane(ssm: SSMClient): Promise<ControlPlaneParameter> {
  const hint = `is the control plane deployed in this account and region (npx cdk deploy), and may you read ${CONTROL_PLANE_PARAMETER}?`;
  try {
    const { Parameter } = await callAws(`GetParameter ${CONTROL_PLANE_PARAMETER}`, () =>
      ssm.send(new GetParameterCommand({ Name: CONTROL_PLANE_PARAMETER })),
    );
    return parseControlPlane(Parameter?.Value);
  } catch (error) {
    throw new Error(`no control plane found: ${error instanceof Error ? error.message : String(error)}; ${hint}`);
  }
}

/** IoT Agent for JSON. Says what it is and needs; runs nothing. Sources: iotagent-json, Changelog and docs/installationguide.md. */
import { iotAgent } from './iot-agent';

export const iotagentJson = iotAgent({
  protocol: 'json',
  title: 'IoT Agent for JSON',
  slotPrefix: 'iotj',
  northPort: 4041,
  versions: [{ from: '2.0.0', below: '4.0.0', source: 'iotagent-json, Changelog and docs/installationguide.md' }],
  usualVersion: '3.14.0',
  uriSince: '3.11.0',
  readySince: '3.14.0',
});

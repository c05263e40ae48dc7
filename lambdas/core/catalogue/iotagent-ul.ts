/** IoT Agent for UltraLight 2.0. Says what it is and needs; runs nothing. Sources: iotagent-ul, Changelog and docs/installationguide.md. */
import { iotAgent } from './iot-agent';

/** No release on iotagent-node-lib 4.11 or later yet: 3.7.0 is on 4.7. The next one is expected to be. */
const NEXT = '3.8.0';

export const iotagentUl = iotAgent({
  protocol: 'ul',
  title: 'IoT Agent for UltraLight 2.0',
  slotPrefix: 'iotu',
  northPort: 4061,
  versions: [{ from: '2.0.0', below: NEXT, source: 'iotagent-ul, Changelog and docs/installationguide.md' }],
  usualVersion: '3.7.0',
  uriSince: NEXT,
  readySince: NEXT,
});

/** What runs of the lab, and what stands for what, in lines for people. Only looks. */
import { instanceContainers } from './docker';
import { runningLab } from './lab';
import { LOCAL_ENTRIES } from './local-entry';
import { LAB_DIR, logFile } from './paths';
import { readState } from './state';

/** The lab's status; one line when it is down. */
export async function labStatus(): Promise<string> {
  const lab = await runningLab();
  const { emulator, guard, keeper, dockerd } = readState();
  if (!lab) {
    const remains = [emulator && 'emulator', guard && 'guard', keeper && 'keeper', dockerd && 'dockerd'].filter(Boolean);
    return remains.length > 0 ? `the lab is broken (${remains.join(', ')} noted in ${LAB_DIR}): npm run lab -- down` : 'the lab is down';
  }
  const running = (await instanceContainers()).filter((container) => container.running);
  const list = (items: string[]) => items.map((item) => `  ${item}`);
  return [
    'the lab is up',
    `emulator: ${lab.endpoint}, process ${emulator?.pid}, IAM enforced; log ${logFile('emulator')}`,
    `guard before it: process ${guard?.pid}, refuses what a role may not do on AWS; log ${logFile('guard')}`,
    `keeper: process ${keeper?.pid}; log ${logFile('keeper')}`,
    `instances: ${running.length} containers`,
    `broker: ${lab.standIns.broker}`,
    `database: ${lab.standIns.mongo}`,
    ...Object.entries(lab.standIns.enablers).map(([title, words]) => `${title}: ${words}`),
    ...Object.entries(LOCAL_ENTRIES).map(
      ([name, { host, port }]) => `clients: http://${host}:${port} leads to whichever instance holds the Elastic IP ${name}`,
    ),
    'taken out of the template, because the emulator can not hold it:',
    ...list(lab.removedFromTemplate),
    'to use it by hand:',
    ...list([
      `export AWS_ENDPOINT_URL=${lab.endpoint} AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test`,
      'npm run -s fiware-ha -- create city --wait',
    ]),
  ].join('\n');
}

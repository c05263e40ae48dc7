/** Brings the lab up once for all its tests; one that ran before is used and left running. */
import { bringUp, runningLab } from '../lab';

export default async function setUp(): Promise<void> {
  const ranBefore = (await runningLab()) !== null;
  process.env.LAB_RAN_BEFORE = ranBefore ? 'yes' : 'no';
  process.stderr.write('\nthe lab comes up:\n');
  await bringUp((line) => void process.stderr.write(`  ${line}\n`));
}

/** Takes the lab down after its tests, whatever their end, unless it ran before them. */
import { bringDown } from '../lab';

export default async function tearDown(): Promise<void> {
  if (process.env.LAB_RAN_BEFORE === 'yes') return;
  await bringDown((line) => void process.stderr.write(`${line}\n`), { caches: false });
}

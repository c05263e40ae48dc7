/** Looks at replica-set members directly, by `hello` over the network, as their clients do. Never changes anything. */
import { makeProbe } from '../lambdas/aws/network-probe';
import type { HelloFact } from '../lambdas/core/facts';
import { LabError } from './lab-error';
import { sleep } from './run-command';

const probe = makeProbe(Date.now);
const ANSWER_MS = 500;
const LOOK_EVERY_MS = 100;

/** What a member says of itself; undefined where it says nothing. */
export async function askMember(host: string): Promise<HelloFact | undefined> {
  return (await probe.hello(host, ANSWER_MS)).hello;
}

/** Asks the hosts again and again until one answers as wanted. @throws LabError naming `what` after `timeoutMs` */
export async function watchMembers(
  what: string,
  hosts: readonly string[],
  isSo: (hello: HelloFact) => boolean,
  timeoutMs: number,
): Promise<{ host: string; atMs: number }> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    const answers = await Promise.all(hosts.map(async (host) => ({ host, hello: await askMember(host) })));
    const found = answers.find(({ hello }) => hello !== undefined && isSo(hello));
    if (found) return { host: found.host, atMs: Date.now() };
    await sleep(LOOK_EVERY_MS);
  }
  throw new LabError(`${what}: not within ${Math.round(timeoutMs / 1000)} s, asking ${hosts.join(', ')}`);
}

/** Waits until a cluster is whole: by its own status, and by looks of ours at each node. Changes nothing. */
import { serviceEntry } from '../../lambdas/core/catalogue/catalogue';
import type { StatusSummary } from '../../lambdas/core/memory';
import { PORT, SERVICE_ROLES } from '../../lambdas/core/names';
import type { ReadStatus } from '../cluster-eye';
import { containerOf } from '../docker';
import { LabError } from '../lab-error';
import { askMember } from '../member-eye';
import { sleep, tryRun } from '../run-command';
import { ask } from '../traffic';
import type { Victim } from './scenario';
import { nodesOf } from './victims';

const ANSWER_MS = 1_000;
const LOOK_EVERY_MS = 200;

async function answers(host: string, port: number, path: string): Promise<boolean> {
  try {
    return (await ask({ host, port, timeoutMs: ANSWER_MS }, 'GET', path)).status === 200;
  } catch {
    return false;
  }
}

/** HAProxy answers and keepalived runs; hung counts as not running. */
async function balances({ instanceId, privateIp }: Victim): Promise<boolean> {
  if (!(await answers(privateIp, PORT.admin, '/fiware-ha/health'))) return false;
  const container = await containerOf(instanceId).catch(() => null);
  if (!container) return false;
  return (await tryRun('docker', ['exec', container, 'pgrep', '-r', 'S,R,D', '-x', 'keepalived'])).code === 0;
}

/** Whether a node does what it is there for, as we see it ourselves: the status may be of before. */
async function isWell(node: Victim): Promise<boolean> {
  if (node.role === 'lb') return balances(node);
  if (node.role === 'orion') return answers(node.privateIp, PORT.orion, '/v2/entities?limit=1');
  const service = SERVICE_ROLES.find((role) => role === node.role);
  if (service) {
    const { health, ports } = serviceEntry(service);
    return answers(node.privateIp, ports[health.process.port] ?? 0, health.process.path);
  }
  const hello = await askMember(`${node.privateIp}:${PORT.mongo}`);
  return hello !== undefined && (hello.isWritablePrimary || hello.secondary === true);
}

/** What of a cluster is not as it should be; empty when it is whole. */
async function whatIsWrong(status: StatusSummary | null): Promise<string[]> {
  if (!status?.converged) return [status?.sentence ?? 'no status'];
  const nodes = nodesOf(status);
  if (!nodes.some(({ holdsAddress }) => holdsAddress)) return ['nobody holds the address'];
  const well = await Promise.all(nodes.map(isWell));
  return nodes.flatMap(({ slot, instanceId }, i) => (well[i] ? [] : [`${slot} (${instanceId}) does not serve`]));
}

/** Looks until the cluster is whole; answers its status then, and when that was. @throws LabError with what is wrong after `timeoutMs` */
export async function untilWhole(read: ReadStatus, timeoutMs: number): Promise<{ status: StatusSummary; atMs: number }> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const status = await read();
    const atMs = Date.now();
    const wrong = await whatIsWrong(status);
    if (status && wrong.length === 0) return { status, atMs };
    if (Date.now() > deadline) throw new LabError(`not whole within ${Math.round(timeoutMs / 1000)} s: ${wrong.join(', ')}`);
    await sleep(LOOK_EVERY_MS);
  }
}

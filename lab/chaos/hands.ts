/** What a scenario does to nodes: kills, freezes, stops them or their processes, cuts their network. Only ever to containers of this lab. */
import { containerOf } from '../docker';
import { freezeInstance } from '../frozen';
import { LabError } from '../lab-error';
import { run, tryRun } from '../run-command';
import type { Victim } from './scenario';

export type Hand = (victim: Victim) => Promise<void>;

function docker(...command: string[]): Hand {
  return async ({ instanceId }) => void (await run('docker', [...command, await containerOf(instanceId)]));
}

/** As a host that loses power. */
export const kill = docker('kill');
/** As a host that hangs: its connections stay open and nothing answers. */
export const pause: Hand = async ({ instanceId }) => void (await freezeInstance(instanceId));
/** As a host that is shut down: its processes get a second to end. */
export const stop = docker('stop', '--time', '1');

/** The process that serves in a role; Orion and mongod have stand-ins of other names, whose number is in a file. */
export type Process = 'haproxy' | 'keepalived' | 'role';

const PID_FILE = '/run/fiware-ha-$ROLE.pid';

/** Sends a signal to all processes of that name on a node. The machine itself goes on. @throws LabError when there is none */
export function signal(name: 'KILL' | 'STOP' | 'CONT', process: Process): Hand {
  return async ({ instanceId, role, slot }) => {
    const container = await containerOf(instanceId);
    const toRole = `kill -${name} "$(cat ${PID_FILE.replace('$ROLE', role)})"`;
    const command = process === 'role' ? ['sh', '-c', toRole] : ['pkill', `-${name}`, '-x', process];
    const { code, stderr } = await tryRun('docker', ['exec', container, ...command]);
    if (code !== 0) throw new LabError(`${slot}: ${command.join(' ')}: expected exit code 0; got ${code} ${stderr}`);
  };
}

/** A packet filter: from whom or to whom a node neither hears nor says anything; absent: VRRP alone is dropped. */
export interface Cut {
  node: Victim;
  /** Addresses it is cut off from. */
  from?: readonly string[];
  /** Only this TCP port of the node; absent: everything. */
  port?: number;
}

function rulesOf({ from, port }: Cut): string[][] {
  if (!from) return [['INPUT', '-p', '112', '-j', 'DROP']];
  const [inward, outward] =
    port === undefined
      ? [[], []]
      : [
          ['-p', 'tcp', '--dport', `${port}`],
          ['-p', 'tcp', '--sport', `${port}`],
        ];
  return from.flatMap((address) => [
    ['INPUT', '-s', address, ...inward, '-j', 'DROP'],
    ['OUTPUT', '-d', address, ...outward, '-j', 'DROP'],
  ]);
}

/** Cuts as asked, all in one go a node; the rules stand in the containers' own networks. */
export async function cutOff(cuts: readonly Cut[]): Promise<void> {
  await Promise.all(
    cuts.map(async (cut) => {
      const script = rulesOf(cut).map((rule) => `iptables -w -A ${rule.join(' ')}`);
      await run('docker', ['exec', await containerOf(cut.node.instanceId), 'sh', '-ec', script.join('\n')]);
    }),
  );
}

/** Takes all cuts away; nothing else filters in a node's container. A node that is gone needs nothing. */
export async function healAll(nodes: readonly Victim[]): Promise<void> {
  await Promise.all(
    nodes.map(async ({ instanceId }) => {
      const container = await containerOf(instanceId).catch(() => null);
      if (container) await tryRun('docker', ['exec', container, 'iptables', '-w', '-F']);
    }),
  );
}

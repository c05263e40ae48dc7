import { describe, expect, it } from '@jest/globals';
import type { Ports } from '../../lambdas/app/ports';
import type { QueueName } from '../../lambdas/core/jobs';
import { DEMO_STORY } from '../../sim/scenarios/demo-story';
import { World } from '../../sim/world';
import { aWorldWith, isSettled } from '../sim/a-city';
import type { Worker } from './deployment';
import { OPERATIONS } from './operations';

const WORKER_OF: Record<QueueName, Worker> = { 'health-check': 'HealthCheck', provision: 'Provision', failover: 'Failover' };
/** Ports that ask no AWS service for anything. */
const NOT_AWS: ReadonlySet<string> = new Set(['probe', 'clock', 'telemetry']);

/** Acts of the demo's story that each make workers do something else. */
const ACTS: ReadonlySet<string> = new Set(['create', 'kill balancer', 'kill broker process', 'scale out', 'scale in', 'delete']);

type Used = Record<Worker, Set<string>>;

/** The ports, noting each call by worker; a send by the queue it goes to. */
function noting(used: Used, queue: QueueName, ports: Ports): Ports {
  const note = (port: string, methods: object) =>
    Object.fromEntries(
      Object.entries(methods).map(([method, call]: [string, (...args: unknown[]) => unknown]) => [
        method,
        (...args: unknown[]) => {
          used[WORKER_OF[queue]].add(port === 'queues' ? `queues.send ${args[0]}` : `${port}.${method}`);
          return call(...args);
        },
      ]),
    );
  return Object.fromEntries(
    Object.entries(ports).map(([port, methods]) => [port, NOT_AWS.has(port) ? methods : note(port, methods)]),
  ) as unknown as Ports;
}

function watched(world: World, used: Used): World {
  world.onPorts = (queue, ports) => noting(used, queue, ports);
  return world;
}

function setEntryMode(world: World, mode: string): void {
  const stored = world.state.specs.get('city');
  if (!stored) throw new Error('expected the city to have a spec');
  world.state.specs.set('city', { text: JSON.stringify({ ...JSON.parse(stored.text), entry: { mode } }), version: stored.version + 1 });
}

/** Names without what is special about them: `compute.launchNode lb a` is `compute.launchNode`. */
function methodsOf(worker: Worker): string[] {
  const names = OPERATIONS[worker].map(({ name }) => (name.startsWith('queues.') ? name : (name.split(' ')[0] ?? '')));
  return [...new Set(names)].sort();
}

describe('what each worker asks of AWS', () => {
  it('is what its policies are tried with: nothing is missing there, and nothing is there that no use case asks for', async () => {
    const used: Used = { HealthCheck: new Set(), Provision: new Set(), Failover: new Set() };
    const story = watched(new World({ seed: 7 }), used);
    for (const act of DEMO_STORY.filter(({ name }) => ACTS.has(name))) {
      act.act(story);
      await story.pass(30);
      expect(await story.pass(900, () => (story.deleted.size > 0 ? story.state.rows.size === 0 : isSettled(story)))).toBe(true);
    }

    const pair = watched(await aWorldWith(['city'], { seed: 5 }), used);
    setEntryMode(pair, 'active-active');
    await pair.pass(120);
    expect(await pair.pass(900, () => isSettled(pair))).toBe(true);

    // A majority lost for good; a spec that is not there any more; requests whose store is out of reach.
    const lost = watched(await aWorldWith(['city'], { seed: 41 }), used);
    const [, ...others] = [...lost.cloud.nodes.values()].filter(({ fact }) => fact.role === 'mongo' && fact.state === 'running');
    for (const { fact } of others) lost.cloud.terminate(fact.instanceId, true);
    await lost.pass(300);
    lost.send('provision', { kind: 'repairMajority', cluster: 'city', confirm: 'city' });
    expect(await lost.pass(1_800, () => isSettled(lost))).toBe(true);
    lost.send('provision', { kind: 'scale', cluster: 'nowhere', role: 'orion', count: 2 });
    await lost.pass(10);
    lost.faults.apisDown.add('rows');
    lost.send('provision', { kind: 'repairMajority', cluster: 'city', confirm: 'city' });
    lost.send('provision', { kind: 'scale', cluster: 'city', role: 'orion', count: 3 });
    await lost.pass(60);

    const seen = Object.fromEntries(Object.entries(used).map(([worker, methods]) => [worker, [...methods].sort()]));
    expect(seen).toEqual({ HealthCheck: methodsOf('HealthCheck'), Provision: methodsOf('Provision'), Failover: methodsOf('Failover') });
  }, 240_000);
});

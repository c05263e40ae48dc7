/** What each worker asks of its ports, with arguments of a real deployment. test/iam/uses.test.ts holds that the use cases ask for this and no more. */
import type { LaunchRequest, NodeCommand, Ports } from '../../lambdas/app/ports';
import { EMPTY_MEMORY } from '../../lambdas/core/memory';
import { ENABLER_ROLES, type Role, slotName } from '../../lambdas/core/names';
import { parseSpec } from '../../lambdas/core/spec';
import { NOW_MS } from '../builders';
import type { Worker } from './deployment';
import { REGION } from './deployment';

export interface Operation {
  /** `port.method`, and what is special about it. */
  name: string;
  run(ports: Ports): Promise<unknown>;
}

const spec = parseSpec({ name: 'city' });
if (!spec.ok) throw new Error(spec.problems.join());
const ROW = { cluster: 'city', version: 1, phase: 'active' as const, spec: spec.value, memory: EMPTY_MEMORY, status: null };
const ENTRY = { atMs: NOW_MS, topic: 'plan', event: 'note', text: 'all is well' };

function launchRequest(role: Role, slot: string, zone: string): LaunchRequest {
  return { cluster: 'city', role, slot, incarnation: 1, zone: REGION + zone, instanceType: 't3.small', token: `${slot}/${zone}` };
}

const COMMANDS: NodeCommand[] = [
  { name: 'apply-config', role: 'lb', version: 'abcd', files: [] },
  { name: 'restart-role', role: 'orion' },
  { name: 'replica-set', action: 'initiate', payload: {} },
  { name: 'repair-majority', replicaSet: 'orion_rs', survivors: [], expect: { setVersion: 1 }, notAfterMs: 1 },
];

const op = (name: string, run: Operation['run']): Operation => ({ name, run });
const describeCluster = op('compute.describeCluster', ({ compute }) => compute.describeCluster('city'));
const readSpec = op('specs.get', ({ specs }) => specs.get('city'));
const nudge = op('queues.send health-check', ({ queues }) => queues.send('health-check', { kind: 'check', cluster: 'city' }));
const readRow = op('rows.get', ({ rows }) => rows.get('city'));
const writeRow = op('rows.put', ({ rows }) => rows.put(ROW, 0));
const listRows = op('rows.listClusters', ({ rows }) => rows.listClusters());
const claim = op('claims.claim', ({ claims }) => claims.claim('k', NOW_MS, 1_000));
const record = op('claims.record', ({ claims }) => claims.record('k', { is: 'done', atMs: NOW_MS }));
const giveBack = op('claims.release', ({ claims }) => claims.release('k'));
const takeBudget = op('budget.take', ({ budget }) => budget.take('terminations', 10, 600_000, NOW_MS));
const journal = op('journal.append', (ports) => ports.journal.append('city', [ENTRY]));

export const OPERATIONS: Record<Worker, Operation[]> = {
  HealthCheck: [
    op('compute.describeFleet', ({ compute }) => compute.describeFleet()),
    describeCluster,
    op('specs.listClusters', ({ specs }) => specs.listClusters()),
    readSpec,
    readRow,
    writeRow,
    listRows,
    op('claims.readMany', ({ claims }) => claims.readMany(['k'])),
    claim,
    record,
    giveBack,
    op('commands.outcome', ({ commands }) => commands.outcome('i-0aaa', 'c-1')),
    journal,
    nudge,
    op('queues.send provision', ({ queues }) => queues.send('provision', {})),
    op('queues.send failover', ({ queues }) => queues.send('failover', {})),
  ],
  Provision: [
    describeCluster,
    ...['a', 'b', 'c'].flatMap((zone) => [
      op(`compute.launchNode lb ${zone}`, ({ compute }) => compute.launchNode(launchRequest('lb', 'lb1', zone))),
      op(`compute.launchNode orion ${zone}`, ({ compute }) => compute.launchNode(launchRequest('orion', 'ctx1', zone))),
    ]),
    ...ENABLER_ROLES.map((role) =>
      op(`compute.launchNode ${role}`, ({ compute }) => compute.launchNode(launchRequest(role, slotName(role, 1), 'a'))),
    ),
    op('compute.launchNode mongo', ({ compute }) => compute.launchNode({ ...launchRequest('mongo', 'mdb1', 'a'), volumeGib: 80 })),
    op('compute.addPrivateAddress', ({ compute }) => compute.addPrivateAddress('i-0aaa')),
    op('compute.terminateNode', ({ compute }) => compute.terminateNode('i-0aaa')),
    op('compute.deletePlacementGroups', ({ compute }) => compute.deletePlacementGroups('city')),
    op('addresses.allocate', ({ addresses }) => addresses.allocate('city', 'entry1')),
    op('addresses.release', ({ addresses }) => addresses.release('eipalloc-0aaa')),
    ...COMMANDS.map((command) => op(`commands.send ${command.name}`, ({ commands }) => commands.send('i-0aaa', 'city', command))),
    readSpec,
    op('specs.create', ({ specs }) => specs.create('city', '{}')),
    op('specs.replace', ({ specs }) => specs.replace('city', '{}', 1)),
    op('specs.delete', ({ specs }) => specs.delete('city')),
    readRow,
    writeRow,
    listRows,
    op('rows.delete', ({ rows }) => rows.delete('city')),
    claim,
    record,
    giveBack,
    takeBudget,
    journal,
    nudge,
  ],
  Failover: [
    describeCluster,
    op('addresses.associate', ({ addresses }) => addresses.associate('eipalloc-0aaa', 'i-0aaa', { mayTakeFrom: true })),
    readRow,
    claim,
    record,
    op('leases.take', ({ leases }) => leases.take('address/eipalloc-0aaa', NOW_MS, 1_000)),
    op('leases.end', ({ leases }) => leases.end('address/eipalloc-0aaa', NOW_MS)),
    takeBudget,
    journal,
    nudge,
  ],
};

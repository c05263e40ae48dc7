/** Ports that hold plain values and answer at once, for tests of single use cases; the simulation is for whole stories. */

import type { CommandOutcome, Context, NodeCommand, Ports } from '../lambdas/app/ports';
import type { CloudRead } from '../lambdas/core/facts';
import { emptyState, makeStores, type StoredState } from '../sim/stores';
import { NOW_MS, ZONES } from './builders';

export interface Sent {
  queue: string;
  body: Record<string, unknown>;
  delayS: number;
}

/** What the ports hold; tests set it before and look at it after. */
export interface MemoryWorld extends StoredState {
  nowMs: number;
  cloud: CloudRead;
  sent: Sent[];
  commands: { instanceId: string; command: NodeCommand }[];
  commandOutcome: CommandOutcome;
  /** URLs and hosts that answer; all others refuse. */
  answering: (url: string) => boolean;
  acts: string[];
  budgetLeft: number;
}

export function aMemoryWorld(change: Partial<MemoryWorld> = {}): MemoryWorld {
  return {
    nowMs: NOW_MS,
    cloud: { instances: [], addresses: [] },
    ...emptyState(),
    sent: [],
    commands: [],
    commandOutcome: { is: 'running' },
    answering: () => true,
    acts: [],
    budgetLeft: 10,
    ...change,
  };
}

/** A context over the world; settings are those of a deployment with three zones. */
export function contextOver(w: MemoryWorld): Context {
  const act = (text: string) => void w.acts.push(text);
  const ports: Ports = {
    ...makeStores(w),
    budget: { take: async () => w.budgetLeft-- > 0 },
    compute: {
      describeFleet: async () => w.cloud,
      describeCluster: async () => w.cloud,
      launchNode: async (request) => {
        act(`launch ${request.slot}/${request.incarnation} in ${request.zone} (${request.token})`);
        return { ...request, instanceId: 'i-ffff', state: 'pending', launchedAtMs: w.nowMs, status: 'initializing' };
      },
      addPrivateAddress: async (instanceId) => act(`add a private address to ${instanceId}`),
      terminateNode: async (instanceId) => act(`terminate ${instanceId}`),
      deletePlacementGroups: async (cluster) => act(`delete placement groups of ${cluster}`),
    },
    addresses: {
      allocate: async (cluster, name) => ({ allocationId: 'eipalloc-1', cluster, name, publicIp: '203.0.113.1' }),
      associate: async (allocationId, instanceId, { mayTakeFrom, privateIp }) => {
        const primary = w.cloud.instances.find((instance) => instance.instanceId === instanceId)?.privateIp;
        act(
          `associate ${allocationId} with ${instanceId}${privateIp === primary ? '' : ` at ${privateIp}`}${mayTakeFrom ? '' : ' if free'}`,
        );
        w.cloud = {
          ...w.cloud,
          addresses: w.cloud.addresses.map((a) => (a.allocationId === allocationId ? { ...a, holder: instanceId } : a)),
        };
      },
      release: async (allocationId) => act(`release ${allocationId}`),
    },
    commands: {
      send: async (instanceId, _cluster, command) => {
        w.commands.push({ instanceId, command });
        return { commandId: `cmd-${w.commands.length}` };
      },
      outcome: async () => w.commandOutcome,
    },
    queues: { send: async (queue, body, delayS = 0) => void w.sent.push({ queue, body: body as Record<string, unknown>, delayS }) },
    probe: {
      http: async (url) => ({
        outcome: w.answering(url) ? { is: 'ok', latencyMs: 1 } : { is: 'failed', detail: 'connection refused' },
        body: '',
      }),
      hello: async (host) => ({ outcome: w.answering(host) ? { is: 'ok', latencyMs: 1 } : { is: 'failed', detail: 'connection refused' } }),
    },
    clock: { nowMs: () => w.nowMs },
    telemetry: { info: () => {}, warn: () => {}, error: () => {}, count: () => {} },
  };
  return { ports, settings: { tickEveryS: 10, zones: ZONES, terminationsPer10Min: 10, probeTimeoutMs: 1_000 } };
}

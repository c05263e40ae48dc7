/** The simulated EC2: instances, addresses, placement groups, with late and lasting reads. Obeys; decides nothing. */
import type { LaunchRequest, Ports } from '../lambdas/app/ports';
import { PortError } from '../lambdas/app/ports';
import type { AddressFact, CloudRead, InstanceFact } from '../lambdas/core/facts';
import { placementGroupName } from '../lambdas/core/names';
import type { Faults } from './faults';
import { between, type Random } from './random';
import type { ReplicaSetConfig } from './replica-set/replica-config';
import type { Scheduler } from './scheduler';
import { isUp, type SimNode } from './sim-node';

export const ZONES = ['sim-1a', 'sim-1b', 'sim-1c'];
const BOOT_MS: [number, number] = [3_000, 8_000];
/** From running to installed, ms: packages and first boot. */
const INSTALL_MS: [number, number] = [20_000, 45_000];
const TERMINATED_SEEN_MS = 3_600_000;

/** What checkers and the story want to hear of. */
export interface CloudEvents {
  launched(node: SimNode): void;
  stateChanged(node: SimNode): void;
  terminating(node: SimNode, byUs: boolean): void;
  associating(address: AddressFact, to: SimNode): void;
  /** An address fell off its holder because another one was led to its private address. */
  displacing(address: AddressFact, by: AddressFact): void;
  releasing(address: AddressFact): void;
  /** A command of ours is about to act on a node. */
  commanding(node: SimNode): void;
  /** A process that serves is about to be restarted by us: for a new configuration, or because it was taken for dead. */
  /** A process that serves is about to be restarted. */
  restarting(node: SimNode): void;
  /** A restart was ordered of a process that is taken for dead, whether it is by now or not. */
  restartOrdered(node: SimNode): void;
  /** A step of ours gave a replica set its first configuration. */
  initiated(node: SimNode): void;
  /** A step of ours changed the configuration of a replica set. */
  reconfigured(node: SimNode, before: ReplicaSetConfig, after: ReplicaSetConfig): void;
}

type AssociateOptions = Parameters<Ports['addresses']['associate']>[2];

/** Who has an address, and at which of its private addresses. */
type Hold = Pick<AddressFact, 'holder' | 'privateIp'>;

function holdOf({ holder, privateIp }: AddressFact): Hold {
  return holder && privateIp ? { holder, privateIp } : {};
}

/** A node answers at a further private address once its configuration told its operating system of it. */
function answersAt({ fact, config }: SimNode, ip: string): boolean {
  return fact.privateIp === ip || (config?.role === 'lb' && config.secondaryIps?.includes(ip) === true);
}

/** An address, and who held it before, as late reads show it. */
type SimAddress = AddressFact & { stale?: { hold: Hold; untilMs: number } };

export class Cloud {
  readonly nodes = new Map<string, SimNode>();
  readonly addresses = new Map<string, SimAddress>();
  readonly placementGroups = new Set<string>();
  readonly listeners: Partial<CloudEvents>[] = [];
  private readonly tokens = new Map<string, string>();
  private readonly ofIp = new Map<string, SimNode>();
  private count = 0;

  constructor(
    private readonly scheduler: Scheduler,
    private readonly random: Random,
    private readonly faults: Faults,
  ) {}

  tell<K extends keyof CloudEvents>(event: K, ...args: Parameters<CloudEvents[K]>): void {
    for (const listener of this.listeners) (listener[event] as ((...a: unknown[]) => void) | undefined)?.(...args);
  }

  launch(request: LaunchRequest): SimNode {
    const { cluster, role, slot, incarnation, zone, token } = request;
    const present = this.nodes.get(this.tokens.get(token) ?? '');
    if (present) return present;
    if (this.faults.zonesFull.has(zone) || this.faults.zonesLost.has(zone))
      throw new PortError('noCapacity', `no capacity for ${request.instanceType} in ${zone}`);
    const { nowMs } = this.scheduler;
    const index = ++this.count;
    const instanceId = `i-${index.toString(16).padStart(8, '0')}`;
    const privateIp = `10.64.${index >> 8}.${index & 255}`;
    const node: SimNode = {
      fact: {
        instanceId,
        cluster,
        role,
        slot,
        incarnation,
        zone,
        state: 'pending',
        privateIp,
        secondaryIps: [],
        launchedAtMs: nowMs,
        status: 'initializing',
      },
      visibleFromMs: nowMs + between(this.random, 0, this.faults.unseenMaxMs),
      forgottenAtMs: Number.POSITIVE_INFINITY,
      readyAtMs: Number.POSITIVE_INFINITY,
      hung: false,
      process: 'none',
      starts: 0,
      requests: 0,
      servesFromMs: 0,
    };
    if (this.faults.skewMaxMs > 0) node.skewMs = between(this.random, -this.faults.skewMaxMs, this.faults.skewMaxMs);
    this.nodes.set(instanceId, node);
    this.ofIp.set(privateIp, node);
    this.tokens.set(token, instanceId);
    this.placementGroups.add(placementGroupName(cluster, role));
    this.tell('launched', node);
    this.scheduler.after(between(this.random, ...BOOT_MS), () => this.boot(node));
    return node;
  }

  private boot(node: SimNode): void {
    if (node.fact.state !== 'pending') return;
    node.fact = { ...node.fact, state: 'running', status: 'ok' };
    node.readyAtMs = this.scheduler.nowMs + between(this.random, ...INSTALL_MS);
    this.tell('stateChanged', node);
  }

  /** One more private address on the interface of an instance; what runs on it must be told of it. */
  addPrivateAddress(instanceId: string): void {
    const node = this.nodes.get(instanceId);
    if (node?.fact.state !== 'running') throw new PortError('notFound', `${instanceId} does not exist, or does not run`);
    const index = ++this.count;
    const ip = `10.65.${index >> 8}.${index & 255}`;
    node.fact = { ...node.fact, secondaryIps: [...(node.fact.secondaryIps ?? []), ip].sort() };
    this.ofIp.set(ip, node);
  }

  /** Ends an instance; `byUs` tells the control plane's act from a fault. */
  terminate(instanceId: string, byUs: boolean): void {
    const node = this.nodes.get(instanceId);
    if (!node) throw new PortError('notFound', `${instanceId} does not exist`);
    if (node.fact.state === 'terminated') return;
    this.tell('terminating', node, byUs);
    const untilMs = this.staleUntilMs();
    if (untilMs > 0) node.stale = { fact: node.fact, untilMs };
    node.fact = { ...node.fact, state: 'terminated' };
    node.process = 'dead';
    node.forgottenAtMs = this.scheduler.nowMs + TERMINATED_SEEN_MS;
    for (const address of this.addresses.values()) if (address.holder === instanceId) this.hold(address, {});
    this.tell('stateChanged', node);
  }

  /** Until when reads show what was before; 0 where they are up to date. */
  private staleUntilMs(): number {
    const { staleMaxMs } = this.faults;
    return staleMaxMs > 0 ? this.scheduler.nowMs + between(this.random, 0, staleMaxMs) : 0;
  }

  private hold(address: SimAddress, { holder, privateIp }: Hold): void {
    const untilMs = this.staleUntilMs();
    if (untilMs > 0) address.stale = { hold: holdOf(address), untilMs };
    delete address.holder;
    delete address.privateIp;
    if (holder) Object.assign(address, { holder, privateIp });
  }

  allocate(cluster: string, name: string): AddressFact {
    const present = [...this.addresses.values()].find((address) => address.cluster === cluster && address.name === name);
    if (present) return { ...present };
    const index = ++this.count;
    const address: AddressFact = { allocationId: `eipalloc-${index.toString(16)}`, cluster, name, publicIp: `203.0.113.${index % 256}` };
    this.addresses.set(address.allocationId, address);
    return { ...address };
  }

  associate(allocationId: string, instanceId: string, { mayTakeFrom, privateIp: asked }: AssociateOptions): void {
    const address = this.addresses.get(allocationId);
    const node = this.nodes.get(instanceId);
    if (!address || node?.fact.state !== 'running')
      throw new PortError('notFound', `${allocationId} or ${instanceId} does not exist, or does not run`);
    const privateIp = asked ?? node.fact.privateIp ?? '';
    if (privateIp !== node.fact.privateIp && !node.fact.secondaryIps?.includes(privateIp))
      throw new PortError('invalid', `${privateIp} is no private address of ${instanceId}`);
    if (address.holder === instanceId && address.privateIp === privateIp) return;
    const other = [...this.addresses.values()].find((a) => a !== address && a.privateIp === privateIp);
    if ((address.holder || other) && !mayTakeFrom)
      throw new PortError('conflict', `${address.publicIp} is held by ${address.holder}, or ${privateIp} is taken by ${other?.publicIp}`);
    this.tell('associating', { ...address }, node);
    if (other) {
      this.tell('displacing', { ...other }, { ...address });
      this.hold(other, {});
    }
    this.hold(address, { holder: instanceId, privateIp });
  }

  release(allocationId: string): void {
    const address = this.addresses.get(allocationId);
    if (address) this.tell('releasing', { ...address });
    this.addresses.delete(allocationId);
  }

  /** What a describe shows: new nodes late, terminated ones for an hour, changes late, and not all of it where answers are partial. */
  describe(isWanted: (cluster: string) => boolean): CloudRead {
    const { nowMs } = this.scheduler;
    const isPartial = this.faults.partialShare > 0 && this.random() < this.faults.partialShare;
    const instances: InstanceFact[] = [];
    for (const node of this.nodes.values()) {
      if (!isWanted(node.fact.cluster) || node.visibleFromMs > nowMs || node.forgottenAtMs <= nowMs) continue;
      const fact = node.stale && node.stale.untilMs > nowMs ? { ...node.stale.fact } : { ...node.fact };
      if (isPartial) fact.status = 'unknown';
      instances.push(fact);
    }
    const addresses: AddressFact[] = [];
    for (const { stale, ...address } of this.addresses.values()) {
      if (!isWanted(address.cluster)) continue;
      if (!stale || stale.untilMs <= nowMs) addresses.push(address);
      else {
        const { holder: _, privateIp: __, ...rest } = address;
        addresses.push({ ...rest, ...stale.hold });
      }
    }
    return { instances, addresses };
  }

  byIp(ip: string): SimNode | undefined {
    const node = this.ofIp.get(ip);
    return node && node.fact.state !== 'terminated' && answersAt(node, ip) ? node : undefined;
  }

  /** Whether packets get to a node at all. */
  isReachable(node: SimNode): boolean {
    return isUp(node) && !this.faults.zonesLost.has(node.fact.zone);
  }

  /** Whether the process of a node answers. */
  isServing(node: SimNode): boolean {
    return this.isReachable(node) && node.process === 'running' && node.servesFromMs <= this.scheduler.nowMs;
  }
}

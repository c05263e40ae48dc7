/** The simulated EC2: instances, addresses, placement groups, with late and lasting reads. Obeys; decides nothing. */
import type { LaunchRequest, Ports } from '../lambdas/app/ports';
import { PortError } from '../lambdas/app/ports';
import type { AddressFact, CloudFacts } from '../lambdas/core/facts';
import { placementGroupName } from '../lambdas/core/names';
import type { Faults } from './faults';
import { between, type Random } from './random';
import type { Scheduler } from './scheduler';
import { isUp, type SimNode } from './sim-node';

export const ZONES = ['sim-1a', 'sim-1b', 'sim-1c'];
const BOOT_MS: [number, number] = [3_000, 8_000];
/** From running to installed, ms: packages and first boot. */
const INSTALL_MS: [number, number] = [20_000, 45_000];
const UNSEEN_MS: [number, number] = [0, 5_000];
const TERMINATED_SEEN_MS = 3_600_000;

/** What checkers and the story want to hear of. */
export interface CloudEvents {
  launched(node: SimNode): void;
  stateChanged(node: SimNode): void;
  terminating(node: SimNode, byUs: boolean): void;
  associating(address: AddressFact, to: SimNode): void;
  /** An address fell off its holder because another one was led to its private address. */
  displacing(address: AddressFact, by: AddressFact): void;
}

type AssociateOptions = Parameters<Ports['addresses']['associate']>[2];

function free(address: AddressFact): void {
  delete address.holder;
  delete address.privateIp;
}

/** A node answers at a further private address once its configuration told its operating system of it. */
function answersAt({ fact, config }: SimNode, ip: string): boolean {
  return fact.privateIp === ip || (config?.role === 'lb' && config.secondaryIps?.includes(ip) === true);
}

export class Cloud {
  readonly nodes = new Map<string, SimNode>();
  readonly addresses = new Map<string, AddressFact>();
  readonly placementGroups = new Set<string>();
  readonly listeners: Partial<CloudEvents>[] = [];
  private readonly tokens = new Map<string, string>();
  private count = 0;

  constructor(
    private readonly scheduler: Scheduler,
    private readonly random: Random,
    private readonly faults: Faults,
  ) {}

  private tell<K extends keyof CloudEvents>(event: K, ...args: Parameters<CloudEvents[K]>): void {
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
      visibleFromMs: nowMs + between(this.random, ...UNSEEN_MS),
      forgottenAtMs: Number.POSITIVE_INFINITY,
      readyAtMs: Number.POSITIVE_INFINITY,
      hung: false,
      process: 'none',
      starts: 0,
      requests: 0,
      servesFromMs: 0,
    };
    this.nodes.set(instanceId, node);
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
    node.fact = { ...node.fact, secondaryIps: [...(node.fact.secondaryIps ?? []), `10.65.${index >> 8}.${index & 255}`].sort() };
  }

  /** Ends an instance; `byUs` tells the control plane's act from a fault. */
  terminate(instanceId: string, byUs: boolean): void {
    const node = this.nodes.get(instanceId);
    if (!node) throw new PortError('notFound', `${instanceId} does not exist`);
    if (node.fact.state === 'terminated') return;
    this.tell('terminating', node, byUs);
    node.fact = { ...node.fact, state: 'terminated' };
    node.process = 'dead';
    node.forgottenAtMs = this.scheduler.nowMs + TERMINATED_SEEN_MS;
    for (const address of this.addresses.values()) if (address.holder === instanceId) free(address);
    this.tell('stateChanged', node);
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
      free(other);
    }
    Object.assign(address, { holder: instanceId, privateIp });
  }

  release(allocationId: string): void {
    this.addresses.delete(allocationId);
  }

  /** What a describe shows: new nodes late, terminated ones for an hour. */
  describe(isWanted: (cluster: string) => boolean): Omit<CloudFacts, 'atMs'> {
    const { nowMs } = this.scheduler;
    const instances = [...this.nodes.values()].filter(
      (node) => isWanted(node.fact.cluster) && node.visibleFromMs <= nowMs && node.forgottenAtMs > nowMs,
    );
    const addresses = [...this.addresses.values()].filter((address) => isWanted(address.cluster));
    return { instances: instances.map((node) => ({ ...node.fact })), addresses: addresses.map((address) => ({ ...address })) };
  }

  byIp(ip: string): SimNode | undefined {
    for (const node of this.nodes.values()) if (node.fact.state !== 'terminated' && answersAt(node, ip)) return node;
    return undefined;
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

/** The data path of a simulated cluster: address, balancer, broker, primary. Answers as a client would see it; changes no node. */
import { enablerEntry } from '../lambdas/core/catalogue/enablers';
import type { Outcome } from '../lambdas/core/facts';
import type { EnablerRole, ServiceRole } from '../lambdas/core/names';
import { rolesOffered } from '../lambdas/core/node-config';
import type { Cloud } from './cloud';
import type { Faults } from './faults';
import { connects, type Place } from './network';
import type { Random } from './random';
import type { ReplicaSets } from './replica-sets';
import type { SimNode } from './sim-node';

const LATENCY_MS = 2;
const OK: Outcome = { is: 'ok', latencyMs: LATENCY_MS };

function failed(detail: string): Outcome {
  return { is: 'failed', detail };
}

export class DataPath {
  constructor(
    private readonly cloud: Cloud,
    private readonly replicaSets: ReplicaSets,
    private readonly faults: Faults,
  ) {}

  /** Whether requests of one get to a node, and its answers back. */
  reaches(from: Place, to: SimNode): boolean {
    return this.cloud.isReachable(to) && connects(this.faults.cuts, from, to);
  }

  private serves(from: Place, to: SimNode): boolean {
    return this.cloud.isServing(to) && connects(this.faults.cuts, from, to);
  }

  /** Whether a node's process answers the control plane, and if not, how that looks from outside. */
  process(node: SimNode | undefined): Outcome {
    if (!node || !this.reaches('control', node)) return failed('no answer in time');
    if (!this.cloud.isServing(node)) return failed('connection refused');
    return node.slowMs ? { is: 'ok', latencyMs: LATENCY_MS + node.slowMs } : OK;
  }

  private machine(node: SimNode): Outcome {
    if (!this.reaches('control', node)) return failed('no answer in time');
    return node.configVersion === undefined ? failed('HTTP 404') : OK;
  }

  /** What a node tells of its configuration: HAProxy on a balancer, on others a process of its own, alive whatever became of theirs. */
  report(node: SimNode): { outcome: Outcome; body: string } {
    const outcome = node.fact.role === 'lb' ? this.process(node) : this.machine(node);
    const words = node.edited === undefined ? (node.configVersion ?? '') : `drifted: ${node.edited}`;
    return { outcome, body: outcome.is === 'ok' ? words : '' };
  }

  /** A question that needs the database, such as Orion's `/v2/entities`: 500 without a primary that the seeds lead to. */
  database(service: SimNode): Outcome {
    const process = this.process(service);
    if (process.is !== 'ok') return process;
    return this.primaryFor(service) ? process : failed('HTTP 500');
  }

  /** The primary a service's driver finds: at least one of its seeds must live, and it must not have lost them for good. */
  primaryFor(service: SimNode): SimNode | undefined {
    const { config } = service;
    if (!config || !('seeds' in config) || service.lostDatabase) return undefined;
    const lives = config.seeds.some((seed) => {
      const node = this.cloud.byIp(seed.split(':')[0] ?? '');
      return node !== undefined && this.serves(service, node);
    });
    return lives ? this.replicaSets.primaryOf(service.fact.cluster, service) : undefined;
  }

  /** The node of a role of the catalogue that one request through the cluster's address gets; HAProxy tries others when one refuses. */
  serviceFor(cluster: string, role: EnablerRole, random: Random): SimNode | undefined {
    const balancer = this.balancerOf(cluster);
    const able = balancer ? this.serversBehind(balancer, role) : [];
    const isPair = enablerEntry(role).backend === 'active-passive';
    return able[isPair ? 0 : Math.floor(random() * able.length)];
  }

  /** Nodes of a role that a balancer's configuration names and that answer it, in its order. */
  private serversBehind(balancer: SimNode, role: ServiceRole): SimNode[] {
    if (balancer.config?.role !== 'lb') return [];
    const servers = rolesOffered(balancer.config).find((offered) => offered.role === role)?.servers ?? [];
    return servers.flatMap(({ ip }) => this.cloud.byIp(ip) ?? []).filter((node) => this.serves(balancer, node));
  }

  /** The broker a request ends at; HAProxy tries others when one refuses. */
  private brokerBehind(balancer: SimNode): SimNode | undefined {
    const brokers = this.serversBehind(balancer, 'orion');
    return brokers.find((broker) => this.primaryFor(broker)) ?? brokers[0];
  }

  /** The balancer an address of the cluster leads to (the one called `name`, or the first that leads anywhere). */
  private balancerOf(cluster: string, name?: string): SimNode | undefined {
    const address = [...this.cloud.addresses.values()].find(
      (a) => a.cluster === cluster && a.privateIp && (name === undefined || a.name === name),
    );
    const balancer = this.cloud.byIp(address?.privateIp ?? '');
    return balancer && this.cloud.isServing(balancer) ? balancer : undefined;
  }

  /** The broker one request gets: any that its balancer names and that has the database. */
  brokerFor(cluster: string, random: Random): SimNode | undefined {
    const balancer = this.balancerOf(cluster);
    const able = balancer ? this.serversBehind(balancer, 'orion').filter((broker) => this.primaryFor(broker)) : [];
    return able[Math.floor(random() * able.length)];
  }

  /** The whole way from an address to a primary; undefined where it breaks. */
  primaryThrough(cluster: string, name?: string): SimNode | undefined {
    const balancer = this.balancerOf(cluster, name);
    const broker = balancer && this.brokerBehind(balancer);
    return broker && this.primaryFor(broker);
  }
}

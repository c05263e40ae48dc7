/** Drives the members of all simulated replica sets: virtual time, messages with delay, nobody hears a node that is out of reach. */
import type { Cloud } from './cloud';
import type { Faults } from './faults';
import { carries, connects } from './network';
import { between, type Random } from './random';
import type { Envelope, Reach, Reply } from './replica-set/contract';
import { Member } from './replica-set/member';
import type { Scheduler } from './scheduler';
import type { SimNode } from './sim-node';

const HOP_MS: [number, number] = [1, 8];
const DOWN_LOOK_MS = 1_000;
/** The copy of an initial sync, ms. */
const SYNC_MS = 3_000;
/** A primary that was made to step down stands again after this, seconds. */
const FLAP_S = 10;

/** Loads the very script that mongosh runs on a node; its `db` is a member here. */
interface Database {
  adminCommand(command: Record<string, unknown>): Reply;
}
const script: {
  run(db: Database, action: string, payload: unknown, nowMs: number): Record<string, unknown>;
} = require('../nodes/mongo/replica-set.js');

/** The one a person lets run; optimes come as the shell shows them. */
const repair: {
  run(db: Database, payload: unknown, nowMs: number): Record<string, unknown>;
} = require('../nodes/mongo/repair-majority.js');

interface WireMember {
  optime: { ts: { seconds: number; index: number }; t: number };
}

/** `ts` as the shell shows a BSON timestamp: seconds as `t`, the place within them as `i`. */
function asShellShows(reply: Reply): Reply {
  if (!Array.isArray(reply.members)) return reply;
  const members = (reply.members as WireMember[]).map((member) => {
    const { ts, t } = member.optime;
    return { ...member, optime: { ts: { t: ts.seconds, i: ts.index }, t } };
  });
  return { ...reply, members };
}

export class ReplicaSets {
  private readonly wakes = new Map<Member, number>();

  constructor(
    private readonly scheduler: Scheduler,
    private readonly random: Random,
    private readonly cloud: Cloud,
    private readonly faults: Faults,
  ) {}

  private nodeOf(host: string): SimNode | undefined {
    return this.cloud.byIp(host.split(':')[0] ?? '');
  }

  /** Starts mongod on a node: a new member, or the old one with what it had on disk. */
  start(node: SimNode, replicaSet: string): void {
    if (node.diskFull) {
      node.process = 'dead';
      return;
    }
    const host = `${node.fact.privateIp}:27017`;
    const durable = node.member?.durable();
    const { nowMs } = this.scheduler;
    node.member = new Member({
      host,
      replicaSet,
      random: this.random,
      nowMs,
      syncMs: node.neverSyncs ? Number.POSITIVE_INFINITY : SYNC_MS,
      oplogEntriesMax: 50_000,
      ...(durable ? { durable } : {}),
    });
    this.schedule(node);
  }

  private schedule(node: SimNode): void {
    const { member } = node;
    if (!member || member.nextWakeMs === Number.POSITIVE_INFINITY) return;
    const pending = this.wakes.get(member);
    if (pending !== undefined && pending <= member.nextWakeMs) return;
    this.wakeAt(node, member, Math.max(member.nextWakeMs, this.scheduler.nowMs));
  }

  private wakeAt(node: SimNode, member: Member, atMs: number): void {
    this.wakes.set(member, atMs);
    this.scheduler.after(atMs - this.scheduler.nowMs, () => {
      if (this.wakes.get(member) === atMs) this.wake(node, member);
    });
  }

  private wake(node: SimNode, member: Member): void {
    this.wakes.delete(member);
    if (node.member !== member || node.fact.state === 'terminated') return;
    if (!this.cloud.isServing(node)) {
      // Down: it is looked at again, because it may come back.
      this.wakeAt(node, member, this.scheduler.nowMs + DOWN_LOOK_MS);
      return;
    }
    if (this.scheduler.nowMs >= member.nextWakeMs) this.deliver(member.tick(this.scheduler.nowMs));
    this.schedule(node);
  }

  private deliver(envelopes: Envelope[]): void {
    for (const envelope of envelopes)
      this.scheduler.after(between(this.random, ...HOP_MS), () => {
        const [from, to] = [this.nodeOf(envelope.from), this.nodeOf(envelope.to)];
        if (!to?.member || !from || !this.cloud.isServing(to) || !this.cloud.isReachable(from)) return;
        if (!carries(this.faults.cuts, from, to)) return;
        this.deliver(to.member.receive(envelope, this.scheduler.nowMs));
        this.schedule(to);
      });
  }

  /** Runs a step of nodes/mongo/replica-set.js on a node. */
  runScript(node: SimNode, action: string, payload: unknown): Record<string, unknown> {
    const { member } = node;
    if (!member) return { ok: false, outcome: 'retry', error: 'no mongod runs on this node' };
    const before = member.config;
    const result = script.run(
      { adminCommand: (command) => member.adminCommand(command, this.scheduler.nowMs, (host) => this.reach(node, host)) },
      action,
      payload,
      this.scheduler.nowMs + (node.skewMs ?? 0),
    );
    if (before && member.config && before !== member.config) this.cloud.tell('reconfigured', node, before, member.config);
    if (!before && member.config) this.cloud.tell('initiated', node);
    this.schedule(node);
    return result;
  }

  /** Runs nodes/mongo/repair-majority.js on a node. */
  runRepair(node: SimNode, payload: unknown): Record<string, unknown> {
    const { member } = node;
    if (!member) return { ok: false, outcome: 'retry', error: 'no mongod runs on this node' };
    const { nowMs } = this.scheduler;
    const shown = (command: Record<string, unknown>) => asShellShows(member.adminCommand(command, nowMs));
    const result = repair.run({ adminCommand: shown }, payload, nowMs + (node.skewMs ?? 0));
    this.schedule(node);
    return result;
  }

  private reach(from: SimNode, host: string): Reach {
    const node = this.nodeOf(host);
    if (!node?.member || !this.cloud.isServing(node) || !connects(this.faults.cuts, from, node)) return 'unreachable';
    return node.member.quorumAnswer();
  }

  /** The primary a client, or a broker, would end up with: reachable for it, and known as such by itself. */
  primaryOf(cluster: string, client?: SimNode): SimNode | undefined {
    let found: SimNode | undefined;
    for (const node of this.cloud.nodes.values()) {
      if (node.member?.state !== 'PRIMARY' || node.fact.cluster !== cluster || !this.cloud.isServing(node)) continue;
      if (client && !connects(this.faults.cuts, client, node)) continue;
      if (!found?.member || node.member.term > found.member.term) found = node;
    }
    return found;
  }

  /** What an operator's command or a fault does: the primary of a cluster steps down, whoever is left to lead. */
  flap(cluster: string): void {
    const primary = this.primaryOf(cluster);
    if (!primary?.member) return;
    primary.member.adminCommand({ replSetStepDown: FLAP_S, secondaryCatchUpPeriodSecs: 0, force: true }, this.scheduler.nowMs);
    this.schedule(primary);
  }

  /** After a write: lets the primary send it on. */
  nudge(node: SimNode): void {
    this.schedule(node);
  }
}

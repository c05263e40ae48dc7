/** Jobs: every message of the three queues, their schema and their keys. Decodes and builds jobs, never runs one. */
import * as z from 'zod';
import { ROLES } from './names';
import { nodeConfig } from './node-config';
import { inPlain, type Parsed, problemsOf } from './spec';
import { cluster, host, replicaSet, slot } from './values';

const role = z.enum(ROLES);
const instanceId = z.string().regex(/^i-[0-9a-f]{1,32}$/, 'expected an instance id such as i-0abc');
const allocationId = z.string().regex(/^eipalloc-[0-9a-f]{1,32}$/, 'expected an allocation id such as eipalloc-0abc');
const jobKey = z.string().regex(/^[\x21-\x7e]{1,200}$/, 'expected 1 to 200 printable characters without spaces');

export const REASON_MAX_CHARS = 1000;

/** Fields every planned job has: a key that makes it run once, why it was planned, what must still hold when it runs. */
const planned = { cluster, jobKey, reason: z.string().min(1).max(REASON_MAX_CHARS) };

/** One change of the replica-set configuration; at most one voter changes (MongoDB's safe reconfig rule). */
export const memberChange = z.discriminatedUnion('change', [
  /** `memberId`: the `_id` it gets; once given to a host, none is ever given to another. */
  z.strictObject({ change: z.literal('add'), host, memberId: z.int().min(0) }),
  z.strictObject({ change: z.literal('raise-vote'), host }),
  z.strictObject({ change: z.literal('remove'), host }),
]);
export type MemberChange = z.output<typeof memberChange>;

/** The configuration the planner saw; the primary compares it before it acts. */
const expectConfig = z.strictObject({
  setVersion: z.int().min(0),
  voters: z.array(host).max(7),
  nonVoters: z.array(host).max(50),
});

const repairMajority = z.strictObject({
  kind: z.literal('repairMajority'),
  cluster,
  jobKey: jobKey.optional(),
  confirm: z.string().max(64).optional(),
  /** Members the person saw as the ones that are left; refused as stale when others are found by then. */
  survivors: z.array(host).max(50).optional(),
});

/** Jobs people (or an autoscaling alarm) enqueue on the provision queue. */
const userJobs = [
  z.strictObject({
    kind: z.literal('createCluster'),
    cluster,
    jobKey: jobKey.optional(),
    spec: z.record(z.string(), z.unknown()).optional(),
  }),
  z.strictObject({
    kind: z.literal('scale'),
    cluster,
    jobKey: jobKey.optional(),
    role,
    count: z.int().min(0).max(1000),
    /** Refused as stale when the spec says another count by then; lets two people scale at once without surprise. */
    expect: z.strictObject({ count: z.int() }).optional(),
  }),
  z.strictObject({ kind: z.literal('deleteCluster'), cluster, jobKey: jobKey.optional(), confirm: z.string().max(64).optional() }),
  repairMajority,
] as const;

const provisionJobs = [
  z.strictObject({
    kind: z.literal('launchNode'),
    ...planned,
    role,
    slot,
    incarnation: z.int().min(1),
    zone: z.string().max(32),
    instanceType: z.string().max(40),
    /** Size of the root volume, GiB; the launch template's where absent. */
    volumeGib: z.int().min(8).max(16384).optional(),
  }),
  z.strictObject({
    kind: z.literal('terminateNode'),
    ...planned,
    role,
    slot,
    instanceId,
    expect: z.strictObject({
      holdsAddress: z.boolean(),
      /** It took requests once, and goes undrained because it was seen dead. */
      serves: z.literal(false).optional(),
    }),
  }),
  z.strictObject({
    kind: z.literal('applyConfig'),
    ...planned,
    role,
    slot,
    instanceId,
    version: z.string().max(32),
    config: nodeConfig,
    /** Taking it restarts a process that serves. */
    restarts: z.literal(true).optional(),
  }),
  z.strictObject({
    kind: z.literal('restartRole'),
    ...planned,
    role,
    slot,
    instanceId,
    /** It lost its database for good, and answers all the same; any other process that answers by then is left alone. */
    evenIfItAnswers: z.literal(true).optional(),
  }),
  z.strictObject({ kind: z.literal('initiateReplicaSet'), ...planned, instanceId, replicaSet, members: z.array(host).min(1).max(7) }),
  z.strictObject({ kind: z.literal('reconfigReplicaSet'), ...planned, instanceId, replicaSet, change: memberChange, expect: expectConfig }),
  z.strictObject({ kind: z.literal('stepDownPrimary'), ...planned, instanceId, replicaSet, expect: expectConfig }),
  z.strictObject({
    kind: z.literal('setDefaultWriteConcern'),
    ...planned,
    instanceId,
    replicaSet,
    writeConcern: z.union([z.literal('majority'), z.literal(1)]),
  }),
  /** Planned by a person's request alone, never by a planner: it may lose writes that clients were told were safe. */
  z.strictObject({
    kind: z.literal('forceReplicaSet'),
    ...planned,
    instanceId,
    replicaSet,
    survivors: z.array(host).min(1).max(50),
    expect: z.strictObject({ setVersion: z.int().min(0) }),
  }),
  z.strictObject({ kind: z.literal('allocateAddress'), ...planned, name: z.string().max(32) }),
  z.strictObject({ kind: z.literal('releaseAddress'), ...planned, allocationId }),
  /** A second Elastic IP on one balancer needs a second private address on its interface. */
  z.strictObject({
    kind: z.literal('addPrivateAddress'),
    ...planned,
    role: z.literal('lb'),
    slot,
    instanceId,
    /** Further private addresses it had when this was planned. */
    expect: z.strictObject({ secondaryCount: z.int().min(0) }),
  }),
  z.strictObject({ kind: z.literal('forgetCluster'), ...planned }),
] as const;

const failoverJobs = [
  z.strictObject({
    kind: z.literal('moveAddress'),
    ...planned,
    allocationId,
    to: instanceId,
    /** Its holder is well and gives it to a balancer that holds none; the holder keeps another, or its successor has one. */
    gives: z.literal(true).optional(),
    /** Who held it when this was planned; null while it was free. */
    expect: z.strictObject({ holder: instanceId.nullable() }),
  }),
] as const;

/** A balancer's word that its peer fell silent. Anybody on that node could have sent it: a request to look, no instruction. */
const claimAddress = z.strictObject({
  kind: z.literal('claimAddress'),
  cluster,
  claimant: instanceId,
  /** When the balancer saw it, ms. */
  atMs: z.int().min(0),
  /** What keepalived calls the balancer now. */
  state: z.literal('MASTER'),
});

/**
 * Does nothing. Claims are rare, and each would find its worker gone cold, a second late: the schedule's message of each minute keeps
 * one started.
 */
const stayReady = z.strictObject({ kind: z.literal('stayReady') });

const cloudFacts = z.strictObject({
  atMs: z.number(),
  instances: z.array(
    z.strictObject({
      instanceId: z.string(),
      cluster: z.string(),
      role,
      slot: z.string(),
      incarnation: z.number(),
      zone: z.string(),
      state: z.enum(['pending', 'running', 'stopping', 'stopped', 'shutting-down', 'terminated']),
      privateIp: z.string().optional(),
      secondaryIps: z.array(z.string()).optional(),
      launchedAtMs: z.number(),
      status: z.enum(['ok', 'impaired', 'initializing', 'unknown']),
    }),
  ),
  addresses: z.array(
    z.strictObject({
      allocationId: z.string(),
      cluster: z.string(),
      name: z.string(),
      publicIp: z.string(),
      holder: z.string().optional(),
      privateIp: z.string().optional(),
    }),
  ),
});

/** Work of the health-check queue; losing one costs a tick, never a repair. */
const healthCheckJobs = [
  z.strictObject({ kind: z.literal('minute') }),
  z.strictObject({ kind: z.literal('sweep') }),
  /** Without `facts` the check reads EC2 itself, for this cluster alone (a nudge). */
  z.strictObject({ kind: z.literal('check'), cluster, facts: cloudFacts.optional() }),
  /** Handed over by the provision worker, which can't look at members: its function has no way to them. */
  repairMajority.extend({ jobKey }),
] as const;

const provisionMessage = z.discriminatedUnion('kind', [...userJobs, ...provisionJobs]);
const failoverMessage = z.discriminatedUnion('kind', [...failoverJobs, claimAddress, stayReady]);
const healthCheckMessage = z.discriminatedUnion('kind', [...healthCheckJobs]);

export type UserJob = z.output<(typeof userJobs)[number]>;
export type ProvisionJob = z.output<(typeof provisionJobs)[number]>;
export type FailoverJob = z.output<(typeof failoverJobs)[number]>;
export type AddressClaim = z.output<typeof claimAddress>;
export type FailoverMessage = z.output<typeof failoverMessage>;
/** A job that `plan` makes and `execute` runs. */
export type PlannedJob = ProvisionJob | FailoverJob;
export type HealthCheckJob = z.output<(typeof healthCheckJobs)[number]>;
export type ProvisionMessage = z.output<typeof provisionMessage>;

export type JobKind = PlannedJob['kind'];
export type JobOf<K extends JobKind> = Extract<PlannedJob, { kind: K }>;

export type QueueName = 'health-check' | 'provision' | 'failover';

const SCHEMA = { 'health-check': healthCheckMessage, provision: provisionMessage, failover: failoverMessage } as const;
export type MessageOf<Q extends QueueName> = z.output<(typeof SCHEMA)[Q]>;

/** Longest body that is read; SQS takes no more bytes. */
export const MESSAGE_MAX_CHARS = 262_144;

/**
 * Decodes the body of one message of a queue.
 * Never throws: a body that is not JSON, of an unknown kind or with a wrong field comes back as problems
 * that name the field, the value and what was expected.
 */
export function decodeMessage<Q extends QueueName>(queue: Q, body: string): Parsed<MessageOf<Q>> {
  if (body.length > MESSAGE_MAX_CHARS)
    return { ok: false, problems: [`body: expected at most ${MESSAGE_MAX_CHARS} characters; got ${body.length}`] };
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return { ok: false, problems: [`body: expected JSON; got ${inPlain(JSON.stringify(body.slice(0, 60)))}`] };
  }
  const result = SCHEMA[queue].safeParse(json);
  if (result.success) return { ok: true, value: result.data as MessageOf<Q> };
  return { ok: false, problems: problemsOf(result.error, json) };
}

/**
 * Kinds that take something out of service or change a quorum: at most one of them a cluster in flight.
 * Not among them: what only touches a node that is dead already (a restart, the move of its address), what only adds, and an address
 * that one balancer gives to the other: that has a rule of its own, one at a time while the pair is quiet.
 * A configuration is one where taking it restarts a member that serves.
 */
const DISRUPTIVE: ReadonlySet<JobKind> = new Set(['terminateNode', 'reconfigReplicaSet', 'stepDownPrimary', 'forceReplicaSet']);

/** Whether a job counts against the one disruption a cluster may have in flight. */
export function isDisruptive(job: PlannedJob): boolean {
  return DISRUPTIVE.has(job.kind) || (job.kind === 'applyConfig' && job.role === 'mongo' && job.restarts === true);
}

/** Which queue carries a planned job. */
export function queueOf(job: PlannedJob): QueueName {
  return job.kind === 'moveAddress' ? 'failover' : 'provision';
}

/** The spec: what a cluster should be. One zod schema gives the type, the defaults and the errors; it never reads or writes a spec. */
import * as z from 'zod';
import { type EnablerSpec, enablersSpec, problemsOfEnablers } from './catalogue/enablers-spec';
import { unknownVersions, versionConflicts } from './catalogue/version-problems';
import { compareVersions, MONGO_USUAL } from './catalogue/versions';
import { descriptorsNeeded, FILE_DESCRIPTORS_MAX, orionSettings } from './config/orion-sizing';
import { CLUSTER_NAME, CLUSTER_NAME_RULE, type EnablerRole, isEnabler, type Role } from './names';

const instanceType = z.string().regex(/^[a-z][a-z0-9-]{0,15}\.[a-z0-9-]{1,16}$/, 'expected an EC2 instance type such as t3.small');

const policy = z.strictObject({
  /** Bad probes in a row before a node is called dead; EC2 saying terminated needs none. */
  deadAfterChecks: z.int().min(2).max(30).default(3),
  /** And the time the bad probes must span, seconds. */
  deadAfterS: z.int().min(1).max(600).default(15),
  /** The same for a broker that takes connections and answers none: it may be load, which a restart makes worse, seconds. */
  stalledAfterS: z.int().min(1).max(3600).default(120),
  /** Good probes in a row before a suspect or dead node is called healthy again. */
  healthyAfterChecks: z.int().min(1).max(30).default(2),
  /** How long a new node may take until its first good probe, seconds. */
  bootGraceS: z.int().min(10).max(3600).default(300),
  /** Restarts of one broker before it is replaced. */
  restartsBeforeReplace: z.int().min(0).max(5).default(1),
  /**
   * How long a broker's last requests may take once the balancers sent it the last one, seconds; then it is stopped without them.
   * A balancer gives its connections of before no more than 60 s either. 0: they are not waited for.
   */
  drainMaxS: z.int().min(0).max(60).default(30),
  /** Rest of a slot after a replacement, seconds. */
  slotCooldownS: z.int().min(0).max(3600).default(60),
  /** Share of nodes not healthy by probe above which nothing is replaced. */
  breakerShare: z.number().min(0.1).max(1).default(0.5),
  /** A joining member may vote once its lag stayed at or below this, seconds. */
  mongoLagMaxS: z.int().min(1).max(600).default(10),
  /** And for how long it must have stayed there, seconds. */
  mongoCaughtUpForS: z.int().min(1).max(600).default(3),
  /** A member that is neither primary nor a caught-up secondary for so long is replaced itself, seconds; its votes stay until then. */
  mongoSyncMaxS: z.int().min(60).max(604_800).default(21_600),
});

/** The way in: which addresses clients use, and how fast the balancers notice each other's silence. */
const entry = z.strictObject({
  /**
   * `active-passive`: one address, held by one balancer, the other waits. `active-active`: one address a balancer, both serve: twice the
   * throughput while both are well, for clients that use both addresses (two DNS records, say). A dead balancer's address goes to the
   * other one, which then carries all, and returns once the replacement has been well for `policy.slotCooldownS`; connections through
   * it end at each of these moves. Back to `active-passive`, the second address is given up for good.
   */
  mode: z.enum(['active-passive', 'active-active']).default('active-passive'),
  /** Seconds between two VRRP advertisements; a balancer is missed after a little more than three of them. */
  advertIntervalS: z.number().min(0.1).max(10).default(0.3),
  /** `http`: requests are balanced, and repeated where that is safe. `tcp`: connections are, as in the slides; nothing is read or repeated. */
  protocol: z.enum(['http', 'tcp']).default('http'),
});

/**
 * Where a cluster stands between consistency and availability.
 * writeConcern `majority`: an acknowledged write survives the loss of any minority, and waits while no majority lives.
 * 1: acknowledged by the primary alone; a failover may roll it back. 0: not acknowledged at all; any failure may lose it unseen.
 */
export const writeConcern = z.union([z.literal('majority'), z.literal(1), z.literal(0)], {
  error: 'expected "majority", 1 (the primary alone) or 0 (not acknowledged)',
});
/** Which members answer the brokers' reads; all but `primary` may answer with data that is out of date. */
export const readPreference = z.enum(['primary', 'primaryPreferred', 'secondary', 'secondaryPreferred', 'nearest']);

/** What a broker is started with, in place of what follows from its size (config/orion-sizing.ts). */
export const orionOverrides = z.strictObject({
  /** Seconds until a broker learns of subscriptions that another took. */
  subCacheIntervalS: z.int().min(1).max(3600).optional(),
  /** Which requests of one broker wait for each other. */
  mutexPolicy: z.enum(['all', 'read', 'write', 'none']).optional(),
  /** Threads for requests; 0: a thread each. */
  requestPoolSize: z.int().min(0).max(1024).optional(),
  /** Connections to MongoDB. */
  mongoPoolSize: z.int().min(1).max(10_000).optional(),
  /** Connections of clients at a time. */
  maxConnections: z.int().min(1).max(500_000).optional(),
  notificationMode: z.enum(['transient', 'persistent', 'threadpool']).optional(),
  /** Notifications that may wait, and those sent at a time; for `threadpool`. */
  notificationQueue: z.int().min(1).max(1_000_000).optional(),
  notificationThreads: z.int().min(1).max(10_000).optional(),
  /** Files and sockets a broker may have open. */
  fileDescriptors: z.int().min(1024).max(FILE_DESCRIPTORS_MAX).optional(),
});

export const specSchema = z
  .strictObject({
    name: z.string().regex(CLUSTER_NAME, `expected ${CLUSTER_NAME_RULE}`),
    lb: z.strictObject({ count: z.int().min(1).max(2).default(2), instanceType: instanceType.default('t3.small') }).prefault({}),
    entry: entry.prefault({}),
    orion: z
      .strictObject({
        count: z.int().min(1).max(20).default(2),
        min: z.int().min(1).max(20).default(1),
        max: z.int().min(1).max(20).default(10),
        instanceType: instanceType.default('t3.medium'),
        /** Orion's version: decides how it is told about MongoDB (`ORION_MONGO_URI` from 4.0 on). */
        version: z
          .string()
          .regex(/^\d{1,2}\.\d{1,3}\.\d{1,3}$/, 'expected a version such as 4.1.0')
          .default('4.1.0'),
        settings: orionOverrides.optional(),
      })
      .prefault({}),
    mongo: z
      .strictObject({
        count: z
          .int()
          .refine((n) => [1, 3, 5, 7].includes(n), 'expected 1, 3, 5 or 7: a replica set needs an odd number of voters, 7 at most')
          .default(3),
        replicaSet: z
          .string()
          .regex(/^[A-Za-z][A-Za-z0-9_-]{0,31}$/, 'expected a letter, then letters, digits, _ or -')
          .default('orion_rs'),
        writeConcern: writeConcern.default('majority'),
        readPreference: readPreference.default('primary'),
        instanceType: instanceType.default('t3.medium'),
        volumeGib: z.int().min(8).max(16384).default(50),
      })
      .prefault({}),
    /** Further roles, from the catalogue. */
    enablers: enablersSpec.prefault({}),
    policy: policy.prefault({}),
  })
  .superRefine((spec, ctx) => {
    const { count, min, max } = spec.orion;
    if (min > max) ctx.addIssue({ code: 'custom', path: ['orion', 'min'], message: `expected at most orion.max (${max})`, input: min });
    if (count < min || count > max)
      ctx.addIssue({
        code: 'custom',
        path: ['orion', 'count'],
        message: `expected ${min} to ${max} (orion.min to orion.max)`,
        input: count,
      });
    const { fileDescriptors, ...rest } = orionSettings(spec.orion.instanceType, spec.orion.settings);
    if (fileDescriptors <= descriptorsNeeded(rest))
      ctx.addIssue({
        code: 'custom',
        path: ['orion', 'settings', 'fileDescriptors'],
        message: `expected more than ${descriptorsNeeded(rest)}: 5 x ${rest.notificationThreads} notification threads + ${Math.max(rest.requestPoolSize, rest.maxConnections)} connections + ${rest.mongoPoolSize} to MongoDB + 200 others; raise it, or lower those`,
        input: fileDescriptors,
      });
    const { readPreference } = spec.mongo;
    if (readPreference !== 'primary' && compareVersions(spec.orion.version, '4.0.0') < 0)
      ctx.addIssue({
        code: 'custom',
        path: ['mongo', 'readPreference'],
        message: `expected primary: Orion ${spec.orion.version} has no setting for it; take 4.0.0 or later (orion.version), or leave it out`,
        input: readPreference,
      });
    for (const problem of problemsOfEnablers(spec)) ctx.addIssue({ code: 'custom', ...problem });
  });

export type ClusterSpec = z.output<typeof specSchema>;
export type SpecInput = z.input<typeof specSchema>;
export type Policy = ClusterSpec['policy'];

export type Parsed<T> = { ok: true; value: T } | { ok: false; problems: string[] };

/** Problems go to the log, the journal and a claim: no sender makes them larger than this. */
const PROBLEMS_MAX = 20;
const PROBLEM_MAX_CHARS = 400;
const VALUE_MAX_CHARS = 80;

function shortened(text: string, maxChars: number): string {
  return text.length > maxChars ? `${text.slice(0, maxChars - 3)}...` : text;
}

/** A sender's text as people may read it anywhere: what steers a terminal, hides or is half a character stands as its number. */
export function inPlain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, (char) => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`);
}

/** Value for an error text: short, one line, quotes kept. */
function shown(value: unknown): string {
  try {
    return shortened(JSON.stringify(value) ?? String(value), VALUE_MAX_CHARS);
  } catch {
    return 'a value nested too deep to show';
  }
}

/** What stands at `path` inside `input`; undefined where nothing does. */
function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (at !== null && typeof at === 'object' && Object.hasOwn(at, key) ? (at as Record<PropertyKey, unknown>)[key] : undefined),
    input,
  );
}

/** zod issues as sentences that name the field, its value and what was expected; the first ones, should there be very many. */
export function problemsOf(error: z.ZodError, input: unknown): string[] {
  const problems = error.issues.slice(0, PROBLEMS_MAX).map((issue) => {
    const field = shortened(issue.path.map(String).join('.'), VALUE_MAX_CHARS) || '(whole value)';
    const words = shortened(issue.message, PROBLEM_MAX_CHARS - 2 * VALUE_MAX_CHARS);
    return shortened(inPlain(`${field}: ${words}; got ${shown(valueAt(input, issue.path))}`), PROBLEM_MAX_CHARS);
  });
  const more = error.issues.length - problems.length;
  return more > 0 ? [...problems, `and ${more} more`] : problems;
}

/** Checks a spec whatever MongoDB its members run. Never throws; each problem names field, value and what is allowed. */
export function parseAnySpec(input: unknown): Parsed<ClusterSpec> {
  const result = specSchema.safeParse(input);
  return result.success ? { ok: true, value: result.data } : { ok: false, problems: problemsOf(result.error, input) };
}

/** Checks a spec for the control plane, whose members run one series of MongoDB, and fills its defaults. Never throws. */
export function parseSpec(input: unknown): Parsed<ClusterSpec> {
  const parsed = parseAnySpec(input);
  if (!parsed.ok) return parsed;
  const conflicts = versionConflicts(parsed.value, MONGO_USUAL).map(
    (conflict) =>
      `${conflict}; nodes run MongoDB ${MONGO_USUAL}, a recipe may have another (fiware-ha recipe compose NAME --mongo-version)`,
  );
  const problems = [...unknownVersions(parsed.value), ...conflicts];
  return problems.length > 0 ? { ok: false, problems } : parsed;
}

/** What a valid spec risks, for people to know; empty for the defaults. */
export function warningsOf({ mongo, entry, lb }: ClusterSpec): string[] {
  const warnings: string[] = [];
  if (entry.mode === 'active-active' && lb.count === 1)
    warnings.push('entry.mode: active-active with a single balancer (lb.count 1) is one address, and nobody takes it when that one dies');
  if (mongo.writeConcern === 1)
    warnings.push('mongo.writeConcern: 1 is below "majority": a failover may roll back writes that clients were told are stored');
  if (mongo.writeConcern === 0)
    warnings.push('mongo.writeConcern: 0 is below "majority": writes are not acknowledged, and any failure may lose them unseen');
  if (mongo.readPreference !== 'primary')
    warnings.push(`mongo.readPreference: ${mongo.readPreference} may answer with data that is out of date`);
  if (mongo.count === 1) warnings.push('mongo.count: a single member is no replica set to fail over to: its loss stops the brokers');
  return warnings;
}

/** The default write concern of the replica set; MongoDB takes no 0 there: leaving writes unacknowledged is the client's doing. */
export function defaultWriteConcernOf({ mongo }: ClusterSpec): 'majority' | 1 {
  return mongo.writeConcern === 'majority' ? 'majority' : 1;
}

/** What the spec says of a role of the catalogue; undefined where the cluster has none. */
export function enablerOf(spec: ClusterSpec, role: EnablerRole): EnablerSpec | undefined {
  return spec.enablers[role];
}

/** How many nodes of a role the spec asks for. */
export function countOf(spec: ClusterSpec, role: Role): number {
  return isEnabler(role) ? (enablerOf(spec, role)?.count ?? 0) : spec[role].count;
}

/** What a role's nodes are launched as; undefined where the cluster has none. */
export function instanceTypeOf(spec: ClusterSpec, role: Role): string | undefined {
  return isEnabler(role) ? enablerOf(spec, role)?.instanceType : spec[role].instanceType;
}

/** Elastic IPs the spec asks for: one a balancer (active/active), or one that they share (active/passive). */
export function addressCount({ entry, lb }: ClusterSpec): number {
  return entry.mode === 'active-active' ? lb.count : 1;
}

/** The spec with another count for a role, checked as a whole: a count outside its bounds comes back as problems. */
export function withCount(spec: ClusterSpec, role: Role, count: number): Parsed<ClusterSpec> {
  if (!isEnabler(role)) return parseSpec({ ...spec, [role]: { ...spec[role], count } });
  const enabler = enablerOf(spec, role);
  if (enabler) return parseSpec({ ...spec, enablers: { ...spec.enablers, [role]: { ...enabler, count } } });
  return {
    ok: false,
    problems: [
      `enablers.${role}: expected a role that the cluster has before it is scaled; add it to the spec first (an empty object is the usual one)`,
    ],
  };
}

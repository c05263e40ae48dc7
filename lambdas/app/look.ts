/** Looks: gathers the facts of one cluster from outside, each failure as an unknown. Judges nothing. */
import { serviceEntry } from '../core/catalogue/catalogue';
import type { HttpProbe } from '../core/catalogue/role-entry';
import { type ConfigReport, readConfigReport } from '../core/config-report';
import type { CloudFacts, InstanceFact, NodeProbe, Probes } from '../core/facts';
import type { InFlight, Memory } from '../core/memory';
import { isService, PORT, type ServiceRole } from '../core/names';
import type { JobFact, JobOutcome, JobOutput } from '../core/observation';
import { livingInstances } from '../core/observe';
import { type ClaimState, type Context, PortError } from './ports';

/** EC2's facts of a cluster; null when they could not be read. */
export async function lookAtCloud({ ports }: Context, cluster: string): Promise<CloudFacts | null> {
  const atMs = ports.clock.nowMs();
  try {
    return { atMs, ...(await ports.compute.describeCluster(cluster)) };
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    ports.telemetry.warn('check: EC2 could not be read', { cluster, code: error.code, detail: error.message });
    return null;
  }
}

function adminUrl(ip: string | undefined, what: 'health' | 'config-version' | 'connections'): string {
  return `http://${ip}:${PORT.admin}/fiware-ha/${what}`;
}

const COUNT = /^\d{1,6}$/;

/** Connections that others have to a service, as its node counts them; undefined where it can't say. */
async function countConnections({ ports, settings }: Context, privateIp: string): Promise<number | undefined> {
  const { outcome, body } = await ports.probe.http(adminUrl(privateIp, 'connections'), settings.probeTimeoutMs);
  return outcome.is === 'ok' && COUNT.test(body.trim()) ? Number(body) : undefined;
}

/** What a service answers to its entry's questions; the second one, where there is one, tells of its database. */
async function askService({ ports, settings }: Context, role: ServiceRole, privateIp: string | undefined) {
  const { health, ports: own } = serviceEntry(role);
  const ask = ({ port, path, headers }: HttpProbe) =>
    ports.probe.http(`http://${privateIp}:${own[port]}${path}`, settings.probeTimeoutMs, headers);
  const [process, truth] = await Promise.all([ask(health.process), health.truth ? ask(health.truth) : undefined]);
  return { process: process.outcome, ...(truth ? { database: truth.outcome } : {}) };
}

/** One node over the network, in its role's own way; of one that is drained also how many still use it. */
export async function probeNode(context: Context, fact: InstanceFact, memory?: Pick<Memory, 'draining'>): Promise<NodeProbe> {
  const { ports, settings } = context;
  const { probe, clock } = ports;
  const { privateIp, role } = fact;
  const timeoutMs = settings.probeTimeoutMs;
  const atMs = clock.nowMs();
  const asked = probe.http(adminUrl(privateIp, 'config-version'), timeoutMs);
  // A node that tells nothing is none the worse for it.
  const report = async (): Promise<ConfigReport> => {
    const { outcome, body } = await asked;
    return outcome.is === 'ok' ? readConfigReport(body) : {};
  };
  if (role === 'mongo') {
    const { outcome, hello } = await probe.hello(`${privateIp}:${PORT.mongo}`, timeoutMs);
    return { role, atMs, process: outcome, ...(hello ? { hello } : {}), ...(await report()) };
  }
  if (isService(role)) {
    const answers = await askService(context, role, privateIp);
    // After the others, whose own connections would count; and only where somebody waits for the answer.
    const isDrained = privateIp !== undefined && memory?.draining?.instanceId === fact.instanceId;
    const connections = isDrained ? await countConnections(context, privateIp) : undefined;
    const counted = connections === undefined ? {} : { connections };
    return { role, atMs, ...answers, ...counted, ...(await report()) };
  }
  const second = fact.secondaryIps?.[0];
  const [{ outcome }, secondary] = await Promise.all([
    probe.http(adminUrl(privateIp, 'health'), timeoutMs),
    second ? probe.http(adminUrl(second, 'health'), timeoutMs) : undefined,
  ]);
  return { role, atMs, process: outcome, ...(secondary ? { secondary: secondary.outcome } : {}), ...(await report()) };
}

/** All nodes of a cluster that run and have an address, side by side. */
export async function probeNodes(context: Context, cloud: CloudFacts, memory: Memory): Promise<Probes> {
  const running = livingInstances(cloud, memory).filter((fact) => fact.state === 'running' && fact.privateIp);
  const probes = await Promise.all(running.map(async (fact) => [fact.instanceId, await probeNode(context, fact, memory)] as const));
  return Object.fromEntries(probes);
}

/** A node script's words for "this will never work" and "not installed yet" (sysexits.h). */
const EX_DATAERR = 65;
const EX_TEMPFAIL = 75;

function reasonOf(outcome: { detail: string; exitCode: number | null; output?: Record<string, unknown> }): string {
  const said = outcome.output?.error;
  return typeof said === 'string' ? said : `${outcome.detail} (exit code ${outcome.exitCode ?? 'unknown'})`;
}

/** What a script reported that a later plan needs. */
function outputOf({ configVersion, nextMemberId }: Record<string, unknown>): JobOutput {
  return {
    ...(typeof configVersion === 'string' ? { configVersion } : {}),
    ...(Number.isSafeInteger(nextMemberId) ? { nextMemberId: Number(nextMemberId) } : {}),
  };
}

/** How a command on a node ended; the scripts print one JSON line with `ok`, and for the replica set an `outcome`. */
async function lookAtCommand({ ports }: Context, instanceId: string, commandId: string): Promise<JobOutcome> {
  try {
    const outcome = await ports.commands.outcome(instanceId, commandId);
    if (outcome.is === 'running') return { is: 'running' };
    const { output } = outcome;
    if (outcome.is === 'succeeded' && output?.ok === true) return { is: 'done', output: outputOf(output) };
    if (outcome.is === 'failed' && outcome.exitCode === EX_TEMPFAIL) return { is: 'waiting', reason: reasonOf(outcome) };
    const reason = outcome.is === 'failed' ? reasonOf(outcome) : String(output?.error ?? 'the script reported no success');
    if (output?.outcome === 'stale' || output?.outcome === 'refused') return { is: output.outcome, reason };
    if (outcome.is === 'failed' && outcome.exitCode === EX_DATAERR) return { is: 'refused', reason };
    return { is: 'failed', reason };
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    if (error.code === 'notFound') return { is: 'failed', reason: `command ${commandId} is unknown on ${instanceId}` };
    return { is: 'running' };
  }
}

async function outcomeOf(context: Context, claim: ClaimState | undefined): Promise<JobOutcome> {
  if (!claim) return { is: 'unclaimed' };
  if (claim.is === 'running')
    return claim.commandId && claim.instanceId ? lookAtCommand(context, claim.instanceId, claim.commandId) : { is: 'running' };
  if (claim.is === 'done') return { is: 'done', ...(claim.output ? { output: claim.output } : {}) };
  return { is: claim.is, reason: claim.reason, ...(claim.zoneFull ? { zoneFull: claim.zoneFull } : {}) };
}

/** How the jobs in flight stand. A claim store that can't be read leaves them as they are. */
export async function lookAtJobs(context: Context, inFlight: Record<string, InFlight>): Promise<JobFact[]> {
  const keys = Object.keys(inFlight);
  if (keys.length === 0) return [];
  const { claims, clock } = context.ports;
  const states = await claims.readMany(keys);
  return Promise.all(
    Object.entries(inFlight).map(async ([key, { job }]) => ({ job, outcome: await outcomeOf(context, states[key]), atMs: clock.nowMs() })),
  );
}

/** The replica set as its members report it: who leads, who votes, who lives. Reads `hello` answers; plans nothing. */
import type { HelloFact } from '../facts';
import type { Memory } from '../memory';
import type { Node } from '../observation';
import { hostOf } from '../slots';
import type { ClusterSpec } from '../spec';

export interface Member {
  host: string;
  votes: boolean;
  /** The node behind the host; absent where none is left. */
  node?: Node;
  living: boolean;
  /** It lives and is the primary or a SECONDARY: it holds the set's data and counts for its writes. */
  serving: boolean;
}

export interface MongoView {
  /** Somebody knows a replica set, or it was initiated once. */
  initiated: boolean;
  /** The primary, when exactly the newest configuration has one. */
  primary?: { node: Node; hello: HelloFact; host: string };
  setVersion: number;
  members: Member[];
  votersLiving: number;
  voters: number;
  /** Living voters are more than half of all voters. */
  majority: boolean;
  /** A majority of voters report the primary's configuration: no election can bring an older one back. */
  committed: boolean;
}

/** `hello` of a node; only a mongo node that answered has one. */
export function helloOf(node: Node): HelloFact | undefined {
  return node.probe?.role === 'mongo' ? node.probe.hello : undefined;
}

/** A majority of n voters. */
export function majorityOf(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/**
 * Whose configuration counts: a writable primary's before others' (of two, the one elected later: the earlier has not noticed yet),
 * else the one with the higher version.
 */
function isNewer(a: HelloFact, b: HelloFact): boolean {
  if (a.isWritablePrimary !== b.isWritablePrimary) return a.isWritablePrimary;
  const [idA, idB] = [a.electionId ?? '', b.electionId ?? ''];
  return idA === idB ? (a.setVersion ?? 0) > (b.setVersion ?? 0) : idA > idB;
}

function memberOf(host: string, votes: boolean, node: Node | undefined): Member {
  const hello = node && helloOf(node);
  const living = node !== undefined && (node.health.health === 'healthy' || (node.health.health === 'suspect' && hello !== undefined));
  const serving = living && (hello?.isWritablePrimary === true || hello?.secondary === true);
  return { host, votes, living, serving, ...(node ? { node } : {}) };
}

/** Joins all `hello` answers to one view. */
export function viewReplicaSet(spec: ClusterSpec, nodes: readonly Node[], memory: Memory): MongoView {
  const byHost = new Map<string, Node>();
  let best: HelloFact | undefined;
  let bestNode: Node | undefined;
  for (const node of nodes) {
    if (node.fact.role !== 'mongo') continue;
    const host = hostOf(node);
    if (host) byHost.set(host, node);
    const hello = helloOf(node);
    if (hello?.setName !== spec.mongo.replicaSet) continue;
    if (!best || isNewer(hello, best)) {
      best = hello;
      bestNode = node;
    }
  }
  const member = (host: string, votes: boolean): Member => memberOf(host, votes, byHost.get(host));
  const members = best ? [...best.hosts.map((host) => member(host, true)), ...best.passives.map((host) => member(host, false))] : [];
  const voters = members.filter((m) => m.votes);
  const votersLiving = voters.filter((m) => m.living).length;
  const running = voters.filter((m) => m.node && helloOf(m.node)?.setName && helloOf(m.node)?.setVersion === best?.setVersion).length;
  const view: MongoView = {
    initiated: best !== undefined || memory.replicaSetInitiated,
    setVersion: best?.setVersion ?? 0,
    members,
    votersLiving,
    voters: voters.length,
    committed: voters.length > 0 && running >= majorityOf(voters.length),
    majority: voters.length > 0 && votersLiving >= majorityOf(voters.length),
  };
  const host = bestNode ? hostOf(bestNode) : undefined;
  if (best?.isWritablePrimary && bestNode && host) view.primary = { node: bestNode, hello: best, host };
  return view;
}

/** One simulated instance: its EC2 side and what runs on it. State only; the world changes it. */
import type { InstanceFact } from '../lambdas/core/facts';
import type { NodeConfig } from '../lambdas/core/node-config';
import type { Member } from './replica-set/member';

export interface SimNode {
  fact: InstanceFact;
  /** EC2's reads show the node from then on, and until it was terminated for long, ms. */
  visibleFromMs: number;
  forgottenAtMs: number;
  /** SSM agent and node scripts are there from then on, ms. */
  readyAtMs: number;
  /** The node answers nobody, though EC2 says that it runs. */
  hung: boolean;
  /** Every answer of it comes so much later, ms. */
  slowMs?: number;
  /** Nothing can be written any more: no configuration is taken, and a mongod does not start. */
  diskFull?: true;
  /** Its clock is off by so much, ms. */
  skewMs?: number;
  /** What reads of EC2 still show of it, and until when, ms. */
  stale?: { fact: InstanceFact; untilMs: number };
  /** Its driver has given the database up for good: only a restart makes it try again. */
  lostDatabase?: true;
  /** A member on it never finishes its initial sync. */
  neverSyncs?: true;
  /** none: never configured. dead: it ran and does no more. */
  process: 'none' | 'running' | 'dead';
  /** How often its process was started. */
  starts: number;
  /** Requests of clients that run on it now. */
  requests: number;
  /** The process answers from then on, ms. */
  servesFromMs: number;
  config?: NodeConfig;
  configVersion?: string;
  /** The file that somebody edited since that was applied. */
  edited?: string;
  member?: Member;
}

/** Whether the instance itself is up, reachable or not. */
export function isUp(node: SimNode): boolean {
  return node.fact.state === 'running' && !node.hung;
}

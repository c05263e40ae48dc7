/** What a chaos scenario is: what it does to a cluster, and what must hold meanwhile and after. Types only. */
import type { QueueName } from '../../lambdas/core/jobs';
import type { SlotSummary, StatusSummary } from '../../lambdas/core/memory';
import type { OperatorPorts } from '../../lambdas/runtime';
import type { Clients } from '../clients';
import type { ReadStatus } from '../cluster-eye';

/** What a client may feel at most, and how long the cluster may take. Each scenario says in a comment why it is so much. */
export interface Bounds {
  /** Longest time without one good answer, s. */
  gapS: number;
  /** How many seconds may have had a failed request in them. */
  disturbedS: number;
  /** From the fault, or from the moment it was taken away by hand, until the cluster is whole, s. */
  repairedS: number;
}

/** A node that fills a slot. */
export type Victim = SlotSummary & { instanceId: string; privateIp: string };

/** How a job enqueued by hand may end. */
export type JobEnd = 'done' | 'stale' | 'refused';

export interface Enqueued {
  /** For people. */
  what: string;
  /** The claim that tells how it ended. */
  claimKey: string;
  /** How it must end. */
  must: JobEnd;
}

/** What a scenario acts with. */
export interface Stage {
  cluster: string;
  /** The whole cluster, right before. */
  status: StatusSummary;
  read: ReadStatus;
  ports: OperatorPorts;
  /** This machine as the nodes see it: where the control plane's probes come from. */
  gateway: string;
  clients: Clients;
  say: (line: string) => void;
  /** The scenario harms this node: the address may leave it, and it may be replaced. Any other holder is healthy and keeps its address. */
  harms: (instanceId: string) => void;
  /** The repair's time counts from now on: the fault was taken away by hand, or comes only now. */
  repairCountsFromNow: () => void;
  /** Enqueues a raw message; `job` says how it must end. */
  enqueue: (queue: QueueName, body: Record<string, unknown>, job: Enqueued | null, delayS?: number) => Promise<void>;
}

export interface Scenario {
  /** Kebab-case; what `--only` takes. */
  name: string;
  /** One line for people. */
  does: string;
  bounds: Bounds;
  /** No node may be replaced for it: nobody is dead. */
  keepsNodes?: true;
  act: (stage: Stage) => Promise<void>;
}

/** What a contract suite runs against: a set of ports and a way to let time pass. Names and waiting; holds no assertion. */
import { afterAll, beforeAll } from '@jest/globals';
import type { Ports } from '../../lambdas/app/ports';

/**
 * Where a subject is known to differ from AWS; the cases are shown as skipped, never left out silently.
 * clientToken: RunInstances starts a second instance for the same token. reassociationGuard: AssociateAddress takes an address
 * from its holder although AllowReassociation is false. freedByTermination: an address keeps pointing to its terminated holder.
 * privateAddresses: instances list no interface, no further private address can be had, and an association names none.
 */
export type Gap = 'clientToken' | 'reassociationGuard' | 'freedByTermination' | 'privateAddresses';

export interface Subject {
  ports: Ports;
  /** Lets time pass, ms: real time, or virtual. */
  pass(ms: number): Promise<void>;
  /** Zones that take launches, at least one. */
  zones: string[];
  instanceType: string;
  /** Messages of a queue nobody else reads, decoded; they count as read. Absent where something consumes them. */
  receive?(queue: 'provision'): Promise<unknown[]>;
}

/** A suite's way to its subject: opened once before its tests, closed after them. */
export interface SubjectSource {
  name: string;
  gaps?: readonly Gap[];
  open(): Promise<Subject>;
  close?(): Promise<void>;
}

/** Opens a suite's subject before its tests and closes it after them. */
export function opened(source: SubjectSource): () => Subject {
  let subject: Subject | undefined;
  beforeAll(async () => {
    subject = await source.open();
  });
  afterAll(() => source.close?.());
  return () => {
    if (!subject) throw new Error(`${source.name} was not opened`);
    return subject;
  };
}

let names = 0;
const START = Date.now().toString(36);

/** A cluster name no other test uses, also where state outlives the run. */
export function freshName(): string {
  return `t${START}${(names++).toString(36)}`;
}

const POLL_MS = 500;

/** Asks again until `isGood`, because EC2's reads are late; answers what was seen last. */
export async function eventually<T>(subject: Subject, ask: () => Promise<T>, isGood: (seen: T) => boolean, withinMs = 60_000): Promise<T> {
  let seen = await ask();
  for (let waitedMs = 0; !isGood(seen) && waitedMs < withinMs; waitedMs += POLL_MS) {
    await subject.pass(POLL_MS);
    seen = await ask();
  }
  return seen;
}

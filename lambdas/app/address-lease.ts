/**
 * One worker at a time moves the addresses of a cluster: EC2 compares no holder when it associates, and its reads are late. Takes a lease
 * for it, and tells on it who was given which address last. Moves nothing itself.
 */
import type { CloudFacts } from '../core/facts';
import { type Context, type Lease, PortError } from './ports';
import type { Result } from './result';

/** How long a worker has the addresses for itself; one that died keeps others off no longer, ms. */
const LEASE_MS = 20_000;
/** So long into its lease a worker associates nothing any more: the call takes time as well, and clocks differ, ms. */
const ACTS_WITHIN_MS = 10_000;
/** EC2's reads may name the holder of before for so long after a move, ms. */
const SEEN_WITHIN_MS = 30_000;

type Seen = Omit<CloudFacts, 'atMs'>;
/** Who was given an address, by allocation id. */
type Moves = Record<string, { to: string; atMs: number }>;

/** The lease of a worker that has it. */
export class AddressLease {
  private readonly moves: Moves;
  private hasNews = false;
  private isUnknown = false;

  constructor(
    private readonly context: Context,
    private readonly name: string,
    private readonly lease: Lease,
  ) {
    const moves: Moves = lease.note === undefined ? {} : JSON.parse(lease.note);
    this.moves = Object.fromEntries(Object.entries(moves).filter(([, { atMs }]) => this.nowMs - atMs <= SEEN_WITHIN_MS));
  }

  private get nowMs(): number {
    return this.context.ports.clock.nowMs();
  }

  /** What EC2 tells, with the holders of moves a moment ago where its reads still name others; it frees an address by itself. */
  correct(seen: Seen): Seen {
    const holderOf = (allocationId: string, holder: string) => this.moves[allocationId]?.to ?? holder;
    const addresses = seen.addresses.map((address) =>
      address.holder === undefined ? address : { ...address, holder: holderOf(address.allocationId, address.holder) },
    );
    return { ...seen, addresses };
  }

  /** Why nothing may be associated any more; undefined while it may. */
  whyTooLate(): string | undefined {
    const tookMs = this.nowMs - (this.lease.untilMs - LEASE_MS);
    return tookMs > ACTS_WITHIN_MS ? `the looks took ${tookMs} ms, ${ACTS_WITHIN_MS} at most: what they saw is old` : undefined;
  }

  /** Associates an address, and remembers it; without an answer it may have come to pass. */
  async associate(allocationId: string, to: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof PortError) || error.code === 'unavailable') this.isUnknown = true;
      throw error;
    }
    this.moves[allocationId] = { to, atMs: this.nowMs };
    this.hasNews = true;
  }

  /** Ends the lease; where that fails, or it is not known who has the address, it ends by itself, as when the worker had died. */
  async giveBack(): Promise<void> {
    if (this.isUnknown) return;
    const { leases, telemetry } = this.context.ports;
    try {
      await leases.end(this.name, this.lease.untilMs, this.hasNews ? JSON.stringify(this.moves) : undefined);
    } catch (error) {
      if (!(error instanceof PortError)) throw error;
      telemetry.warn('a lease was not given back; it ends by itself', { name: this.name, code: error.code, detail: error.message });
    }
  }
}

/** Runs `act` under the lease of the cluster's addresses, `prepare` beside its taking; `waiting` while another worker has it. */
export async function underLease<P>(
  context: Context,
  cluster: string,
  prepare: () => Promise<P>,
  act: (prepared: P, lease: AddressLease) => Promise<Result>,
): Promise<Result> {
  const { leases, clock } = context.ports;
  const name = `addresses/${cluster}`;
  const [taken, prepared] = await Promise.allSettled([leases.take(name, clock.nowMs(), LEASE_MS), prepare()]);
  if (taken.status === 'rejected') throw taken.reason;
  if (taken.value === null) return { is: 'waiting', reason: `another worker is about to move an address of ${cluster}` };
  const lease = new AddressLease(context, name, taken.value);
  try {
    if (prepared.status === 'rejected') throw prepared.reason;
    return await act(prepared.value, lease);
  } finally {
    await lease.giveBack();
  }
}

/**
 * One worker at a time moves an address: EC2 compares no holder when it associates, and its reads are late. Takes a lease for it, and
 * tells on it who was given the address last. Moves nothing itself.
 */
import type { CloudRead } from '../core/facts';
import { type Context, type Lease, PortError } from './ports';
import type { Result } from './result';

/** How long a worker has the address for itself; one that died keeps others off no longer, ms. */
const LEASE_MS = 20_000;
/** So long into its lease a worker associates nothing any more: the call takes time as well, and clocks differ, ms. */
const ACTS_WITHIN_MS = 10_000;
/** EC2's reads may name the holder of before for so long after a move, ms. */
const SEEN_WITHIN_MS = 30_000;

/** The lease of a worker that has it. */
export class AddressLease {
  private news: string | undefined;
  private isUnknown = false;

  constructor(
    private readonly context: Context,
    private readonly allocationId: string,
    private readonly lease: Lease,
  ) {}

  private get nowMs(): number {
    return this.context.ports.clock.nowMs();
  }

  /** What EC2 tells, with the holder of a move a moment ago where its reads still name another; it frees an address by itself. */
  correct(seen: CloudRead): CloudRead {
    const last: { to: string; atMs: number } | undefined = this.lease.note === undefined ? undefined : JSON.parse(this.lease.note);
    if (!last || this.nowMs - last.atMs > SEEN_WITHIN_MS) return seen;
    const addresses = seen.addresses.map((address) =>
      address.allocationId === this.allocationId && address.holder !== undefined ? { ...address, holder: last.to } : address,
    );
    return { ...seen, addresses };
  }

  /** Why nothing may be associated any more; undefined while it may. */
  whyTooLate(): string | undefined {
    const tookMs = this.nowMs - (this.lease.untilMs - LEASE_MS);
    return tookMs > ACTS_WITHIN_MS ? `the look took ${tookMs} ms, ${ACTS_WITHIN_MS} at most: what it saw is old` : undefined;
  }

  /** Associates the address, and remembers it; without an answer it may have come to pass. */
  async associate(to: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof PortError) || error.code === 'unavailable') this.isUnknown = true;
      throw error;
    }
    this.news = JSON.stringify({ to, atMs: this.nowMs });
  }

  /** Ends the lease; where that fails, or it is not known who has the address, it ends by itself, as when the worker had died. */
  async giveBack(): Promise<void> {
    if (this.isUnknown) return;
    const { leases, telemetry } = this.context.ports;
    try {
      await leases.end(nameOf(this.allocationId), this.lease.untilMs, this.news);
    } catch (error) {
      if (!(error instanceof PortError)) throw error;
      const { code, message: detail } = error;
      telemetry.warn('a lease was not given back; it ends by itself', { allocationId: this.allocationId, code, detail });
    }
  }
}

function nameOf(allocationId: string): string {
  return `address/${allocationId}`;
}

/** Runs `act` under the lease of an address, `prepare` beside its taking; `waiting` while another worker has it. */
export async function underLease<P>(
  context: Context,
  allocationId: string,
  prepare: () => Promise<P>,
  act: (prepared: P, lease: AddressLease) => Promise<Result>,
): Promise<Result> {
  const { leases, clock } = context.ports;
  const [taken, prepared] = await Promise.allSettled([leases.take(nameOf(allocationId), clock.nowMs(), LEASE_MS), prepare()]);
  if (taken.status === 'rejected') throw taken.reason;
  if (taken.value === null) return { is: 'waiting', reason: `another worker is about to move ${allocationId}` };
  const lease = new AddressLease(context, allocationId, taken.value);
  try {
    if (prepared.status === 'rejected') throw prepared.reason;
    return await act(prepared.value, lease);
  } finally {
    await lease.giveBack();
  }
}

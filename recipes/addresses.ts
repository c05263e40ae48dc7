/** The addresses a bare-metal recipe is for: the file people write, and what is wrong with it. Checks values; looks nothing up. */
import * as z from 'zod';
import type { ClusterSpec } from '../lambdas/core/spec';
import { type Parsed, problemsOf } from '../lambdas/core/spec';
import { balancersOf, membersOf, partsOf, slotsOfPart } from './cluster';

const BYTE = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const IPV4 = `(?:${BYTE}\\.){3}${BYTE}`;
/** An address with the bits of its network. */
export const IPV4_CIDR = new RegExp(`^${IPV4}/(?:[89]|[12]\\d|30)$`);
const ip = z.string().regex(new RegExp(`^${IPV4}$`), 'expected an IPv4 address such as 192.168.0.100');

const addressesSchema = z.strictObject({
  /** The address that clients know; the balancer that leads holds it. */
  virtual: ip,
  /** Bits of the network all of them are in. */
  prefix: z.int().min(8).max(30).default(24),
  /** Network interface of the balancers. */
  interface: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9.-]{0,14}$/, 'expected the name of a network interface such as eth0')
    .default('eth0'),
  /** Address of each slot. */
  nodes: z.record(z.string(), ip),
});

export type Addresses = z.output<typeof addressesSchema>;

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function inNetwork(address: string, { virtual, prefix }: Addresses): boolean {
  const size = 2 ** (32 - prefix);
  return Math.floor(numberOf(address) / size) === Math.floor(numberOf(virtual) / size);
}

/** Slots of a spec, balancers first. */
export function slotsOf(spec: ClusterSpec): string[] {
  return [...balancersOf(spec), ...partsOf(spec).flatMap(slotsOfPart), ...membersOf(spec)];
}

/** Two slots at one address, or one at the virtual address. */
function collisions({ virtual, nodes }: Addresses): string[] {
  const holder = new Map([[virtual, 'virtual, which a balancer holds beside its own']]);
  return Object.entries(nodes).flatMap(([slot, address]) => {
    const other = holder.get(address);
    if (other === undefined) holder.set(address, `nodes.${slot}`);
    return other === undefined
      ? []
      : [
          `nodes.${slot}: expected an address of its own; got "${address}", which is that of ${other}; give ${slot} another machine or address`,
        ];
  });
}

/** Checks an addresses file against the spec it is for. Never throws; each problem names field, value and what helps. */
export function parseAddresses(input: unknown, spec: ClusterSpec): Parsed<Addresses> {
  const parsed = addressesSchema.safeParse(input);
  if (!parsed.success) return { ok: false, problems: problemsOf(parsed.error, input) };
  const { nodes } = parsed.data;
  const wanted = slotsOf(spec);
  const missing = wanted.filter((slot) => !Object.hasOwn(nodes, slot));
  const surplus = Object.keys(nodes).filter((slot) => !wanted.includes(slot));
  const strangers = balancersOf(spec).filter((slot) => nodes[slot] !== undefined && !inNetwork(nodes[slot], parsed.data));
  const problems = [
    ...missing.map((slot) => `nodes.${slot}: expected its address; got none, and the spec asks for it; add it, or lower the count`),
    ...surplus.map(
      (slot) =>
        `nodes.${slot}: expected only slots of the spec (${wanted.join(', ')}); got ${slot}: remove it, or raise the count in the spec`,
    ),
    ...strangers.map(
      (slot) =>
        `nodes.${slot}: expected an address in the network of virtual (${parsed.data.virtual}/${parsed.data.prefix}), or it could not hold it; got "${nodes[slot]}"`,
    ),
    ...collisions(parsed.data),
  ];
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: parsed.data };
}

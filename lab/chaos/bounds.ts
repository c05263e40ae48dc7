/** Bounds that scenarios share. Values only. */

/**
 * Nothing of a client's was touched. Two clients, ten nodes, the emulator and the functions share the machine's cores, though: an answer
 * may come late now and then, which is no outage of the cluster's.
 */
export const UNFELT = { gapS: 2, disturbedS: 3 } as const;

/**
 * MongoDB's election timeout is 10 s; then a vote, which may be tied once and taken again, and the brokers look for the new primary every
 * 2 s. Once most members that the brokers were told of are gone, the brokers are told of the others and restart in turn: 5 s of some
 * failures each, a known limit.
 */
export const ELECTED = { gapS: 24, disturbedS: 36 } as const;

/** The simulation's one source of chance: a seed gives the same run every time. Never asks the machine for randomness. */

export type Random = () => number;

/** Numbers in [0, 1) from a seed (mulberry32 by Tommy Ettinger, public domain). */
export function makeRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A number between two bounds. */
export function between(random: Random, min: number, max: number): number {
  return min + random() * (max - min);
}

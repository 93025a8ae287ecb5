// Random values that can be had again: a failing test prints the seed.

/** Each call gives an integer in [0, below). */
export type SeededRandom = (below: number) => number;

/** The mulberry32 generator, enough to choose lengths and bytes. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  return below => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** A source of random bytes that repeats itself from run to run. */
export function seededBytes(random: SeededRandom): (count: number) => Uint8Array {
  return count => Uint8Array.from({ length: count }, () => random(256));
}

/** A seed of the day's own, so that runs differ. */
export function newSeed(): number {
  return Math.floor(Math.random() * 2 ** 32);
}

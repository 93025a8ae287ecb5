// Random values as plain functions; the same in every run with the same seed (see random.ts).

import { newSeed, SeededRandom as Generator } from './random.ts';

export { newSeed };

/** Each call gives an integer in [0, below). */
export type SeededRandom = (below: number) => number;

export function seededRandom(seed: number): SeededRandom {
  const generator = new Generator(seed);
  return below => generator.below(below);
}

/** Bytes of which each is one of `valueCount` values; 256 is noise, 2 repeats itself often. */
export function seededBytes(random: SeededRandom, length: number, valueCount = 256): Uint8Array {
  const bytes = new Uint8Array(new ArrayBuffer(length));
  for (let i = 0; i < length; i++) bytes[i] = random(valueCount);
  return bytes;
}

/** A source of random bytes that repeats itself from run to run. */
export function seededByteSource(random: SeededRandom): (count: number) => Uint8Array {
  return count => seededBytes(random, count);
}

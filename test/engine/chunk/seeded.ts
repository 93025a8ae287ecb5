// Random numbers and bytes that can be had again: a failing test prints the seed.

/** Each call gives an integer in [0, below). */
export type SeededRandom = (below: number) => number;

/** The xorshift generator of 32 bits. */
export function seededRandom(seed: number): SeededRandom {
  let state = (seed | 1) >>> 0;
  return below => {
    state ^= state << 13;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Bytes of which each is one of `valueCount` values; 256 is noise, 2 repeats itself often. */
export function seededBytes(random: SeededRandom, length: number, valueCount = 256): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = random(valueCount);
  return bytes;
}

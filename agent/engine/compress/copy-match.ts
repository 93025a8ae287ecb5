// What LZ4 and S2 have in common: bytes that were decoded before come again.

// Below this a loop is faster than a call into the engine.
const LOOP_BYTES_MAX = 32;

/**
 * Copies `length` bytes that end up at `to` from `offset` bytes before; where the two overlap the
 * pattern repeats. The caller has checked that both lie within `bytes`.
 */
export function copyMatch(bytes: Uint8Array, to: number, offset: number, length: number): void {
  if (offset >= length && length > LOOP_BYTES_MAX) {
    bytes.copyWithin(to, to - offset, to - offset + length);
  } else if (offset === 1) {
    bytes.fill(bytes[to - 1], to, to + length);
  } else {
    const end = to + length;
    for (let at = to; at < end; at++) bytes[at] = bytes[at - offset];
  }
}

/** Copies source[from, from + length) to target[to…]; the caller has checked both ranges. */
export function copyLiterals(
  source: Uint8Array,
  from: number,
  target: Uint8Array,
  to: number,
  length: number,
): void {
  if (length > LOOP_BYTES_MAX) {
    target.set(source.subarray(from, from + length), to);
  } else {
    for (let i = 0; i < length; i++) target[to + i] = source[from + i];
  }
}

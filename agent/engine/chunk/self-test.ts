// Bytes that the fast forms are tried on, once in each thread, before they are trusted.

/** Fills `bytes` with the same noise each time. */
export function fillWithNoise(bytes: Uint8Array): void {
  let state = 1;
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
}

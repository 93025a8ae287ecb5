// Drives a splitter through a stream the way a reader of files does: bytes arrive a few at a time.

import type { Splitter } from '#engine/chunk/splitter.ts';

export interface CutAllOptions {
  /** How many more bytes become available before the next call; all of them by default. */
  readonly step?: () => number;
  /** Where in the arena the next chunk is laid; its start by default. */
  readonly place?: () => number;
}

/** The lengths of all chunks of `stream`. Bytes that are not available yet are not in the arena. */
export function cutAll(splitter: Splitter, stream: Uint8Array, o: CutAllOptions = {}): number[] {
  const lengths: number[] = [];
  for (let start = 0; start < stream.length;) {
    const cut = cutOne(splitter, stream.subarray(start), o);
    lengths.push(cut);
    start += cut;
  }
  return lengths;
}

function cutOne(splitter: Splitter, rest: Uint8Array, o: CutAllOptions): number {
  const { bytes } = splitter.arena;
  const offset = o.place?.() ?? 0;
  const room = bytes.length - offset;
  let available = 0;
  for (;;) {
    const next = Math.min(available + (o.step?.() ?? room), rest.length, room);
    bytes.set(rest.subarray(available, next), offset + available);
    bytes.fill(0, offset + next, Math.min(offset + next + 256, bytes.length));
    available = next;
    const cut = splitter.nextCut(offset, available, available === rest.length);
    if (cut > 0) return cut;
    if (available === room) throw new Error(`no cut in ${room} bytes`);
  }
}

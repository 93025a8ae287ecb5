// In which order the chunks of a section are fetched: pack by pack and front to back, so that each
// byte of a pack comes once, and in ranges, so that neighbours come together. Pure.

import { type ChunkColumns, CHUNK_FLAG, NO_ROW } from './plan-tables.ts';

export interface ChunkRange {
  /** Number of the pack. */
  readonly pack: number;
  /** Bytes of the pack. */
  readonly offset: number;
  readonly length: number;
  /** Which part of the order lies in it. */
  readonly from: number;
  readonly to: number;
}

export interface RangeLimits {
  /** Bytes nobody asked for that are fetched rather than asking twice. */
  readonly gapBytesMax: number;
  /** A range grows no further than this, unless one content alone is longer. */
  readonly rangeBytesMax: number;
  /** Chunks of a range; places of one content are never divided. */
  readonly chunksMax: number;
}

/**
 * The chunks that have to be fetched, by pack and offset; places of one content follow one another.
 */
export function fetchOrder(
  chunks: ChunkColumns,
  count: number,
  isWanted: (chunk: number) => boolean,
): Uint32Array<SharedArrayBuffer> {
  const order = new Uint32Array(new SharedArrayBuffer(count * 4));
  let length = 0;
  for (let chunk = 0; chunk < count; chunk++) {
    const isFetched =
      (chunks.flags[chunk] & CHUNK_FLAG.present) === 0 && chunks.pack[chunk] !== NO_ROW;
    if (isFetched && isWanted(chunk)) order[length++] = chunk;
  }
  const { pack, packOffset } = chunks;
  const wanted = order.subarray(0, length);
  wanted.sort((a, b) => pack[a] - pack[b] || packOffset[a] - packOffset[b] || a - b);
  return wanted;
}

/** Whether two chunks have the same content. */
export function isSameContent(chunks: ChunkColumns, a: number, b: number): boolean {
  return chunks.pack[a] === chunks.pack[b] && chunks.packOffset[a] === chunks.packOffset[b];
}

/** Divides `order` into ranges of packs. */
export function* chunkRanges(
  chunks: ChunkColumns,
  order: Uint32Array,
  limits: RangeLimits,
): Generator<ChunkRange> {
  let from = 0;
  while (from < order.length) {
    const first = order[from];
    const pack = chunks.pack[first];
    const offset = chunks.packOffset[first];
    let end = offset + chunks.packedBytes[first];
    let to = from + 1;
    for (; to < order.length; to++) {
      const next = order[to];
      if (isSameContent(chunks, order[to - 1], next)) continue;
      const start = chunks.packOffset[next];
      const nextEnd = Math.max(end, start + chunks.packedBytes[next]);
      const isContinuing =
        chunks.pack[next] === pack &&
        start - end <= limits.gapBytesMax &&
        nextEnd - offset <= limits.rangeBytesMax &&
        to - from < limits.chunksMax;
      if (!isContinuing) break;
      end = nextEnd;
    }
    yield { pack, offset, length: end - offset, from, to };
    from = to;
  }
}

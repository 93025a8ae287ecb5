// One block of LZ4 (lz4 doc/lz4_Block_format.md): sequences of literals and a match. The last
// sequence has literals only.

import { copyLiterals, copyMatch } from './copy-match.ts';
import { damagedStream } from './stream-errors.ts';

const MATCH_BYTES_MIN = 4;

export interface Lz4Target {
  readonly bytes: Uint8Array;
  /** Matches may reach back to here: the start of the block, or of the frame where blocks link. */
  readonly floor: number;
  /** Nothing is written from here on. */
  readonly ceiling: number;
}

/**
 * Decodes source[start, end) to target.bytes[at…] and returns where the output ends.
 * @throws CONTENT_DAMAGED
 */
export function decodeLz4Block(
  source: Uint8Array,
  start: number,
  end: number,
  target: Lz4Target,
  at: number,
): number {
  const { bytes, floor, ceiling } = target;
  let from = start;
  let to = at;

  function extendedLength(nibble: number): number {
    if (nibble < 15) return nibble;
    let length = nibble;
    let byte = 255;
    while (byte === 255) {
      if (from >= end) throw damagedStream('lz4', 'a block ends within a length');
      byte = source[from++];
      length += byte;
    }
    return length;
  }

  for (;;) {
    if (from >= end) throw damagedStream('lz4', 'a block ends without last literals');
    const token = source[from++];
    const literalBytes = extendedLength(token >>> 4);
    if (literalBytes > end - from) throw damagedStream('lz4', 'a block ends within literals');
    if (literalBytes > ceiling - to) throw damagedStream('lz4', 'a block holds too many bytes');
    copyLiterals(source, from, bytes, to, literalBytes);
    from += literalBytes;
    to += literalBytes;
    if (from === end) return to;
    if (end - from < 2) throw damagedStream('lz4', 'a block ends within an offset');
    const offset = source[from] | (source[from + 1] << 8);
    from += 2;
    const matchBytes = extendedLength(token & 15) + MATCH_BYTES_MIN;
    if (offset === 0 || offset > to - floor) {
      throw damagedStream('lz4', 'a match begins before the data');
    }
    if (matchBytes > ceiling - to) throw damagedStream('lz4', 'a block holds too many bytes');
    copyMatch(bytes, to, offset, matchBytes);
    to += matchBytes;
  }
}

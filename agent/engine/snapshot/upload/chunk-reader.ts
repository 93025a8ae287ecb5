// Reads one chunk of a file into the splitter's memory: as little as it takes to find the cut.
// Holes are not read; the cuts are those of the same bytes without holes.

import type { Splitter } from '#engine/chunk/splitter.ts';
import { CHUNK_OFFSET } from '#engine/object/object-writer.ts';
import { holeEndAt } from '#engine/snapshot/source/holes.ts';
import type { SourceFile, SourceFileSystem } from '#engine/snapshot/source/source-file-system.ts';

/** More than this in one step reads ahead of the cut for nothing, less makes more calls. */
const STEP_BYTES = 1024 * 1024;

export interface ReadChunk {
  /** Bytes of the chunk at CHUNK_OFFSET of the splitter's arena; 0 at the end of the file. */
  readonly length: number;
  /** Whether the file ends with this chunk. */
  readonly isLast: boolean;
  /** Whether it lies in a hole, and is not in the arena. */
  readonly isHole: boolean;
}

export interface ChunkPlace {
  /** Offset of the chunk in the file. */
  readonly start: number;
  /** Offset at which a cut is forced, Number.MAX_SAFE_INTEGER for none. */
  readonly limit: number;
  /** How long the file was when it was opened. */
  readonly fileBytes: number;
  /** Offsets and lengths (holes.ts). */
  readonly holes?: readonly number[];
  /** Where the splitter cuts zeros (zero-chunks.ts). */
  readonly zeroCut?: () => number;
}

/**
 * @throws SOURCE_UNREADABLE
 */
export function readChunk(
  fileSystem: SourceFileSystem,
  file: SourceFile,
  splitter: Splitter,
  place: ChunkPlace,
): ReadChunk {
  const { start, limit, fileBytes, holes } = place;
  if (holes !== undefined && place.zeroCut !== undefined) {
    const hole = chunkInHole(place, holeEndAt(holes, start), place.zeroCut);
    if (hole) return hole;
  }
  splitter.reset();
  const bytesMax = Math.min(splitter.maxBytes, limit - start);
  let available = 0;
  let isEnd = false;
  for (;;) {
    const wanted = Math.min(bytesMax, nextStep(available, splitter.minBytes));
    while (available < wanted && !isEnd) {
      const position = start + available;
      const targetOffset = CHUNK_OFFSET + available;
      let length = wanted - available;
      const end = holes === undefined ? -Infinity : holeEndAt(holes, position);
      if (end > 0) {
        length = Math.min(length, end - position);
        splitter.arena.bytes.fill(0, targetOffset, targetOffset + length);
        available += length;
        continue;
      }
      length = Math.min(length, -end - position);
      const got = fileSystem.read(file, splitter.arena, { targetOffset, length, position });
      available += got;
      // A read that stops where the file is known to end need not be asked for what follows; had
      // the file grown, it would have given more.
      isEnd = got === 0 || (got < length && position + got === fileBytes);
    }
    const isForced = isEnd || start + available === limit;
    const cut = splitter.nextCut(CHUNK_OFFSET, available, isForced);
    if (cut > 0 || isForced) {
      return { length: cut, isLast: isEnd && cut === available, isHole: false };
    }
  }
}

/** The chunk, where it lies altogether in the hole that ends at `holeEnd`. */
function chunkInHole(
  { start, limit, fileBytes }: ChunkPlace,
  holeEnd: number,
  zeroCut: () => number,
): ReadChunk | undefined {
  if (!(holeEnd > start)) return undefined;
  // Zeros go on to the end of the hole; a cut is forced at the limit and at the end of the file.
  const forced = Math.min(limit, holeEnd >= fileBytes ? fileBytes : Infinity);
  const length = Math.min(zeroCut(), forced - start);
  const end = start + length;
  return end > holeEnd ? undefined : { length, isLast: end >= fileBytes, isHole: true };
}

function nextStep(available: number, minBytes: number): number {
  return available === 0 ? minBytes + STEP_BYTES : available + STEP_BYTES;
}

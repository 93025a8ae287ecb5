// Reads one chunk of a file into the splitter's memory: as little as it takes to find the cut.

import type { Splitter } from '#engine/chunk/splitter.ts';
import { CHUNK_OFFSET } from '#engine/object/object-writer.ts';
import type { SourceFile, SourceFileSystem } from '#engine/snapshot/source/source-file-system.ts';

/** More than this in one step reads ahead of the cut for nothing, less makes more calls. */
const STEP_BYTES = 1024 * 1024;

export interface ReadChunk {
  /** Bytes of the chunk at CHUNK_OFFSET of the splitter's arena; 0 at the end of the file. */
  readonly length: number;
  /** Whether the file ends with this chunk. */
  readonly isLast: boolean;
}

export interface ChunkPlace {
  /** Offset of the chunk in the file. */
  readonly start: number;
  /** Offset at which a cut is forced, Number.MAX_SAFE_INTEGER for none. */
  readonly limit: number;
  /** How long the file was when it was opened. */
  readonly fileBytes: number;
}

/**
 * @throws SOURCE_UNREADABLE
 */
export function readChunk(
  fileSystem: SourceFileSystem,
  file: SourceFile,
  splitter: Splitter,
  { start, limit, fileBytes }: ChunkPlace,
): ReadChunk {
  splitter.reset();
  const bytesMax = Math.min(splitter.maxBytes, limit - start);
  let available = 0;
  let isEnd = false;
  for (;;) {
    const wanted = Math.min(bytesMax, nextStep(available, splitter.minBytes));
    while (available < wanted && !isEnd) {
      const length = wanted - available;
      const position = start + available;
      const targetOffset = CHUNK_OFFSET + available;
      const got = fileSystem.read(file, splitter.arena, { targetOffset, length, position });
      available += got;
      // A read that stops where the file is known to end need not be asked for what follows; had
      // the file grown, it would have given more.
      isEnd = got === 0 || (got < length && position + got === fileBytes);
    }
    const isForced = isEnd || start + available === limit;
    const cut = splitter.nextCut(CHUNK_OFFSET, available, isForced);
    if (cut > 0 || isForced) return { length: cut, isLast: isEnd && cut === available };
  }
}

function nextStep(available: number, minBytes: number): number {
  return available === 0 ? minBytes + STEP_BYTES : available + STEP_BYTES;
}

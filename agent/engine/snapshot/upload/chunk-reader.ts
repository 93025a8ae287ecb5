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

/**
 * @param start offset of the chunk in the file
 * @param limit offset at which a cut is forced, Number.MAX_SAFE_INTEGER for none
 * @throws SOURCE_UNREADABLE
 */
export function readChunk(
  fileSystem: SourceFileSystem,
  file: SourceFile,
  splitter: Splitter,
  start: number,
  limit: number,
): ReadChunk {
  splitter.reset();
  const bytesMax = Math.min(splitter.maxBytes, limit - start);
  let available = 0;
  let isEnd = false;
  for (;;) {
    const wanted = Math.min(bytesMax, nextStep(available, splitter.minBytes));
    while (available < wanted && !isEnd) {
      const got = fileSystem.read(file, splitter.arena, {
        targetOffset: CHUNK_OFFSET + available,
        length: wanted - available,
        position: start + available,
      });
      isEnd = got === 0;
      available += got;
    }
    const isForced = isEnd || start + available === limit;
    const cut = splitter.nextCut(CHUNK_OFFSET, available, isForced);
    if (cut > 0 || isForced) return { length: cut, isLast: isEnd && cut === available };
  }
}

function nextStep(available: number, minBytes: number): number {
  return available === 0 ? minBytes + STEP_BYTES : available + STEP_BYTES;
}

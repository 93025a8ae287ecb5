// Stores the content of one small file, read by the thread that has listed it.

import type { Compressor } from '#engine/compress/compressors.ts';
import type { IndirectEntry } from '#engine/format/indirect.ts';
import { CHUNK_OFFSET } from '#engine/object/object-writer.ts';
import { COUNTER } from '#engine/workers/run-control.ts';
import type { SourceFile } from '#engine/snapshot/source/source-file-system.ts';
import { readChunk } from './chunk-reader.ts';
import type { UploadThread } from './upload-thread.ts';

export interface StoredContents {
  readonly objectId: string;
  readonly bytes: number;
}

export interface FileToStore {
  /** As text, for rules of compression; asked for where there are some. */
  readonly name: () => string;
  readonly file: SourceFile;
  /** How long it was when it was opened. */
  readonly fileBytes: number;
  readonly holes?: readonly number[];
}

/** @throws SOURCE_UNREADABLE */
export function storeContents(
  upload: UploadThread,
  { name, file, fileBytes, holes }: FileToStore,
): StoredContents {
  const { splitter, contents, objects } = upload;
  let chunks: IndirectEntry[] = [];
  let compressor: Compressor | undefined;
  let isDecided = false;
  let bytes = 0;
  for (;;) {
    const limit = Number.MAX_SAFE_INTEGER;
    const place = { start: bytes, limit, fileBytes, holes, zeroCut: upload.zeroCut };
    const chunk = readChunk(upload.fileSystem, file, splitter, place);
    if (chunk.length === 0 && bytes > 0) break;
    let objectId: string;
    if (chunk.isHole) {
      objectId = upload.storeZeros(chunk.length);
    } else {
      const { arena } = splitter;
      if (!isDecided && upload.run.compression.kind !== 'none') {
        const start = { arena, offset: CHUNK_OFFSET };
        const named = { name: name(), bytes: fileBytes };
        compressor = upload.compression.choose(named, start, chunk.length);
      }
      isDecided = true;
      contents.write(0, { arena, offset: CHUNK_OFFSET }, chunk.length, compressor);
      objectId = objects.contentId();
      upload.thread.counters[COUNTER.bytesRead] += chunk.length;
    }
    const entry = { start: bytes, length: chunk.length, objectId };
    // Nearly always there is one; an array that is pushed to has room for 17.
    if (chunks.length === 0) chunks = [entry];
    else chunks.push(entry);
    bytes += chunk.length;
    if (chunk.isLast || chunk.length === 0) break;
  }
  return { objectId: objects.writeList(chunks, 0), bytes };
}

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
}

/** @throws SOURCE_UNREADABLE */
export function storeContents(
  upload: UploadThread,
  { name, file, fileBytes }: FileToStore,
): StoredContents {
  const { splitter, contents, objects } = upload;
  const chunks: IndirectEntry[] = [];
  let compressor: Compressor | undefined;
  let bytes = 0;
  for (;;) {
    const place = { start: bytes, limit: Number.MAX_SAFE_INTEGER, fileBytes };
    const chunk = readChunk(upload.fileSystem, file, splitter, place);
    if (chunk.length === 0 && bytes > 0) break;
    const { arena } = splitter;
    if (bytes === 0 && upload.run.compression.kind !== 'none') {
      const start = { arena, offset: CHUNK_OFFSET };
      const named = { name: name(), bytes: fileBytes };
      compressor = upload.compression.choose(named, start, chunk.length);
    }
    contents.write(0, { arena, offset: CHUNK_OFFSET }, chunk.length, compressor);
    chunks.push({ start: bytes, length: chunk.length, objectId: objects.contentId() });
    bytes += chunk.length;
    upload.thread.counters[COUNTER.bytesRead] += chunk.length;
    if (chunk.isLast || chunk.length === 0) break;
  }
  return { objectId: objects.writeList(chunks, 0), bytes };
}

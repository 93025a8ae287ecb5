// Whether a file of the target has the bytes of the snapshot, by the hashes that name its contents.

import type { TargetFile } from '#engine/snapshot/target/target-handle.ts';
import { fileGone } from './open-existing.ts';
import { CHUNK_FLAG } from './plan-tables.ts';
import type { RestoreThread } from './restore-thread.ts';
import { entryName } from './section-rows.ts';

/**
 * Reads the file of a row. Where the first chunk begins that has other bytes; undefined when there
 * is none, as far as can be told: of a compressed object the hash is that of the compressed form.
 * @throws TARGET_NAME_UNSAFE when there is no such file that can be read
 */
export function otherBytesAt(thread: RestoreThread, row: number): number | undefined {
  const { view, fileSystem } = thread;
  const { directory, firstChunk, chunkCount } = view.entries;
  const name = entryName(view, row);
  const options = { allowsSeveralNames: true, access: 'read' } as const;
  const file = fileSystem.openFile(thread.directoryAt(directory[row]), name, options);
  if (file === undefined) throw fileGone(name);
  using opened = file;
  for (let chunk = firstChunk[row]; chunk < firstChunk[row] + chunkCount[row]; chunk++) {
    if ((view.chunks.flags[chunk] & CHUNK_FLAG.compressed) !== 0) continue;
    if (!matchesChunk(thread, opened, chunk)) return view.chunks.offset[chunk];
  }
  return undefined;
}

/**
 * Whether a file holds the bytes of a chunk where the chunk belongs, by the hash that names it.
 * @throws ABORTED when the restore is stopped: a file may be terabytes long
 */
export function matchesChunk(thread: RestoreThread, file: TargetFile, chunk: number): boolean {
  const { view, fileSystem, content } = thread;
  const { chunks, keys, keyBytes } = view;
  thread.throwIfStopped();
  const isComparable = content && (chunks.flags[chunk] & CHUNK_FLAG.compressed) === 0;
  if (!isComparable) return false;
  const length = chunks.bytes[chunk];
  const arena = thread.scratch(length);
  let filled = 0;
  while (filled < length) {
    const position = chunks.offset[chunk] + filled;
    const range = { offset: filled, length: length - filled, position };
    const got = fileSystem.read(file, arena, range);
    if (got === 0) return false;
    filled += got;
  }
  const digest = new Uint8Array(content.hash.digestBytes);
  content.hash.digest(arena, 0, length, digest, 0);
  const key = keys.subarray(chunk * keyBytes + 1, (chunk + 1) * keyBytes);
  return digest.length === key.length && digest.every((byte, index) => byte === key[index]);
}

// Reads a stretch of a file into memory of its own, all of it or not at all.

import type { FileHandle } from 'node:fs/promises';
import { throwIfAborted } from '#engine/base/abort.ts';
import { truncatedError } from './blob-id.ts';
import type { BlobRange } from './storage.ts';

const STEP_BYTES = 8 * 1024 * 1024;

/** @throws STORAGE_BLOB_TRUNCATED the file ends sooner */
export async function readExactly(
  handle: FileHandle,
  id: string,
  range: BlobRange,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  // Not from the pool: the caller may give the memory away to another thread.
  const bytes = Buffer.allocUnsafeSlow(range.length);
  let done = 0;
  while (done < range.length) {
    throwIfAborted(signal);
    const step = Math.min(STEP_BYTES, range.length - done);
    const { bytesRead } = await handle.read(bytes, done, step, range.offset + done);
    if (bytesRead === 0) throw truncatedError(id, range.length, done);
    done += bytesRead;
  }
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

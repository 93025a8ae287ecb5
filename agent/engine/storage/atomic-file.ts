// A file that appears under its name whole and durable, or not at all: written beside its final
// place as `<final>.tmp.<16 hex digits>` (kopia's name for it, so that kopia ignores leftovers),
// synced, then renamed, then the directory synced. The filesystem storage alone uses it.

import { randomBytes } from 'node:crypto';
import { link, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { throwIfAborted } from '#engine/base/abort.ts';
import { systemCodeOf } from '#engine/base/errors.ts';
import { syncDirectory } from './durable-directories.ts';

const FILE_MODE = 0o600;
const STEP_BYTES = 8 * 1024 * 1024;

export interface TemporaryFile {
  readonly path: string;
  readonly handle: FileHandle;
}

/** A new, empty file beside `finalPath`. The caller closes and publishes or removes it. */
export async function createTemporary(finalPath: string): Promise<TemporaryFile> {
  const path = `${finalPath}.tmp.${randomBytes(8).toString('hex')}`;
  return { path, handle: await open(path, 'wx', FILE_MODE) };
}

/** Writes the pieces one after the other. No write is under way when it settles. */
export async function writePieces(
  handle: FileHandle,
  pieces: readonly Uint8Array[],
  signal: AbortSignal | undefined,
): Promise<void> {
  let position = 0;
  let batch: Uint8Array[] = [];
  let batchBytes = 0;
  for (const piece of pieces) {
    for (let offset = 0; offset < piece.length; offset += STEP_BYTES) {
      const part = piece.subarray(offset, offset + STEP_BYTES);
      batch.push(part);
      batchBytes += part.length;
      if (batchBytes < STEP_BYTES) continue;
      await writeAll(handle, batch, position, signal);
      position += batchBytes;
      batch = [];
      batchBytes = 0;
    }
  }
  if (batchBytes > 0) await writeAll(handle, batch, position, signal);
}

/**
 * Gives the temporary file its final name. With `ifAbsent` by a hard link, which the kernel refuses
 * with EEXIST when the name is taken; a rename would replace.
 */
export async function publish(
  temporaryPath: string,
  finalPath: string,
  ifAbsent: boolean,
): Promise<void> {
  if (ifAbsent) {
    await link(temporaryPath, finalPath);
    await rm(temporaryPath, { force: true });
  } else {
    await rename(temporaryPath, finalPath);
  }
  await syncDirectory(dirname(finalPath));
}

/** Syncs what another thread or process wrote to the file. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeAll(
  handle: FileHandle,
  batch: readonly Uint8Array[],
  position: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  let rest = batch;
  let at = position;
  while (rest.length > 0) {
    throwIfAborted(signal);
    const { bytesWritten } = await handle.writev(rest, at);
    at += bytesWritten;
    rest = dropBytes(rest, bytesWritten);
  }
}

function dropBytes(pieces: readonly Uint8Array[], count: number): Uint8Array[] {
  let left = count;
  const rest: Uint8Array[] = [];
  for (const piece of pieces) {
    const gone = Math.min(left, piece.length);
    left -= gone;
    if (gone < piece.length) rest.push(piece.subarray(gone));
  }
  return rest;
}

/** Whether the file system has no hard links (FAT, some FUSE and SMB mounts). */
export function isLinkUnsupported(error: unknown): boolean {
  const code = systemCodeOf(error) ?? '';
  return ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code);
}

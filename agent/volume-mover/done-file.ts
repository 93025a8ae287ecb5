// `.velero/<uid of the restore>` in the root of a restored volume: the init container of the pod
// waits for it (velero 1.18.1 cmd/velero-restore-helper). A `.velero` that is there is left over
// from an earlier restore and goes, as with stock.

import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, rmdir, unlink } from 'node:fs/promises';
import { throwIfAborted } from '#engine/base/abort.ts';
import { EngineError, isEngineError, systemCodeOf } from '#engine/base/errors.ts';
import { beneath, ignoring, openDirectory, removeBeneath } from './open-beneath.ts';

export const DONE_DIRECTORY = '.velero';

const NEW_FILE = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW;
/** Somebody else may make a `.velero` between our removing one and making ours. */
const ATTEMPTS_MAX = 3;

/**
 * Durable on return: the file, its directory and the entry of that. The modification time of the
 * root stays what it was, to the microsecond.
 * @throws TARGET_NOT_WRITABLE, USAGE, ABORTED
 */
export async function writeDoneFile(
  root: string,
  name: string,
  signal?: AbortSignal,
): Promise<void> {
  const writing = inRoot(root, name, async volume => {
    for (let attempt = 1; ; attempt++) {
      throwIfAborted(signal);
      await removeBeneath(volume, DONE_DIRECTORY);
      // A volume that did not answer for long: nobody waits for it any more.
      throwIfAborted(signal);
      try {
        await make(volume, name);
        return;
      } catch (error) {
        if (systemCodeOf(error) !== 'EEXIST' || attempt === ATTEMPTS_MAX) throw error;
      }
    }
  });
  try {
    await writing;
  } catch (error) {
    // A restore that is Failed must not let its pod go on.
    if (!isEngineError(error, 'ABORTED')) await removeDoneFile(root, name).catch(() => undefined);
    throw error;
  }
}

/**
 * Whether it was written, and the pod may have seen it.
 * @throws TARGET_NOT_WRITABLE when that cannot be told, USAGE
 */
export async function hasDoneFile(root: string, name: string): Promise<boolean> {
  requireName(name);
  try {
    await using volume = await openDirectory(root);
    try {
      await using directory = await openDirectory(beneath(volume, DONE_DIRECTORY));
      return (await lstat(beneath(directory, name))).isFile();
    } catch (error) {
      if (['ENOENT', 'ELOOP', 'ENOTDIR'].includes(systemCodeOf(error) ?? '')) return false;
      throw error;
    }
  } catch (error) {
    throw notWritable(root, error);
  }
}

/**
 * Puts the file back where it is gone, and leaves what else is in `.velero` alone: a volume that
 * several pods share has the files of all. Durable on return as that of writeDoneFile.
 * @returns whether it was gone
 * @throws TARGET_NOT_WRITABLE, USAGE
 */
export async function renewDoneFile(root: string, name: string): Promise<boolean> {
  // What cannot be looked at is told by whoever makes it anew.
  if (await hasDoneFile(root, name).catch(() => false)) return false;
  await inRoot(root, name, async volume => {
    await ignoring('EEXIST', mkdir(beneath(volume, DONE_DIRECTORY), 0o755));
    await ignoring('EEXIST', fill(volume, name));
  });
  return true;
}

/**
 * Takes the file away again, and its directory when nothing else is in it: the init container runs
 * as another user and often may not. Nothing happens where there is none.
 * @throws TARGET_NOT_WRITABLE, USAGE
 */
export async function removeDoneFile(root: string, name: string): Promise<void> {
  await inRoot(root, name, async volume => {
    try {
      const directory = await openDirectory(beneath(volume, DONE_DIRECTORY));
      try {
        await unlink(beneath(directory, name));
      } finally {
        await directory.close();
      }
      await rmdir(beneath(volume, DONE_DIRECTORY));
    } catch (error) {
      const left = ['ENOENT', 'ENOTEMPTY', 'ELOOP', 'ENOTDIR'];
      if (!left.includes(systemCodeOf(error) ?? '')) throw error;
    }
  });
}

async function make(volume: FileHandle, name: string): Promise<void> {
  await mkdir(beneath(volume, DONE_DIRECTORY), 0o755);
  await fill(volume, name);
}

async function fill(volume: FileHandle, name: string): Promise<void> {
  const directory = await openDirectory(beneath(volume, DONE_DIRECTORY));
  try {
    // Whatever the umask says: the init container has to see it.
    await directory.chmod(0o755);
    const file = await open(beneath(directory, name), NEW_FILE, 0o644);
    try {
      await file.chmod(0o644);
      await file.sync();
    } finally {
      await file.close();
    }
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function inRoot(
  root: string,
  name: string,
  work: (volume: FileHandle) => Promise<void>,
): Promise<void> {
  requireName(name);
  try {
    await using volume = await openDirectory(root);
    const { atimeMs, mtimeMs } = await volume.stat();
    await work(volume);
    await volume.utimes(timeOf(atimeMs), timeOf(mtimeMs));
    await volume.sync();
  } catch (error) {
    if (isEngineError(error, 'ABORTED')) throw error;
    throw notWritable(root, error);
  }
}

/** Node takes a negative number for the present; a Date, to the millisecond, is what it is. */
function timeOf(ms: number): number | Date {
  return ms < 0 ? new Date(ms) : ms / 1000;
}

function requireName(name: string): void {
  if (/^[0-9A-Za-z][-.0-9A-Za-z]{0,252}$/.test(name)) return;
  throw new EngineError('USAGE', `cannot call a done file ${JSON.stringify(name)}`);
}

function notWritable(root: string, error: unknown): EngineError {
  const why = isEngineError(error) ? error.message : (systemCodeOf(error) ?? String(error));
  const text = `cannot tell the pod that its volume is restored, in ${root}/${DONE_DIRECTORY}`;
  const options = { cause: error };
  return new EngineError(
    'TARGET_NOT_WRITABLE',
    `${text}: ${why}; check the volume's rights`,
    options,
  );
}

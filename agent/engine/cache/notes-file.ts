// The file with the notes of a cache. It has all its blocks from the beginning and is charged with
// the directory. Whatever is in its place and is not ours is replaced; where it cannot be had the
// cache does without notes, which costs the ages of repositories and no entry.

import {
  close,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  unlinkSync,
  write,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { systemCodeOf } from '#engine/base/errors.ts';
import { allocateBlocks } from './native-files.ts';
import {
  type CacheNotes,
  decodeNotes,
  encodeNotes,
  NOTES_BYTES,
  type NotedSlot,
  SLOT_BYTES,
} from './notes-format.ts';

export const NOTES_NAME = 'notes';
const FILE_MODE = 0o600;
/** Neither a link nor a pipe is waited for or followed. */
const SAFE_FLAGS = constants.O_NOFOLLOW | constants.O_NONBLOCK;

export class NotesFile {
  readonly #fd: number;
  readonly #inode: bigint;
  #sequence = 0;
  #writing: Promise<void> | undefined;
  /** What was noted last, by an earlier life. */
  readonly found: CacheNotes | undefined;

  private constructor(fd: number) {
    this.#fd = fd;
    this.#inode = fstatSync(fd, { bigint: true }).ino;
    const newest = newestSlot(fd, this.#inode);
    this.found = newest?.notes;
    this.#sequence = newest?.sequence ?? 0;
  }

  /** @throws the system's error: ENOSPC, EISDIR, … */
  static open(directory: string): NotesFile {
    const path = join(directory, NOTES_NAME);
    const fd = openOurs(path, constants.O_RDWR) ?? createFile(path);
    try {
      return new NotesFile(fd);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  get isBusy(): boolean {
    return this.#writing !== undefined;
  }

  /**
   * Into the slot that is not the newest. One call at a time.
   * @throws the system's error
   */
  async write(notes: CacheNotes): Promise<void> {
    const sequence = ++this.#sequence;
    const slot = encodeNotes({ sequence, notes }, this.#inode);
    this.#writing = writeAll(this.#fd, slot, (sequence % 2) * SLOT_BYTES);
    try {
      await this.#writing;
    } finally {
      this.#writing = undefined;
    }
  }

  /** When nothing is being written any more, which on a disk that hangs may be never. */
  async settled(): Promise<void> {
    await this.#writing?.catch(() => undefined);
  }

  /** As soon as nothing is being written; the file stays. */
  close(): void {
    void this.settled().then(() => close(this.#fd));
  }
}

/** The notes of a directory that somebody else may have open. */
export function readNotes(directory: string): CacheNotes | undefined {
  const fd = openOurs(join(directory, NOTES_NAME), constants.O_RDONLY);
  if (fd === undefined) return undefined;
  try {
    return newestSlot(fd, fstatSync(fd, { bigint: true }).ino)?.notes;
  } finally {
    closeSync(fd);
  }
}

/** Undefined where there is none, or what is there is something else. */
function openOurs(path: string, flags: number): number | undefined {
  let fd: number;
  try {
    fd = openSync(path, flags | SAFE_FLAGS);
  } catch {
    return undefined;
  }
  const found = fstatSync(fd);
  if (found.isFile() && found.nlink === 1 && found.size === NOTES_BYTES) return fd;
  closeSync(fd);
  return undefined;
}

function createFile(path: string): number {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw error;
  }
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
  const fd = openSync(path, flags | SAFE_FLAGS, FILE_MODE);
  try {
    fillBlocks(fd, path);
    return fd;
  } catch (error) {
    closeSync(fd);
    unlinkSync(path);
    throw error;
  }
}

function fillBlocks(fd: number, path: string): void {
  const result = allocateBlocks(fd, NOTES_BYTES);
  if (result === 'allocated') return;
  if (result !== 'unsupported') {
    throw Object.assign(new Error(`cannot allocate ${path}`), { code: result.systemCode });
  }
  const zeros = new Uint8Array(NOTES_BYTES);
  for (let at = 0; at < zeros.length;) at += writeSync(fd, zeros, at, zeros.length - at, at);
}

function newestSlot(fd: number, inode: bigint): NotedSlot | undefined {
  const [one, other] = [0, SLOT_BYTES].map(position => {
    const slot = Buffer.alloc(SLOT_BYTES);
    const length = readSync(fd, slot, 0, SLOT_BYTES, position);
    return decodeNotes(slot.subarray(0, length), inode);
  });
  return (one?.sequence ?? 0) > (other?.sequence ?? 0) ? one : other;
}

async function writeAll(fd: number, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += await new Promise<number>((resolve, reject) => {
      write(fd, bytes, done, bytes.length - done, position + done, (error, count) =>
        error ? reject(error) : resolve(count),
      );
    });
  }
}

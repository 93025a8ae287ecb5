// Writes to a file past the kernel's memory (O_DIRECT of open(2)). What a cache takes in is written
// once and read much later or never: through the kernel it was copied into fresh pages, pushed out
// others, and whoever synchronized the disk, such as a restore at its end, waited for it. Where a
// file system does not do it, that is noticed at the first write.

import { closeSync, constants, open, type StatsFs, write } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { systemCodeOf } from '#engine/base/errors.ts';
import { BTRFS, EXT4, XFS } from '#engine/base/file-system-types.ts';
import { memoryPageBytes } from './native-files.ts';
import { BLOCK_BYTES } from './segment-format.ts';

/** What others make of it is not known. */
const FILE_SYSTEMS: ReadonlySet<StatsFs['type']> = new Set([EXT4, XFS, BTRFS]);
/** What says that it cannot be had here, and nothing about the disk. */
const REFUSALS: ReadonlySet<string | undefined> = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP']);

export class DirectFile {
  readonly #fd: number;
  #isRefused = false;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** The file that is open as `fd` once more; undefined where it cannot be written so. */
  static async open(fd: number): Promise<DirectFile | undefined> {
    // The same file whatever has its name by now (proc_pid_fd(5)).
    const path = `/proc/self/fd/${fd}`;
    try {
      const { type } = await statfs(path);
      // A larger page may hold a row, or what is being read, beside what is written past it.
      if (!FILE_SYSTEMS.has(type) || memoryPageBytes() !== BLOCK_BYTES) return undefined;
      return new DirectFile(await openDirect(path));
    } catch {
      // No /proc, no descriptor left, no such flag here: through the kernel's memory it goes too.
      return undefined;
    }
  }

  /** False from the first write on that was refused. */
  get isUsable(): boolean {
    return !this.#isRefused;
  }

  /**
   * Writes whole blocks to a place between them. Nobody may touch `blocks` meanwhile.
   * @param blocks aligned as AlignedBuffers are
   * @returns how many bytes were written; 0 where that is not to be had
   * @throws the system's error: ENOSPC, EIO, …
   */
  async write(position: number, blocks: Uint8Array): Promise<number> {
    try {
      return await writeOnce(this.#fd, blocks, position);
    } catch (error) {
      if (!REFUSALS.has(systemCodeOf(error))) throw error;
      this.#isRefused = true;
      return 0;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}

function openDirect(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const flags = constants.O_WRONLY | constants.O_DIRECT;
    open(path, flags, (error, fd) => (error ? reject(error) : resolve(fd)));
  });
}

function writeOnce(fd: number, bytes: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, 0, bytes.length, position, (error, written) =>
      error ? reject(error) : resolve(written),
    );
  });
}

// Writes long stretches of new files past the kernel's memory (O_DIRECT of open(2)): copying them
// into fresh pages was a fifth of the processor time of a restore from S3, pushed out what others
// had there, and all of it was waited for at the end. Short files stay in memory, where somebody
// who starts on them soon finds them.

import { constants, statfsSync } from 'node:fs';

import { allocateAlignedArena, type Arena } from '#engine/base/arena.ts';
import { EXT4, XFS } from '#engine/base/file-system-types.ts';

import type { FileContent } from './file-content.ts';
import type { FileRange, TargetCalls } from './target-calls.ts';
import type { TargetFile } from './target-handle.ts';

const DIRECT_FLAGS = constants.O_WRONLY | constants.O_DIRECT;
/** Of btrfs what is written so is not compressed. */
const FILE_SYSTEMS: ReadonlySet<number> = new Set([EXT4, XFS]);
/** Of less the ends are too much. */
export const DIRECT_BYTES_MIN = 1 << 20;
/**
 * The largest page of the machines that we run on. In no page are bytes that were written in both
 * ways: the kernel keeps what it has of one that is being written, and that would be stale.
 */
const PAGE_BYTES = 64 << 10;
const BUFFER_BYTES = 1 << 20;

export class DirectContent {
  readonly #calls: TargetCalls;
  readonly #content: FileContent;
  /** Bytes of a content begin anywhere, and a disk wants them to begin at a block. */
  #buffer: Arena | undefined;

  constructor(calls: TargetCalls, content: FileContent) {
    this.#calls = calls;
    this.#content = content;
  }

  /** Writes to a file that nobody else has in memory; where it may not be direct, as ever. */
  write(file: TargetFile, arena: Arena, { offset, length, position }: FileRange): void {
    const start = Math.ceil(position / PAGE_BYTES) * PAGE_BYTES;
    const end = Math.floor((position + length) / PAGE_BYTES) * PAGE_BYTES;
    const isLong = length >= DIRECT_BYTES_MIN;
    const head = isLong && this.#isDirect(file) ? start - position : length;
    this.#content.write(file, arena, { offset, length: head, position });
    if (head === length) return;
    const middle = { offset: offset + head, length: end - start, position: start };
    const done = head + this.#writePages(file, arena, middle);
    const rest = { offset: offset + done, length: length - done, position: position + done };
    this.#content.write(file, arena, rest);
  }

  /** Whether its file system is one of those, and addresses are known. */
  #isDirect(file: TargetFile): boolean {
    if (this.#calls.kind !== 'native') return false;
    return (file.mayBeDirect ??= isOnDisk(file.descriptor));
  }

  /**
   * How many bytes were written. Whatever is wrong with the rest: it is written as ever, and what
   * is wrong with the disk is said by that, or at the end by the synchronization.
   */
  #writePages(file: TargetFile, from: Arena, { offset, length, position }: FileRange): number {
    const path = Buffer.from(`/proc/self/fd/${file.descriptor}`);
    const descriptor = this.#calls.openPath(path, DIRECT_FLAGS);
    if (descriptor < 0) file.mayBeDirect = false;
    let done = 0;
    try {
      while (done < length && file.mayBeDirect) {
        const arena = (this.#buffer ??= allocateAlignedArena(BUFFER_BYTES, PAGE_BYTES));
        const part = Math.min(BUFFER_BYTES, length - done);
        const at = offset + done;
        arena.bytes.set(from.bytes.subarray(at, at + part));
        const range = { offset: 0, length: part, position: position + done };
        const written = this.#calls.write(descriptor, arena, range);
        if (written <= 0) file.mayBeDirect = false;
        else done += written;
      }
    } finally {
      if (descriptor >= 0) this.#calls.close(descriptor);
    }
    return done;
  }
}

function isOnDisk(descriptor: number): boolean {
  try {
    return FILE_SYSTEMS.has(statfsSync(`/proc/self/fd/${descriptor}`).type);
  } catch {
    // No /proc: it cannot be opened once more either.
    return false;
  }
}

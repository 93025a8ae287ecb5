// The bytes of files in the target.

import { constants as osConstants } from 'node:os';

import { allocateArena, type Arena } from '#engine/base/arena.ts';

import type { CopyRange, FileRange, TargetCalls } from './target-calls.ts';
import { targetError } from './target-error.ts';
import type { OpenTarget } from './target-handle.ts';
import { TargetStat } from './target-stat.ts';

const { ENOSYS, EINVAL, EXDEV, EOPNOTSUPP, EPERM, EIO, ETXTBSY } = osConstants.errno;
/** Where data that the kernel does not copy by itself stops on its way. */
const COPY_BYTES = 256 * 1024;
/** What says that these two files, or any, cannot be copied in the kernel. */
const COPY_BY_HAND = new Set([ENOSYS, EINVAL, EXDEV, EOPNOTSUPP, EPERM, ETXTBSY]);
const NO_HOLES_HERE = new Set([ENOSYS, EOPNOTSUPP, EINVAL]);

export class FileContent {
  readonly #calls: TargetCalls;
  readonly #stat = new TargetStat();
  #buffer: Arena | undefined;

  constructor(calls: TargetCalls) {
    this.#calls = calls;
  }

  write(file: OpenTarget, arena: Arena, { offset, length, position }: FileRange): void {
    const { descriptor } = file;
    for (let done = 0; done < length;) {
      const rest = { offset: offset + done, length: length - done, position: position + done };
      const written = this.#calls.write(descriptor, arena, rest);
      // A file that takes nothing and does not say why would be asked for ever.
      if (written <= 0) throw failure('write', file, written === 0 ? -EIO : written);
      done += written;
    }
  }

  read(file: OpenTarget, arena: Arena, { offset, length, position }: FileRange): number {
    const { descriptor } = file;
    let done = 0;
    while (done < length) {
      const rest = { offset: offset + done, length: length - done, position: position + done };
      const got = this.#calls.read(descriptor, arena, rest);
      if (got < 0) throw failure('read', file, got);
      if (got === 0) break;
      done += got;
    }
    return done;
  }

  setSize(file: OpenTarget, bytes: number): void {
    const result = this.#calls.truncate(file.descriptor, bytes);
    if (result < 0) throw failure('set the size of', file, result);
  }

  punchHoles(file: OpenTarget, holes: readonly number[]): void {
    const result = this.#calls.statOpen(file.descriptor, this.#stat);
    if (result < 0) throw failure('examine', file, result);
    const { size } = this.#stat;
    const blockBytes = Math.max(1, this.#stat.blockBytes);
    for (let index = 0; index + 1 < holes.length; index += 2) {
      const start = holes[index];
      const length = Math.min(holes[index + 1], size - start);
      if (length <= 0) continue;
      // A hole at the end takes the last block with it only when all of the block is asked for.
      const rest = start + length === size ? (blockBytes - (size % blockBytes)) % blockBytes : 0;
      this.#punch(file, { start, length, rest });
    }
  }

  #punch(
    file: OpenTarget,
    { start, length, rest }: { start: number; length: number; rest: number },
  ): void {
    const result = this.#calls.punch(file.descriptor, start, length + rest);
    if (result === 0) return;
    if (!NO_HOLES_HERE.has(-result)) throw failure('punch a hole in', file, result);
    this.#writeZeros(file, start, length);
  }

  /** Leaves alone what is zero already: it may be a hole. */
  #writeZeros(file: OpenTarget, start: number, length: number): void {
    const buffer = (this.#buffer ??= allocateArena(COPY_BYTES));
    const end = start + length;
    for (let position = start; position < end;) {
      const wanted = Math.min(COPY_BYTES, end - position);
      const got = this.read(file, buffer, { offset: 0, length: wanted, position });
      if (got === 0) break;
      if (buffer.bytes.subarray(0, got).some(byte => byte !== 0)) {
        buffer.bytes.fill(0, 0, got);
        this.write(file, buffer, { offset: 0, length: got, position });
      }
      position += got;
    }
  }

  copyRange(from: OpenTarget, to: OpenTarget, range: CopyRange): number {
    const { fromPosition, toPosition, length } = range;
    let done = 0;
    while (done < length) {
      const copied = this.#calls.copy(from.descriptor, to.descriptor, {
        fromPosition: fromPosition + done,
        toPosition: toPosition + done,
        length: length - done,
      });
      // Some file systems say 0 where they cannot (copy_file_range(2)); reading finds the end.
      if (copied === 0 || COPY_BY_HAND.has(-copied)) {
        return done + this.#copyByHand(from, to, range, done);
      }
      if (copied < 0) throw failure('copy to', to, copied);
      done += copied;
    }
    return done;
  }

  #copyByHand(from: OpenTarget, to: OpenTarget, range: CopyRange, start: number): number {
    const buffer = (this.#buffer ??= allocateArena(COPY_BYTES));
    let done = start;
    while (done < range.length) {
      const length = Math.min(COPY_BYTES, range.length - done);
      const position = range.fromPosition + done;
      const got = this.read(from, buffer, { offset: 0, length, position });
      if (got === 0) break;
      this.write(to, buffer, { offset: 0, length: got, position: range.toPosition + done });
      done += got;
    }
    return done - start;
  }
}

function failure(attempt: string, { path }: OpenTarget, result: number): Error {
  return targetError({ attempt, path, errno: -result });
}

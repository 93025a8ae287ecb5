// The bytes of a block device. Data goes past the kernel's memory where it is long
// (direct-content), and zeros are no data: the device is told to have none there, so that what is
// thin stays thin.

import { constants } from 'node:fs';
import { constants as osConstants } from 'node:os';

import { allocateArena, type Arena } from '#engine/base/arena.ts';
import { isZeros } from '#engine/base/bytes.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { BlockDevice } from '#engine/snapshot/source/block-device.ts';
import { printablePath } from '#engine/snapshot/source/source-name.ts';
import { ENTRY_TYPE } from '#engine/snapshot/source/source-stat.ts';

import type { FileRange } from './target-calls.ts';
import { targetError } from './target-error.ts';
import type { TargetFileSystem } from './target-file-system.ts';
import { TargetFile } from './target-handle.ts';
import { TargetStat } from './target-stat.ts';

const { EBUSY } = osConstants.errno;

/** No block of a device is larger, nor what thin volumes are made of smaller by much. */
const BLOCK_BYTES = 64 << 10;
/** Shorter runs of zeros within data are written: asking the device would take as long. */
const RUN_BYTES_MIN = 4 * BLOCK_BYTES;
const ZEROS_BYTES = 1 << 20;

type Zero = (descriptor: number, position: number, length: number) => number;

export class DeviceContent implements Disposable {
  readonly #fileSystem: TargetFileSystem;
  readonly #file: TargetFile;
  /**
   * What may make a range read as zeros, the best first. To punch a hole gives blocks back, and the
   * kernel does it only where the device promises that they are zeros then; a discard by itself
   * (BLKDISCARD) promises nothing (linux block/fops.c blkdev_fallocate, block/ioctl.c).
   */
  readonly #ways: Zero[];
  #zeros: Arena | undefined;

  /** @throws TARGET_NOT_WRITABLE */
  constructor(fileSystem: TargetFileSystem, device: BlockDevice) {
    const { calls } = fileSystem;
    this.#fileSystem = fileSystem;
    this.#file = openAgain(fileSystem, device);
    this.#file.mayBeDirect = calls.kind === 'native';
    this.#ways = [(...range) => calls.punch(...range), (...range) => calls.zeroOut(...range)];
  }

  /** @throws TARGET_FULL, TARGET_NOT_WRITABLE */
  write(arena: Arena, { offset, length, position }: FileRange): void {
    const end = position + length;
    let written = position;
    const writeUntil = (to: number): void => {
      const range = { offset: offset + written - position, length: to - written };
      if (to > written)
        this.#fileSystem.writeNew(this.#file, arena, { ...range, position: written });
    };
    for (let at = roundUp(position); at + BLOCK_BYTES <= end;) {
      let to = at;
      while (to + BLOCK_BYTES <= end && isZeros(arena.bytes, offset + to - position, BLOCK_BYTES)) {
        to += BLOCK_BYTES;
      }
      if (to - at >= RUN_BYTES_MIN) {
        writeUntil(at);
        this.#zeroBlocks(at, to - at);
        written = to;
      }
      at = Math.max(to, at + BLOCK_BYTES);
    }
    writeUntil(end);
  }

  /** @throws TARGET_FULL, TARGET_NOT_WRITABLE */
  zero(position: number, length: number): void {
    const end = position + length;
    const from = Math.min(end, roundUp(position));
    const to = Math.max(from, end - (end % BLOCK_BYTES));
    this.#writeZeros(position, from - position);
    this.#zeroBlocks(from, to - from);
    this.#writeZeros(to, end - to);
  }

  /** Whatever a device has against the better ways: writing says whether something is wrong. */
  #zeroBlocks(position: number, length: number): void {
    const { descriptor } = this.#file;
    while (length > 0 && this.#ways.length > 0) {
      const result = this.#ways[0](descriptor, position, length);
      if (result === 0) return;
      // The kernel has bytes of it in memory that are not written yet; elsewhere it may do.
      if (result === -EBUSY) break;
      this.#ways.shift();
    }
    this.#writeZeros(position, length);
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }

  #writeZeros(position: number, length: number): void {
    for (let done = 0; done < length;) {
      const zeros = (this.#zeros ??= allocateArena(ZEROS_BYTES));
      const part = Math.min(ZEROS_BYTES, length - done);
      const range = { offset: 0, length: part, position: position + done };
      this.#fileSystem.write(this.#file, zeros, range);
      done += part;
    }
  }
}

/**
 * By a descriptor of its own: that of the main thread may be closed and stand for another file when
 * a thread that nobody waits for any more comes to write.
 */
function openAgain({ calls }: TargetFileSystem, device: BlockDevice): TargetFile {
  const { path, major, minor } = device;
  const again = Buffer.from(`/proc/self/fd/${device.descriptor}`);
  const descriptor = calls.openPath(again, constants.O_RDWR);
  if (descriptor < 0) throw targetError({ attempt: 'open device', path, errno: -descriptor });
  const file = new TargetFile(calls, descriptor, undefined, [path]);
  const stat = new TargetStat();
  const isSame =
    calls.statOpen(descriptor, stat) === 0 &&
    stat.type === ENTRY_TYPE.blockDevice &&
    stat.nodeMajor === major &&
    stat.nodeMinor === minor;
  if (isSame) return file;
  file[Symbol.dispose]();
  const text = `device ${printablePath(path)} was closed before it was written`;
  throw new EngineError('TARGET_NOT_WRITABLE', `${text}; restore again`);
}

function roundUp(position: number): number {
  return Math.ceil(position / BLOCK_BYTES) * BLOCK_BYTES;
}

// A block device that is open: how many bytes it has, and what the kernel is told of how it is
// read. The main thread opens and closes it; worker threads read from its descriptor at offsets.

import type { BigIntStats } from 'node:fs';
import { type FileHandle, open, readFile, stat as lookAt } from 'node:fs/promises';

import { nativeFunction, type NativeFunction } from '#engine/base/native.ts';

import type { OpenSource } from './source-handle.ts';

/** Plain values, so that it can be told to another thread. */
export interface BlockDevice extends OpenSource {
  readonly bytes: number;
  readonly major: number;
  readonly minor: number;
}

export class OpenBlockDevice implements BlockDevice, AsyncDisposable {
  readonly path: Uint8Array;
  readonly bytes: number;
  readonly major: number;
  readonly minor: number;
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle, device: Omit<BlockDevice, 'descriptor'>) {
    this.#handle = handle;
    this.path = device.path;
    this.bytes = device.bytes;
    this.major = device.major;
    this.minor = device.minor;
  }

  /**
   * @param flags of open(2)
   * @returns undefined where it is no block device
   * @throws what the system says, and where nothing says how long the device is
   */
  static async open(path: string, flags: number): Promise<OpenBlockDevice | undefined> {
    // What else there is may not be meant to be opened: a pipe, a tape.
    if (!(await lookAt(path)).isBlockDevice()) return undefined;
    const handle = await open(path, flags);
    try {
      const stat = await handle.stat({ bigint: true });
      if (stat.isBlockDevice()) {
        const number = numberOf(stat);
        const bytes = lengthOf(handle.fd) ?? (await lengthBySysfs(number));
        return new OpenBlockDevice(handle, { path: encode(path), bytes, ...number });
      }
    } catch (error) {
      await handle.close();
      throw error;
    }
    await handle.close();
    return undefined;
  }

  get descriptor(): number {
    return this.#handle.fd;
  }

  /** For another thread. */
  get plain(): BlockDevice {
    const { descriptor, path, bytes, major, minor } = this;
    return { descriptor, path, bytes, major, minor };
  }

  /** Waits until all that was written is on the device. @throws what the system says */
  async sync(): Promise<void> {
    await this.#handle.sync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

const SEEK_END = 2;
const SECTOR_BYTES = 512;

/** fstat(2) says 0 of a device, lseek(2) its length; undefined where it cannot be called. */
function lengthOf(descriptor: number): number | undefined {
  const lseek = libc('int64_t lseek64(int, int64_t, int)');
  const bytes = lseek?.(descriptor, 0, SEEK_END) ?? -1;
  return bytes < 0 ? undefined : bytes;
}

type DeviceNumber = Pick<BlockDevice, 'major' | 'minor'>;

/** Documentation/ABI/stable/sysfs-block: `size` is in sectors of 512 bytes whatever the device. */
async function lengthBySysfs({ major, minor }: DeviceNumber): Promise<number> {
  const text = await readFile(`/sys/dev/block/${major}:${minor}/size`, 'utf8');
  return Number(text) * SECTOR_BYTES;
}

/** The layout of dev_t in glibc and musl (sys/sysmacros.h). */
function numberOf({ rdev }: BigIntStats): DeviceNumber {
  const major = ((rdev >> 32n) & 0xfffff000n) | ((rdev >> 8n) & 0xfffn);
  const minor = ((rdev >> 12n) & 0xffffff00n) | (rdev & 0xffn);
  return { major: Number(major), minor: Number(minor) };
}

function encode(path: string): Uint8Array {
  return new Uint8Array(Buffer.from(path));
}

/** musl has no names with 64 at the end: there every offset has 64 bits. */
function libc(prototype: string): NativeFunction | undefined {
  return nativeFunction(prototype) ?? nativeFunction(prototype.replace(/64\(/, '('));
}

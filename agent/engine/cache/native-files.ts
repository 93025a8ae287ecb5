// The calls that Node does not have and a cache needs: a lock that dies with its process, blocks
// that are allocated before they are written, and files that are changed in place where the file
// system would else copy. Each says so where it is not to be had.

import { allocateArena } from '#engine/base/arena.ts';
import {
  addressOf,
  nativeErrno,
  nativeFunction,
  type NativeFunction,
} from '#engine/base/native.ts';

const LOCK_EXCLUSIVE = 2;
const LOCK_NOW = 4;
const EWOULDBLOCK = 11;
/** linux/fs.h; the size of the argument is a part of the number. */
const FS_IOC_GETFLAGS = 0x80086601;
const FS_IOC_SETFLAGS = 0x40086602;
const FS_NOCOW_FL = 0x0080_0000;

/** Errors of fallocate for which writing zeros may still work. */
const UNSUPPORTED = new Set([22, 38, 95]);
const ERRNO_NAMES: Readonly<Record<number, string>> = Object.freeze({
  5: 'EIO',
  27: 'EFBIG',
  28: 'ENOSPC',
  30: 'EROFS',
  122: 'EDQUOT',
});

export type LockResult = 'locked' | 'taken' | 'unsupported';

/** An exclusive flock(2) of the open file: gone when the last descriptor is, after kill -9 too. */
export function lockFile(fd: number): LockResult {
  const flock = bound('int flock(int fd, int operation)');
  if (flock === undefined) return 'unsupported';
  if (flock(fd, LOCK_EXCLUSIVE | LOCK_NOW) === 0) return 'locked';
  return nativeErrno() === EWOULDBLOCK ? 'taken' : 'unsupported';
}

export type AllocateResult = 'allocated' | 'unsupported' | { readonly systemCode: string };

/** Gives the file `bytes` bytes, all of them with blocks. */
export function allocateBlocks(fd: number, bytes: number): AllocateResult {
  const fallocate = bound('int fallocate64(int fd, int mode, int64_t offset, int64_t length)');
  if (fallocate === undefined) return 'unsupported';
  if (fallocate(fd, 0, 0, bytes) === 0) return 'allocated';
  const errno = nativeErrno();
  if (UNSUPPORTED.has(errno)) return 'unsupported';
  return { systemCode: ERRNO_NAMES[errno] ?? `errno ${errno}` };
}

/** How large a page of the kernel's memory is; 0 where that cannot be had. */
export function memoryPageBytes(): number {
  return bound('int getpagesize()')?.() ?? 0;
}

/** Makes files that are created in the directory from now on be changed in place (btrfs). */
export function forbidCopyOnWrite(directoryFd: number): boolean {
  const ioctl = bound('int ioctl(int fd, unsigned long request, uintptr_t argument)');
  if (ioctl === undefined) return false;
  const { bytes, address } = allocateArena(128);
  const flags = new DataView(bytes.buffer);
  if (ioctl(directoryFd, FS_IOC_GETFLAGS, address) !== 0) return false;
  flags.setUint32(0, flags.getUint32(0, true) | FS_NOCOW_FL, true);
  return ioctl(directoryFd, FS_IOC_SETFLAGS, address) === 0;
}

/** Two words of 64 bits: where to, and how many (readv(2)). */
const IOVEC_BYTES = 16;
const RWF_NOWAIT = 8;
let iovec: { readonly view: DataView; readonly address: number } | undefined;

/**
 * Fills `target`, as long as the kernel has all of it in memory; false where it would have to wait
 * for a disk, or anything is wrong. Saves the way to a thread and back, some 50 us.
 */
export function readFromMemory(fd: number, target: Uint8Array, position: number): boolean {
  const prototype = 'int64_t preadv2(int fd, uintptr_t pieces, int count, int64_t at, int flags)';
  const preadv2 = bound(prototype);
  if (preadv2 === undefined || target.length === 0) return false;
  const { view, address } = (iovec ??= newIovec());
  view.setBigUint64(0, BigInt(addressOf(target)), true);
  view.setBigUint64(8, BigInt(target.length), true);
  return preadv2(fd, address, 1, position, RWF_NOWAIT) === target.length;
}

function newIovec(): { readonly view: DataView; readonly address: number } {
  const { bytes, address } = allocateArena(IOVEC_BYTES);
  return { view: new DataView(bytes.buffer), address };
}

const known = new Map<string, NativeFunction | undefined>();

function bound(prototype: string): NativeFunction | undefined {
  if (!known.has(prototype)) known.set(prototype, nativeFunction(prototype));
  return known.get(prototype);
}

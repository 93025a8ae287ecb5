// What an inode has besides what node:fs shows: extended attributes, flags, project id, holes. By
// the system's calls and not by ours, so that tests do not believe the code that they test. Paths
// are bytes, and shorter than PATH_MAX. Where native calls are not to be had there seems to be
// nothing.

import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { allocateArena } from '#engine/base/arena.ts';
import { nativeFunction } from '#engine/base/native.ts';

const PATH_BYTES_MAX = 4096;
/** XATTR_SIZE_MAX and XATTR_LIST_MAX of linux/limits.h. */
const VALUE_BYTES_MAX = 65_536;
const NAME_BYTES_MAX = 256;

/** linux/fs.h; sizes are those of 64-bit machines. */
const FS_IOC_GETFLAGS = 0x8008_6601;
const FS_IOC_SETFLAGS = 0x4008_6602;
const FS_IOC_FSGETXATTR = 0x801c_581f;
/** struct fsxattr: xflags, extsize, nextents, projid, cowextsize, padding. */
const FSXATTR_BYTES = 28;
const PROJECT_OFFSET = 12;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
/** Not to wait for the other end of a pipe. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const NANOSECONDS = 1_000_000_000n;

const native = {
  llistxattr: nativeFunction('int64_t llistxattr(uintptr_t, uintptr_t, size_t)'),
  lgetxattr: nativeFunction('int64_t lgetxattr(uintptr_t, uintptr_t, uintptr_t, size_t)'),
  lsetxattr: nativeFunction('int lsetxattr(uintptr_t, uintptr_t, uintptr_t, size_t, int)'),
  lremovexattr: nativeFunction('int lremovexattr(uintptr_t, uintptr_t)'),
  utimensat: nativeFunction('int utimensat(int, uintptr_t, uintptr_t, int)'),
  ioctl: nativeFunction('int ioctl(int, unsigned long, uintptr_t)'),
  lseek: nativeFunction('int64_t lseek(int, int64_t, int)'),
};

const path = allocateArena(PATH_BYTES_MAX);
const name = allocateArena(NAME_BYTES_MAX);
const value = allocateArena(VALUE_BYTES_MAX);
const names = allocateArena(VALUE_BYTES_MAX);

function put(arena: { readonly bytes: Uint8Array; readonly address: number }, text: Uint8Array) {
  if (text.length >= arena.bytes.length) throw new Error(`${text.length} bytes are too long`);
  arena.bytes.set(text);
  arena.bytes[text.length] = 0;
  return arena.address;
}

/** By name, which is its bytes as Latin-1; in order of the names. */
export function xattrsOf(place: Uint8Array): Map<string, Uint8Array> {
  const { llistxattr, lgetxattr } = native;
  const found = new Map<string, Uint8Array>();
  if (!llistxattr || !lgetxattr) return found;
  const at = put(path, place);
  const length = llistxattr(at, names.address, names.bytes.length);
  if (length <= 0) return found;
  const list = Buffer.from(names.bytes.subarray(0, length)).toString('latin1').split('\0');
  for (const each of list.filter(Boolean).sort()) {
    const called = put(name, Buffer.from(each, 'latin1'));
    const bytes = lgetxattr(at, called, value.address, value.bytes.length);
    if (bytes >= 0) found.set(each, value.bytes.slice(0, bytes));
  }
  return found;
}

/** Of a link itself; false where the system refuses. */
export function setXattr(place: Uint8Array, called: string, bytes: Uint8Array): boolean {
  value.bytes.set(bytes);
  const at = put(path, place);
  const nameAt = put(name, Buffer.from(called, 'latin1'));
  return native.lsetxattr?.(at, nameAt, value.address, bytes.length, 0) === 0;
}

export function removeXattr(place: Uint8Array, called: string): boolean {
  const at = put(path, place);
  return native.lremovexattr?.(at, put(name, Buffer.from(called, 'latin1'))) === 0;
}

/** Both times of what `place` names, a link itself included, in nanoseconds since 1970. */
export function setTimes(place: Uint8Array, nanoseconds: bigint): void {
  const rest = ((nanoseconds % NANOSECONDS) + NANOSECONDS) % NANOSECONDS;
  const seconds = (nanoseconds - rest) / NANOSECONDS;
  new BigInt64Array(value.bytes.buffer, 0, 4).set([seconds, rest, seconds, rest]);
  const at = put(path, place);
  if (native.utimensat?.(AT_FDCWD, at, value.address, AT_SYMLINK_NOFOLLOW) !== 0) {
    throw new Error(`no time can be set of ${Buffer.from(place).toString('latin1')}`);
  }
}

export interface InodeAttributes {
  /** As FS_IOC_GETFLAGS numbers them; 0 where there are none. */
  readonly flags: number;
  readonly project: number;
}

/** Of files and directories alone: nothing else can be opened for it. */
export function inodeAttributesOf(place: Uint8Array): InodeAttributes {
  return withFile(place, file => {
    const words = new DataView(value.bytes.buffer);
    words.setUint32(0, 0, true);
    const hasFlags = native.ioctl?.(file, FS_IOC_GETFLAGS, value.address) === 0;
    const flags = hasFlags ? words.getUint32(0, true) : 0;
    value.bytes.fill(0, 0, FSXATTR_BYTES);
    const hasProject = native.ioctl?.(file, FS_IOC_FSGETXATTR, value.address) === 0;
    return { flags, project: hasProject ? words.getUint32(PROJECT_OFFSET, true) : 0 };
  });
}

/** False where the system refuses. */
export function setInodeFlags(place: Uint8Array, flags: number): boolean {
  return withFile(place, file => {
    new DataView(value.bytes.buffer).setUint32(0, flags, true);
    return native.ioctl?.(file, FS_IOC_SETFLAGS, value.address) === 0;
  });
}

/** Offset and length of each hole before the end of the file. */
export function holesOf(place: Uint8Array): [offset: number, length: number][] {
  const { lseek } = native;
  if (!lseek) return [];
  return withFile(place, file => {
    const { size } = fstatSync(file);
    const holes: [number, number][] = [];
    for (let at = 0; at < size;) {
      const hole = lseek(file, at, SEEK_HOLE);
      if (hole < 0 || hole >= size) break;
      const data = lseek(file, hole, SEEK_DATA);
      // No data behind it: the hole is the end of the file.
      at = data < 0 ? size : data;
      holes.push([hole, at - hole]);
    }
    return holes;
  });
}

function withFile<Result>(place: Uint8Array, use: (file: number) => Result): Result {
  const file = openSync(Buffer.from(place), OPEN_FLAGS);
  try {
    return use(file);
  } finally {
    closeSync(file);
  }
}

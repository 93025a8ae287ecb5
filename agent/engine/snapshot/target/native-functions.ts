// The functions of libc that write a target, or nothing where one of them is not to be had.
// 64-bit little-endian Linux on x64 and arm64: both number system calls and ioctls as below.
//
// openat and ioctl take a variable number of arguments in C. Both machines pass those that are
// integers as they pass all others, so that they can be declared with what is needed here.

import { endianness } from 'node:os';

import { nativeFunction, type NativeFunction } from '#engine/base/native.ts';

const PROTOTYPES = {
  openat: 'int openat(int, uintptr_t, int, int)',
  /** For openat2, which no libc wraps. */
  syscall: 'int syscall(long, int, uintptr_t, uintptr_t, size_t)',
  close: 'int close(int)',
  mkdirat: 'int mkdirat(int, uintptr_t, uint32_t)',
  symlinkat: 'int symlinkat(uintptr_t, int, uintptr_t)',
  mknodat: 'int mknodat(int, uintptr_t, uint32_t, uint64_t)',
  linkat: 'int linkat(int, uintptr_t, int, uintptr_t, int)',
  unlinkat: 'int unlinkat(int, uintptr_t, int)',
  statx: 'int statx(int, uintptr_t, int, uint32_t, uintptr_t)',
  readlinkat: 'int64_t readlinkat(int, uintptr_t, uintptr_t, size_t)',
  pwrite: 'int64_t pwrite64(int, uintptr_t, size_t, int64_t)',
  pread: 'int64_t pread64(int, uintptr_t, size_t, int64_t)',
  ftruncate: 'int ftruncate64(int, int64_t)',
  fallocate: 'int fallocate64(int, int, int64_t, int64_t)',
  copyFileRange: 'int64_t copy_file_range(int, uintptr_t, int, uintptr_t, size_t, uint32_t)',
  lseek: 'int64_t lseek64(int, int64_t, int)',
  syncfs: 'int syncfs(int)',
  fchown: 'int fchown(int, uint32_t, uint32_t)',
  fchownat: 'int fchownat(int, uintptr_t, uint32_t, uint32_t, int)',
  fchmod: 'int fchmod(int, uint32_t)',
  chmod: 'int chmod(uintptr_t, uint32_t)',
  futimens: 'int futimens(int, uintptr_t)',
  utimensat: 'int utimensat(int, uintptr_t, uintptr_t, int)',
  flistxattr: 'int64_t flistxattr(int, uintptr_t, size_t)',
  listxattr: 'int64_t listxattr(uintptr_t, uintptr_t, size_t)',
  fgetxattr: 'int64_t fgetxattr(int, uintptr_t, uintptr_t, size_t)',
  getxattr: 'int64_t getxattr(uintptr_t, uintptr_t, uintptr_t, size_t)',
  fsetxattr: 'int fsetxattr(int, uintptr_t, uintptr_t, size_t, int)',
  setxattr: 'int setxattr(uintptr_t, uintptr_t, uintptr_t, size_t, int)',
  fremovexattr: 'int fremovexattr(int, uintptr_t)',
  removexattr: 'int removexattr(uintptr_t, uintptr_t)',
  ioctl: 'int ioctl(int, unsigned long, uintptr_t)',
} as const;

export type NativeFunctions = Readonly<Record<keyof typeof PROTOTYPES, NativeFunction>>;

export const SYSCALL_OPENAT2 = 437;
// linux/fs.h; the size of the argument is a part of the number.
export const FS_IOC_GETFLAGS = 0x80086601;
export const FS_IOC_SETFLAGS = 0x40086602;
export const FS_IOC_FSGETXATTR = 0x801c581f;
export const FS_IOC_FSSETXATTR = 0x401c5820;
export const BLKZEROOUT = 0x127f;

const MACHINES = new Set(['x64', 'arm64']);

let functions: NativeFunctions | null | undefined;

/** All of them, or undefined. */
export function nativeFunctions(): NativeFunctions | undefined {
  functions ??= load();
  return functions ?? undefined;
}

function load(): NativeFunctions | null {
  const isKnown = process.platform === 'linux' && MACHINES.has(process.arch);
  if (!isKnown || endianness() !== 'LE') return null;
  const found: Record<string, NativeFunction> = {};
  for (const [name, prototype] of Object.entries(PROTOTYPES)) {
    // musl has no names with 64 at the end: there every offset has 64 bits.
    const loaded = nativeFunction(prototype) ?? nativeFunction(prototype.replace(/64\(/, '('));
    if (loaded === undefined) return null;
    found[name] = loaded;
  }
  // Every name of the table has got its function just now.
  return found as NativeFunctions;
}

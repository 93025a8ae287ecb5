// Times to the nanosecond for trees that tests make: Node takes a double of seconds, which holds a
// time of today to some 200 ns only.

import fs from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { allocateArena, type Arena } from '#engine/base/arena.ts';
import { nativeErrno, nativeFunction, type NativeFunction } from '#engine/base/native.ts';

const NANOSECONDS = 1_000_000_000n;
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;

interface NativeTimes {
  readonly futimens: NativeFunction;
  readonly utimensat: NativeFunction;
  /** Two struct timespec: access and modification. */
  readonly timespecs: Arena;
}

let native: NativeTimes | null | undefined;

function openNative(): NativeTimes | null {
  if (native !== undefined) return native;
  const futimens = nativeFunction('int futimens(int fd, uintptr_t times)');
  const utimensat = nativeFunction(
    'int utimensat(int directory, const char *path, uintptr_t times, int flags)',
  );
  const timespecs = allocateArena(128);
  const isUsable = futimens && utimensat && timespecs.address !== 0 && process.arch !== 'ia32';
  native = isUsable ? { futimens, utimensat, timespecs } : null;
  return native;
}

/** Sets both times of an open file or directory to `nanoseconds` since 1970. */
export function setFileTimes(fd: number, nanoseconds: bigint): void {
  const calls = openNative();
  if (calls === null) {
    fs.futimesSync(fd, toSeconds(nanoseconds), toSeconds(nanoseconds));
    return;
  }
  fillTimespecs(calls.timespecs.bytes, nanoseconds);
  if (calls.futimens(fd, calls.timespecs.address) !== 0) throwErrno('futimens');
}

/** Sets both times of what `path` names, without following it when it is a symlink. */
export function setLinkTimes(path: string, nanoseconds: bigint): void {
  const calls = openNative();
  if (calls === null) {
    fs.lutimesSync(path, toSeconds(nanoseconds), toSeconds(nanoseconds));
    return;
  }
  fillTimespecs(calls.timespecs.bytes, nanoseconds);
  const status = calls.utimensat(AT_FDCWD, path, calls.timespecs.address, AT_SYMLINK_NOFOLLOW);
  if (status !== 0) throwErrno('utimensat');
}

function fillTimespecs(bytes: Uint8Array, nanoseconds: bigint): void {
  let seconds = nanoseconds / NANOSECONDS;
  let rest = nanoseconds % NANOSECONDS;
  if (rest < 0n) {
    rest += NANOSECONDS;
    seconds -= 1n;
  }
  // The kernel's order of bytes is that of the machine, as is a BigInt64Array's.
  const words = new BigInt64Array(bytes.buffer, bytes.byteOffset, 4);
  words.set([seconds, rest, seconds, rest]);
}

function toSeconds(nanoseconds: bigint): number {
  return Number(nanoseconds) / 1e9;
}

function throwErrno(call: string): never {
  const code = getSystemErrorName(-nativeErrno());
  throw Object.assign(new Error(`${call} failed: ${code}`), { code, syscall: call });
}

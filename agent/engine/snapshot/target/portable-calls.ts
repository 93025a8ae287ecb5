// The calls of target-calls.ts through node:fs, where native calls are not to be had, and the
// yardstick that those are compared with. Everything is reached through the descriptor of its
// directory (/proc/self/fd/N/name), so Linux with /proc is needed: by path a restore would not be
// safe. What node:fs lacks fails with ENOSYS and becomes a named difference of the restore.

import fs from 'node:fs';
import { constants as osConstants } from 'node:os';

import type { Arena } from '#engine/base/arena.ts';
import { asBuffer } from '#engine/base/bytes.ts';
import { systemCodeOf } from '#engine/base/errors.ts';

import type { FileRange, Place, TargetCalls } from './target-calls.ts';
import type { TargetStat } from './target-stat.ts';

const { ENOSYS, EINVAL } = osConstants.errno;
const ERRNOS = new Map<string, number>(Object.entries(osConstants.errno));
const NANOSECONDS = 1_000_000_000n;

/** The calls through node:fs; undefined where there is no /proc. */
export function openPortableCalls(): TargetCalls | undefined {
  return fs.existsSync('/proc/self/fd') ? new PortableCalls() : undefined;
}

class PortableCalls implements TargetCalls {
  readonly kind = 'portable';
  readonly unseen = ['xattrs', 'flags', 'projectId', 'holes'];
  readonly xattrNames = new Uint8Array(0);
  readonly xattrValue = new Uint8Array(0);

  openPath(path: Uint8Array, flags: number): number {
    return attempt(() => fs.openSync(asBuffer(path), flags));
  }

  openAt(directory: number, name: Uint8Array, flags: number, mode: number): number {
    return attempt(() => fs.openSync(pathAt(directory, name), flags, mode));
  }

  openBeneath(): number {
    return -ENOSYS;
  }

  close(descriptor: number): number {
    return attempt(() => fs.closeSync(descriptor));
  }

  makeDirectoryAt(directory: number, name: Uint8Array, mode: number): number {
    return attempt(() => fs.mkdirSync(pathAt(directory, name), mode));
  }

  makeLinkAt(linkTarget: Uint8Array, directory: number, name: Uint8Array): number {
    return attempt(() => fs.symlinkSync(asBuffer(linkTarget), pathAt(directory, name)));
  }

  makeNodeAt(): number {
    return -ENOSYS;
  }

  linkAt(from: number, fromName: Uint8Array, to: number, toName: Uint8Array): number {
    return attempt(() => fs.linkSync(pathAt(from, fromName), pathAt(to, toName)));
  }

  unlinkAt(directory: number, name: Uint8Array, isDirectory: boolean): number {
    const path = pathAt(directory, name);
    return attempt(() => (isDirectory ? fs.rmdirSync(path) : fs.unlinkSync(path)));
  }

  statAt(directory: number, name: Uint8Array, stat: TargetStat): number {
    const path = pathAt(directory, name);
    return attempt(() => takeStat(fs.lstatSync(path, { bigint: true }), stat));
  }

  statOpen(descriptor: number, stat: TargetStat): number {
    return attempt(() => takeStat(fs.fstatSync(descriptor, { bigint: true }), stat));
  }

  readLinkAt(directory: number, name: Uint8Array): Uint8Array | number {
    let found = new Uint8Array(0);
    const path = pathAt(directory, name);
    const result = attempt(() => {
      found = new Uint8Array(fs.readlinkSync(path, 'buffer'));
    });
    return result < 0 ? result : found;
  }

  write(descriptor: number, { bytes }: Arena, { offset, length, position }: FileRange): number {
    return attempt(() => fs.writeSync(descriptor, bytes, offset, length, position));
  }

  read(descriptor: number, { bytes }: Arena, { offset, length, position }: FileRange): number {
    return attempt(() => fs.readSync(descriptor, bytes, offset, length, position));
  }

  truncate(descriptor: number, bytes: number): number {
    return attempt(() => fs.ftruncateSync(descriptor, bytes));
  }

  punch(): number {
    return -ENOSYS;
  }

  zeroOut(): number {
    return -ENOSYS;
  }

  copy(): number {
    return -ENOSYS;
  }

  seekData(): number {
    return -ENOSYS;
  }

  /** node:fs can write back one file only; asking for a directory is the most that can be done. */
  syncAll(descriptor: number): number {
    return attempt(() => fs.fsyncSync(descriptor));
  }

  changeOwner({ descriptor, isPathOnly }: Place, uid: number, gid: number): number {
    if (!isPathOnly) return attempt(() => fs.fchownSync(descriptor, uid, gid));
    return attempt(() => fs.chownSync(pathOf(descriptor), uid, gid));
  }

  changeMode({ descriptor, isPathOnly }: Place, mode: number): number {
    if (!isPathOnly) return attempt(() => fs.fchmodSync(descriptor, mode));
    return attempt(() => fs.chmodSync(pathOf(descriptor), mode));
  }

  /** node:fs takes a double, which holds a time of today to some 200 ns only. */
  setTimes({ descriptor, isPathOnly }: Place, seconds: number, nanoseconds: number): number {
    const time = seconds + nanoseconds / 1e9;
    if (!isPathOnly) return attempt(() => fs.futimesSync(descriptor, time, time));
    return attempt(() => fs.utimesSync(pathOf(descriptor), time, time));
  }

  listXattrs(): number {
    return -ENOSYS;
  }

  getXattr(): number {
    return -ENOSYS;
  }

  setXattr(): number {
    return -ENOSYS;
  }

  removeXattr(): number {
    return -ENOSYS;
  }

  getFlags(): number {
    return -ENOSYS;
  }

  setFlags(): number {
    return -ENOSYS;
  }

  getProjectId(): number {
    return -ENOSYS;
  }

  setProjectId(): number {
    return -ENOSYS;
  }
}

function pathOf(descriptor: number): string {
  return `/proc/self/fd/${descriptor}`;
}

function pathAt(directory: number, name: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${directory}/`), name]);
}

/** The result of `call`, 0 when it has none, or the errno below zero. */
function attempt(call: () => number | void): number {
  try {
    return call() ?? 0;
  } catch (error) {
    const code = systemCodeOf(error) ?? '';
    const errno = ERRNOS.get(code);
    if (errno !== undefined) return -errno;
    // node:fs checks its arguments itself: a name with a NUL, a time that no double can be.
    if (code === 'ERR_INVALID_ARG_VALUE') return -EINVAL;
    throw error;
  }
}

function takeStat(from: fs.BigIntStats, stat: TargetStat): void {
  const mode = Number(from.mode);
  stat.type = mode >>> 12;
  stat.permissions = mode & 0o7777;
  stat.uid = Number(from.uid);
  stat.gid = Number(from.gid);
  stat.size = Number(from.size);
  const fraction = ((from.mtimeNs % NANOSECONDS) + NANOSECONDS) % NANOSECONDS;
  stat.mtimeSeconds = Number((from.mtimeNs - fraction) / NANOSECONDS);
  stat.mtimeNanoseconds = Number(fraction);
  stat.inodeHigh = Number(BigInt.asUintN(32, from.ino >> 32n));
  stat.inodeLow = Number(BigInt.asUintN(32, from.ino));
  stat.nodeMajor = deviceMajor(from.rdev);
  stat.nodeMinor = deviceMinor(from.rdev);
  stat.deviceMajor = deviceMajor(from.dev);
  stat.deviceMinor = deviceMinor(from.dev);
  stat.linkCount = Number(from.nlink);
  stat.blocks = Number(from.blocks);
  stat.blockBytes = Number(from.blksize);
  stat.attributes = 0;
}

// The layout of dev_t in glibc and musl (sys/sysmacros.h).
function deviceMajor(device: bigint): number {
  return Number(((device >> 32n) & 0xfffff000n) | ((device >> 8n) & 0xfffn));
}

function deviceMinor(device: bigint): number {
  return Number(((device >> 12n) & 0xffffff00n) | (device & 0xffn));
}

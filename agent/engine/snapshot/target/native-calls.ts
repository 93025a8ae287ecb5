// The calls of target-calls.ts through koffi. Struct layouts: linux/stat.h (statx),
// linux/openat2.h (open_how), linux/fs.h (fsxattr), time.h (timespec of two 64-bit words).
//
// Every call that fails is looked up in errno at once, before anything else runs.

import { constants as osConstants } from 'node:os';

import { allocateArena, type Arena } from '#engine/base/arena.ts';
import { nativeErrno } from '#engine/base/native.ts';

import { NativeXattrs } from './native-xattrs.ts';
import {
  BLKZEROOUT,
  FS_IOC_FSGETXATTR,
  FS_IOC_FSSETXATTR,
  FS_IOC_GETFLAGS,
  FS_IOC_SETFLAGS,
  SYSCALL_OPENAT2,
  nativeFunctions,
  type NativeFunctions,
} from './native-functions.ts';
import { retried } from './native-retry.ts';
import { ScratchText } from './scratch-text.ts';
import type { CopyRange, DeviceNumber, FileRange, Place, TargetCalls } from './target-calls.ts';
import type { TargetStat } from './target-stat.ts';

const { EINTR, EAGAIN, ENAMETOOLONG } = osConstants.errno;
const O_CLOEXEC = 0o2000000;
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_REMOVEDIR = 0x200;
const AT_NO_AUTOMOUNT = 0x800;
const AT_EMPTY_PATH = 0x1000;
const STATX_BASIC_STATS = 0x7ff;
const STATX_BYTES = 256;
const OPEN_HOW_BYTES = 24;
const FALLOC_KEEP_SIZE = 1;
const FALLOC_PUNCH_HOLE = 2;
const SEEK_DATA = 3;
const WORD = 0x1_0000_0000;
/** Linux gives at most a page; a target that fills this was cut off. */
const LINK_BYTES = 8192;
const INTERRUPTIONS_MAX = 100;
const FSXATTR_PROJECT_WORD = 3;

/** The calls through koffi, or undefined where they are not to be had. */
export function openNativeCalls(): TargetCalls | undefined {
  const functions = nativeFunctions();
  return functions && new NativeCalls(functions);
}

class NativeCalls implements TargetCalls {
  readonly kind = 'native';
  readonly unseen = [];
  readonly #call: NativeFunctions;
  readonly #xattrs: NativeXattrs;
  readonly #name = new ScratchText();
  readonly #otherName = new ScratchText();
  readonly #statx: Arena = allocateArena(STATX_BYTES);
  readonly #words = new Uint32Array(this.#statx.bytes.buffer);
  readonly #signed = new Int32Array(this.#statx.bytes.buffer);
  readonly #halves = new Uint16Array(this.#statx.bytes.buffer);
  /** timespecs, open_how, fsxattr or the flags: whatever the next call takes. */
  readonly #argument: Arena = allocateArena(128);
  readonly #argumentWords = new Uint32Array(this.#argument.bytes.buffer);
  readonly #link: Arena = allocateArena(LINK_BYTES);
  readonly #empty: Arena = allocateArena(128);

  constructor(functions: NativeFunctions) {
    this.#call = functions;
    this.#xattrs = new NativeXattrs(functions);
  }

  openPath(path: Uint8Array, flags: number): number {
    return this.openAt(AT_FDCWD, path, flags, 0);
  }

  openAt(directory: number, name: Uint8Array, flags: number, mode: number): number {
    const address = this.#name.put(name);
    if (address === 0) return -ENAMETOOLONG;
    return retried(() => this.#call.openat(directory, address, flags | O_CLOEXEC, mode));
  }

  openBeneath(directory: number, path: Uint8Array, flags: number, resolve: number): number {
    const address = this.#name.put(path);
    if (address === 0) return -ENAMETOOLONG;
    const words = this.#argumentWords;
    words.fill(0, 0, OPEN_HOW_BYTES / 4);
    words[0] = (flags | O_CLOEXEC) >>> 0;
    words[4] = resolve;
    for (let attempt = 0; ; attempt++) {
      const how = this.#argument.address;
      const result = retried(() =>
        this.#call.syscall(SYSCALL_OPENAT2, directory, address, how, OPEN_HOW_BYTES),
      );
      // The kernel asks for another try when something was moved meanwhile (openat2(2)).
      if (result !== -EAGAIN || attempt >= INTERRUPTIONS_MAX) return result;
    }
  }

  /** Never again after EINTR: the descriptor is gone then, and may be another's. */
  close(descriptor: number): number {
    if (this.#call.close(descriptor) === 0) return 0;
    const errno = nativeErrno();
    return errno === EINTR ? 0 : -errno;
  }

  makeDirectoryAt(directory: number, name: Uint8Array, mode: number): number {
    const address = this.#name.put(name);
    if (address === 0) return -ENAMETOOLONG;
    return retried(() => this.#call.mkdirat(directory, address, mode));
  }

  makeLinkAt(linkTarget: Uint8Array, directory: number, name: Uint8Array): number {
    const from = this.#otherName.put(linkTarget);
    const address = this.#name.put(name);
    if (from === 0 || address === 0) return -ENAMETOOLONG;
    return retried(() => this.#call.symlinkat(from, directory, address));
  }

  makeNodeAt(directory: number, name: Uint8Array, mode: number, device: DeviceNumber): number {
    const address = this.#name.put(name);
    if (address === 0) return -ENAMETOOLONG;
    const number = deviceNumber(device);
    return retried(() => this.#call.mknodat(directory, address, mode, number));
  }

  linkAt(from: number, fromName: Uint8Array, to: number, toName: Uint8Array): number {
    const existing = this.#otherName.put(fromName);
    const address = this.#name.put(toName);
    if (existing === 0 || address === 0) return -ENAMETOOLONG;
    // Without AT_SYMLINK_FOLLOW a link gets a second name, not what it points to.
    return retried(() => this.#call.linkat(from, existing, to, address, 0));
  }

  unlinkAt(directory: number, name: Uint8Array, isDirectory: boolean): number {
    const address = this.#name.put(name);
    if (address === 0) return -ENAMETOOLONG;
    const flags = isDirectory ? AT_REMOVEDIR : 0;
    return retried(() => this.#call.unlinkat(directory, address, flags));
  }

  statAt(directory: number, name: Uint8Array, stat: TargetStat): number {
    const address = this.#name.put(name);
    if (address === 0) return -ENAMETOOLONG;
    return this.#stat(directory, address, AT_SYMLINK_NOFOLLOW, stat);
  }

  statOpen(descriptor: number, stat: TargetStat): number {
    return this.#stat(descriptor, this.#empty.address, AT_EMPTY_PATH, stat);
  }

  #stat(descriptor: number, address: number, flags: number, stat: TargetStat): number {
    const all = flags | AT_NO_AUTOMOUNT;
    const { address: buffer } = this.#statx;
    const result = retried(() =>
      this.#call.statx(descriptor, address, all, STATX_BASIC_STATS, buffer),
    );
    if (result === 0) this.#takeStat(stat);
    return result;
  }

  /** Indexes are offsets in struct statx divided by the width of the view. */
  #takeStat(stat: TargetStat): void {
    const words = this.#words;
    const mode = this.#halves[14];
    stat.blockBytes = words[1];
    stat.attributes = words[2];
    stat.linkCount = words[4];
    stat.uid = words[5];
    stat.gid = words[6];
    stat.type = mode >>> 12;
    stat.permissions = mode & 0o7777;
    stat.inodeLow = words[8];
    stat.inodeHigh = words[9];
    stat.size = words[11] * WORD + words[10];
    stat.blocks = words[13] * WORD + words[12];
    stat.mtimeSeconds = this.#signed[29] * WORD + words[28];
    stat.mtimeNanoseconds = words[30];
    stat.nodeMajor = words[32];
    stat.nodeMinor = words[33];
    stat.deviceMajor = words[34];
    stat.deviceMinor = words[35];
  }

  readLinkAt(directory: number, name: Uint8Array): Uint8Array | number {
    const address = this.#name.put(name);
    if (address === 0) return -ENAMETOOLONG;
    const { bytes, address: buffer } = this.#link;
    const length = retried(() => this.#call.readlinkat(directory, address, buffer, bytes.length));
    if (length < 0) return length;
    return length < bytes.length ? bytes.slice(0, length) : -ENAMETOOLONG;
  }

  write(descriptor: number, arena: Arena, range: FileRange): number {
    const address = addressWithin(arena, range);
    return retried(() => this.#call.pwrite(descriptor, address, range.length, range.position));
  }

  read(descriptor: number, arena: Arena, range: FileRange): number {
    const address = addressWithin(arena, range);
    return retried(() => this.#call.pread(descriptor, address, range.length, range.position));
  }

  truncate(descriptor: number, bytes: number): number {
    return retried(() => this.#call.ftruncate(descriptor, bytes));
  }

  punch(descriptor: number, position: number, length: number): number {
    const mode = FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE;
    return retried(() => this.#call.fallocate(descriptor, mode, position, length));
  }

  zeroOut(descriptor: number, position: number, length: number): number {
    this.#putLong(0, position);
    this.#putLong(2, length);
    return this.#control(descriptor, BLKZEROOUT);
  }

  copy(from: number, to: number, { fromPosition, toPosition, length }: CopyRange): number {
    const { address } = this.#argument;
    return retried(() => {
      this.#putLong(0, fromPosition);
      this.#putLong(2, toPosition);
      return this.#call.copyFileRange(from, address, to, address + 8, length, 0);
    });
  }

  seekData(descriptor: number, position: number): number {
    return retried(() => this.#call.lseek(descriptor, position, SEEK_DATA));
  }

  syncAll(descriptor: number): number {
    return retried(() => this.#call.syncfs(descriptor));
  }

  changeOwner({ descriptor, isPathOnly }: Place, uid: number, gid: number): number {
    if (!isPathOnly) return retried(() => this.#call.fchown(descriptor, uid, gid));
    const { address } = this.#empty;
    return retried(() => this.#call.fchownat(descriptor, address, uid, gid, AT_EMPTY_PATH));
  }

  changeMode({ descriptor, isPathOnly }: Place, mode: number): number {
    if (!isPathOnly) return retried(() => this.#call.fchmod(descriptor, mode));
    const address = this.#name.putDescriptorPath(descriptor);
    return retried(() => this.#call.chmod(address, mode));
  }

  setTimes({ descriptor, isPathOnly }: Place, seconds: number, nanoseconds: number): number {
    this.#putLong(0, seconds);
    this.#putLong(2, nanoseconds);
    this.#argumentWords.copyWithin(4, 0, 4);
    const { address: times } = this.#argument;
    if (!isPathOnly) return retried(() => this.#call.futimens(descriptor, times));
    // Through /proc, because kernels before 5.8 do not take AT_EMPTY_PATH here.
    const address = this.#name.putDescriptorPath(descriptor);
    return retried(() => this.#call.utimensat(AT_FDCWD, address, times, 0));
  }

  /** A 64-bit word of the argument; `index` counts words of 32 bits. */
  #putLong(index: number, value: number): void {
    const words = this.#argumentWords;
    const high = Math.floor(value / WORD);
    words[index] = value - high * WORD;
    words[index + 1] = high;
  }

  get xattrNames(): Uint8Array {
    return this.#xattrs.names.bytes;
  }

  get xattrValue(): Uint8Array {
    return this.#xattrs.value.bytes;
  }

  listXattrs(place: Place): number {
    return this.#xattrs.list(place);
  }

  getXattr(place: Place, name: string): number {
    return this.#xattrs.get(place, name);
  }

  setXattr(place: Place, name: string, value: Uint8Array): number {
    return this.#xattrs.set(place, name, value);
  }

  removeXattr(place: Place, name: string): number {
    return this.#xattrs.remove(place, name);
  }

  getFlags({ descriptor }: Place): number {
    const result = this.#control(descriptor, FS_IOC_GETFLAGS);
    return result < 0 ? result : this.#argumentWords[0];
  }

  setFlags({ descriptor }: Place, flags: number): number {
    this.#argumentWords[0] = flags;
    return this.#control(descriptor, FS_IOC_SETFLAGS);
  }

  getProjectId({ descriptor }: Place): number {
    const result = this.#control(descriptor, FS_IOC_FSGETXATTR);
    return result < 0 ? result : this.#argumentWords[FSXATTR_PROJECT_WORD];
  }

  setProjectId(place: Place, projectId: number): number {
    // The rest of struct fsxattr goes back as it came.
    const result = this.getProjectId(place);
    if (result < 0) return result;
    this.#argumentWords[FSXATTR_PROJECT_WORD] = projectId;
    return this.#control(place.descriptor, FS_IOC_FSSETXATTR);
  }

  #control(descriptor: number, request: number): number {
    const { address } = this.#argument;
    return retried(() => this.#call.ioctl(descriptor, request, address));
  }
}

function addressWithin(arena: Arena, { offset, length, position }: FileRange): number {
  const isWithin = offset >= 0 && length >= 0 && offset + length <= arena.bytes.length;
  if (isWithin && position >= 0) return arena.address + offset;
  throw new RangeError(`${length} bytes at ${offset} do not fit the arena`);
}

/**
 * dev_t of glibc and musl (sys/sysmacros.h); a double holds it as long as the major has 20 bits.
 */
function deviceNumber({ major, minor }: DeviceNumber): number {
  const low = ((minor & 0xff) | ((major & 0xfff) << 8)) >>> 0;
  const middle = Math.floor(minor / 0x100) * 0x10_0000;
  return low + middle + Math.floor(major / 0x1000) * 0x1000_0000_0000;
}

// Extended attributes, inode flags and project ids by system calls (xattr(7), ioctl_iflags(2),
// linux/fs.h struct fsxattr). Most files have none, so each call is there to learn that; calls that
// a file system does not know are made once for each device.

import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { allocateArena, type Arena } from '#engine/base/arena.ts';
import { BTRFS, TMPFS } from '#engine/base/file-system-types.ts';
import { nativeErrno, nativeFunction, type NativeFunction } from '#engine/base/native.ts';
import type { ExtendedAttribute } from '#engine/format/entry-extras.ts';
import { SETTABLE_FLAGS } from './inode-flags.ts';
import { ATTRIBUTE_BYTES_MAX, type SourceAttributes } from './source-attributes.ts';
import { errnoName } from './source-error.ts';
import type { SourceDirectory } from './source-file-system.ts';
import type { SourceListing } from './source-listing.ts';
import type { SourceStat } from './source-stat.ts';

const { EINTR, ENOTTY, EOPNOTSUPP, ENOSYS, EINVAL, ENODATA, ERANGE } = constants.errno;
/** The most that Linux gives for a list of names, and for one value (linux/limits.h). */
const XATTR_BYTES_MAX = 64 * 1024;
/** The kernel makes a list in memory of this size, whatever the list turns out to have: the most
 * takes it 0.9 us longer than this (tmpfs and ext4). Longer lists are asked for again. */
const FIRST_LIST_BYTES = 256;
const FS_IOC_GETFLAGS = 0x8008_6601;
const FS_IOC_FSGETXATTR = 0x801c_581f;
/** Offset of fsx_projid, in words. */
const PROJECT_WORD = 3;
const STATFS_BYTES = 256;
const TRIES_MAX = 10;
/** A way through /proc to a name; FUSE takes names of up to 1,024 bytes. */
const PATH_BYTES = 2048;
/** Where files of one device lie on several file systems, the first says nothing of the others. */
const OVERLAYFS = 0x794c_7630;
/** statfs(2) f_type of what knows no project ids: tmpfs, ramfs, btrfs, NFS, FUSE, CIFS, SMB2. */
const WITHOUT_PROJECTS: ReadonlySet<number> = new Set([
  TMPFS,
  0x8584_58f6,
  BTRFS,
  0x6969,
  0x6573_5546,
  0xff53_4d42,
  0xfe53_4d42,
]);

interface AttributeCalls {
  readonly flistxattr: NativeFunction;
  readonly fgetxattr: NativeFunction;
  readonly llistxattr: NativeFunction;
  readonly lgetxattr: NativeFunction;
  readonly ioctl: NativeFunction;
  readonly fstatfs: NativeFunction;
}

/** What a device has turned out to know. */
interface Device {
  readonly isUniform: boolean;
  hasXattrs: boolean;
  hasFlags: boolean;
  hasProjects: boolean;
}

function loadCalls(): AttributeCalls | undefined {
  const flistxattr = nativeFunction('int64_t flistxattr(int, uintptr_t, size_t)');
  const fgetxattr = nativeFunction('int64_t fgetxattr(int, uintptr_t, uintptr_t, size_t)');
  const llistxattr = nativeFunction('int64_t llistxattr(uintptr_t, uintptr_t, size_t)');
  const lgetxattr = nativeFunction('int64_t lgetxattr(uintptr_t, uintptr_t, uintptr_t, size_t)');
  const ioctl = nativeFunction('int ioctl(int, unsigned long, uintptr_t)');
  const fstatfs = nativeFunction('int fstatfs(int, uintptr_t)');
  if (!flistxattr || !fgetxattr || !llistxattr || !lgetxattr || !ioctl || !fstatfs) {
    return undefined;
  }
  return { flistxattr, fgetxattr, llistxattr, lgetxattr, ioctl, fstatfs };
}

/** The attributes of a native file system, or undefined where they are not to be had. */
export function openNativeAttributes(): NativeAttributes | undefined {
  const calls = loadCalls();
  return calls && new NativeAttributes(calls);
}

/** How the names and one value of an entry are asked for: by descriptor or by path. */
interface Asking {
  readonly list: (address: number, bytes: number) => number;
  readonly get: (name: number, address: number, bytes: number) => number;
}

/** What is found of one entry; nothing is allocated until there is something. */
class Findings {
  xattrs: ExtendedAttribute[] | undefined;
  unreadable: string[] | undefined;

  fail(what: string, errno: number): void {
    (this.unreadable ??= []).push(`${what}: ${errnoName(errno)}`);
  }

  withFailure(what: string, errno: number): Findings {
    const more = new Findings();
    more.xattrs = this.xattrs;
    more.unreadable = [...(this.unreadable ?? [])];
    more.fail(what, errno);
    return more;
  }
}

export class NativeAttributes {
  readonly #calls: AttributeCalls;
  readonly #names: Arena = allocateArena(XATTR_BYTES_MAX);
  readonly #value: Arena = allocateArena(XATTR_BYTES_MAX);
  readonly #words: Arena = allocateArena(STATFS_BYTES);
  readonly #numbers = new Uint32Array(this.#words.bytes.buffer);
  readonly #path: Arena = allocateArena(PATH_BYTES);
  readonly #hasDescriptorPaths = existsSync('/proc/self/fd');
  readonly #devices = new Map<number, Device>();
  readonly #nothing = new Findings();
  /** The device of the file before: nearly always that of the next. */
  #last: Device | undefined;
  #lastMajor = 0;
  #lastMinor = 0;

  constructor(calls: AttributeCalls) {
    this.#calls = calls;
  }

  /** Of an open file or directory that `stat` describes; undefined when there is nothing. */
  ofOpen(descriptor: number, stat: SourceStat): SourceAttributes | undefined {
    const device = this.#deviceOf(descriptor, stat);
    const { flistxattr, fgetxattr } = this.#calls;
    // What is to be made for a file that has something is not made for the many that have nothing.
    let findings = this.#nothing;
    if (device.hasXattrs) {
      const length = flistxattr(descriptor, this.#names.address, FIRST_LIST_BYTES);
      if (length !== 0) {
        findings = new Findings();
        const asking: Asking = {
          list: (address, bytes) => flistxattr(descriptor, address, bytes),
          get: (name, address, bytes) => fgetxattr(descriptor, name, address, bytes),
        };
        this.#takeXattrs(length, asking, device, findings);
      }
    }
    let flags = 0;
    let projectId = 0;
    if (device.hasFlags) {
      if (this.#ioctl(descriptor, FS_IOC_GETFLAGS)) {
        flags = this.#numbers[0] & SETTABLE_FLAGS;
      } else if (isUnknownCall(nativeErrno())) {
        if (device.isUniform) device.hasFlags = false;
      } else {
        findings = findings.withFailure('inode flags', nativeErrno());
      }
    }
    if (device.hasProjects) {
      if (this.#ioctl(descriptor, FS_IOC_FSGETXATTR)) {
        projectId = this.#numbers[PROJECT_WORD];
      } else if (isUnknownCall(nativeErrno())) {
        if (device.isUniform) device.hasProjects = false;
      } else {
        findings = findings.withFailure('project id', nativeErrno());
      }
    }
    return sourceAttributes(findings, flags, projectId);
  }

  /**
   * Of an entry that is not to be opened: a link, pipe, socket or device, whose flags and project
   * cannot be asked for. Only the last name is not followed, and it stands in an open directory.
   */
  ofEntry(
    directory: SourceDirectory,
    names: SourceListing,
    index: number,
    stat: SourceStat,
  ): SourceAttributes | undefined {
    const findings = new Findings();
    const device = this.#deviceOf(directory.descriptor, stat);
    if (!device.hasXattrs) return undefined;
    if (!this.#hasDescriptorPaths) {
      findings.unreadable = ['extended attributes: there is no /proc'];
      return sourceAttributes(findings, 0, 0);
    }
    const { llistxattr, lgetxattr } = this.#calls;
    const path = this.#pathOf(directory, names.nameAt(index));
    const asking: Asking = {
      list: (address, bytes) => llistxattr(path, address, bytes),
      get: (name, address, bytes) => lgetxattr(path, name, address, bytes),
    };
    const length = asking.list(this.#names.address, FIRST_LIST_BYTES);
    if (length !== 0) this.#takeXattrs(length, asking, device, findings);
    return sourceAttributes(findings, 0, 0);
  }

  #deviceOf(descriptor: number, { deviceMajor, deviceMinor }: SourceStat): Device {
    const isLast = this.#lastMajor === deviceMajor && this.#lastMinor === deviceMinor;
    if (isLast && this.#last) return this.#last;
    const key = deviceMajor * 0x1_0000_0000 + deviceMinor;
    const device = this.#devices.get(key) ?? this.#newDevice(descriptor, key);
    this.#last = device;
    this.#lastMajor = deviceMajor;
    this.#lastMinor = deviceMinor;
    return device;
  }

  #newDevice(descriptor: number, key: number): Device {
    const status = this.#calls.fstatfs(descriptor, this.#words.address);
    const type = status === 0 ? this.#numbers[0] : 0;
    const device = {
      isUniform: type !== OVERLAYFS,
      hasXattrs: true,
      hasFlags: true,
      hasProjects: !WITHOUT_PROJECTS.has(type),
    };
    this.#devices.set(key, device);
    return device;
  }

  /** `length` is what the first call for the list gave. */
  #takeXattrs(length: number, asking: Asking, device: Device, findings: Findings): void {
    let listed = length;
    for (let tries = 0; listed < 0; tries++) {
      const errno = nativeErrno();
      if ((errno !== EINTR && errno !== ERANGE) || tries >= TRIES_MAX) {
        if (errno !== EOPNOTSUPP && errno !== ENOSYS) findings.fail('extended attributes', errno);
        else if (device.isUniform) device.hasXattrs = false;
        return;
      }
      listed = asking.list(this.#names.address, XATTR_BYTES_MAX);
    }
    const xattrs: ExtendedAttribute[] = [];
    const { bytes } = this.#names;
    let total = 0;
    for (let start = 0; start < listed;) {
      const end = bytes.indexOf(0, start);
      const name = Buffer.from(bytes.buffer, start, end - start).toString('latin1');
      const value = this.#valueOf(name, this.#names.address + start, asking, findings);
      start = end + 1;
      if (value === undefined) continue;
      total += name.length + value.length;
      if (total <= ATTRIBUTE_BYTES_MAX) xattrs.push({ name, value });
      else (findings.unreadable ??= []).push(`${name}: more than ${ATTRIBUTE_BYTES_MAX} bytes`);
    }
    if (xattrs.length > 0) findings.xattrs = xattrs.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Undefined when it is gone by now or cannot be read. */
  #valueOf(
    name: string,
    address: number,
    { get }: Asking,
    findings: Findings,
  ): Uint8Array | undefined {
    for (let tries = 0; ; tries++) {
      const length = get(address, this.#value.address, XATTR_BYTES_MAX);
      if (length >= 0) return this.#value.bytes.slice(0, length);
      const errno = nativeErrno();
      if (errno === ENODATA) return undefined;
      if ((errno === EINTR || errno === ERANGE) && tries < TRIES_MAX) continue;
      findings.fail(name, errno);
      return undefined;
    }
  }

  /** Fills the words; false leaves errno as it is. */
  #ioctl(descriptor: number, request: number): boolean {
    for (let tries = 0; ; tries++) {
      if (this.#calls.ioctl(descriptor, request, this.#words.address) === 0) return true;
      if (tries >= TRIES_MAX || nativeErrno() !== EINTR) return false;
    }
  }

  /** Address of `/proc/self/fd/N/name`. */
  #pathOf(directory: SourceDirectory, name: Uint8Array): number {
    const { bytes, address } = this.#path;
    const prefix = `/proc/self/fd/${directory.descriptor}/`;
    for (let index = 0; index < prefix.length; index++) bytes[index] = prefix.charCodeAt(index);
    bytes.set(name, prefix.length);
    bytes[prefix.length + name.length] = 0;
    return address;
  }
}

function isUnknownCall(errno: number): boolean {
  return errno === ENOTTY || errno === EOPNOTSUPP || errno === ENOSYS || errno === EINVAL;
}

function sourceAttributes(
  { xattrs, unreadable }: Findings,
  flags: number,
  projectId: number,
): SourceAttributes | undefined {
  const isNothing =
    xattrs === undefined && unreadable === undefined && flags === 0 && projectId === 0;
  return isNothing
    ? undefined
    : { xattrs: xattrs ?? [], flags, projectId, unreadable: unreadable ?? [] };
}

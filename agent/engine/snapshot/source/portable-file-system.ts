// The source through node:fs, for machines where native calls are not to be had, and the yardstick
// that the native one is compared with. On Linux children are reached through the descriptor of
// their directory (/proc/self/fd), elsewhere by path, which ends at the system's longest path.

import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  readdirSync,
  readlinkSync,
  type BigIntStats,
  type Dirent,
} from 'node:fs';

import type { Arena } from '#engine/base/arena.ts';
import { asBuffer } from '#engine/base/bytes.ts';
import { isEngineError, systemCodeOf } from '#engine/base/errors.ts';

import { linkError, rootError, sourceError } from './source-error.ts';
import {
  entryPath,
  type OpenRootOptions,
  type ReadRange,
  type SourceDirectory,
  type SourceFile,
  type SourceFileSystem,
} from './source-file-system.ts';
import { SourceHandle, joinPath, type OpenSource } from './source-handle.ts';
import { type SourceListing } from './source-listing.ts';
import { ENTRY_TYPE, type SourceStat } from './source-stat.ts';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;
// Absent outside Linux.
const O_NOATIME = (constants as { O_NOATIME?: number }).O_NOATIME ?? 0;
const NANOSECONDS = 1_000_000_000n;

/** The source through node:fs. */
export function openPortableFileSystem(): SourceFileSystem {
  return new PortableFileSystem(existsSync('/proc/self/fd'));
}

class PortableFileSystem implements SourceFileSystem {
  readonly kind = 'portable';
  readonly #hasDescriptorPaths: boolean;

  constructor(hasDescriptorPaths: boolean) {
    this.#hasDescriptorPaths = hasDescriptorPaths;
  }

  openRoot(path: string | Uint8Array, options: OpenRootOptions): SourceDirectory {
    const bytes = new Uint8Array(Buffer.from(path));
    const flags = O_RDONLY | O_DIRECTORY | (options.followsLinks ? 0 : O_NOFOLLOW);
    try {
      return new SourceHandle(openLeavingAccessTime(bytes, flags), bytes, undefined, closeSync);
    } catch (cause) {
      throw rootError({ attempt: 'open source', path: bytes, errno: errnoOf(cause), cause });
    }
  }

  openDirectory(parent: SourceDirectory, names: SourceListing, index: number): SourceDirectory {
    return this.#openChild(parent, names, index, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  }

  openFile(directory: SourceDirectory, names: SourceListing, index: number): SourceFile {
    return this.#openChild(directory, names, index, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  }

  #openChild(
    parent: SourceDirectory,
    names: SourceListing,
    index: number,
    flags: number,
  ): SourceHandle {
    try {
      const descriptor = openLeavingAccessTime(this.#childPath(parent, names, index), flags);
      return new SourceHandle(descriptor, names.nameAt(index).slice(), parent, closeSync);
    } catch (cause) {
      const path = entryPath(parent, names, index);
      throw sourceError({ attempt: 'open', path, errno: errnoOf(cause), cause });
    }
  }

  #childPath(parent: SourceDirectory, names: SourceListing, index: number): Uint8Array {
    return joinPath(this.#pathOf(parent), names.nameAt(index));
  }

  #pathOf(directory: SourceDirectory): Uint8Array {
    if (!this.#hasDescriptorPaths) return directory.path;
    return Buffer.from(`/proc/self/fd/${directory.descriptor}`);
  }

  list(directory: SourceDirectory, listing: SourceListing): void {
    listing.clear();
    let entries: Dirent<Buffer>[];
    try {
      const path = asBuffer(this.#pathOf(directory));
      entries = readdirSync(path, { encoding: 'buffer', withFileTypes: true });
    } catch (cause) {
      throw sourceError({
        attempt: 'list',
        path: directory.path,
        errno: errnoOf(cause),
        cause,
      });
    }
    for (const entry of entries) listing.add(entry.name, typeOfDirent(entry));
    listing.sort();
  }

  statAt(directory: SourceDirectory, names: SourceListing, index: number, stat: SourceStat): void {
    try {
      const path = asBuffer(this.#childPath(directory, names, index));
      takeStat(lstatSync(path, { bigint: true }), stat);
    } catch (cause) {
      const path = entryPath(directory, names, index);
      throw sourceError({ attempt: 'examine', path, errno: errnoOf(cause), cause });
    }
  }

  statOpen(source: OpenSource, stat: SourceStat): void {
    try {
      takeStat(fstatSync(source.descriptor, { bigint: true }), stat);
    } catch (cause) {
      throw sourceError({ attempt: 'examine', path: source.path, errno: errnoOf(cause), cause });
    }
  }

  read(source: OpenSource, target: Arena, range: ReadRange): number {
    const { targetOffset, length, position = null } = range;
    try {
      return readSync(source.descriptor, target.bytes, targetOffset, length, position);
    } catch (cause) {
      throw sourceError({ attempt: 'read', path: source.path, errno: errnoOf(cause), cause });
    }
  }

  readLink(directory: SourceDirectory, names: SourceListing, index: number): Uint8Array {
    try {
      const path = asBuffer(this.#childPath(directory, names, index));
      return new Uint8Array(readlinkSync(path, 'buffer'));
    } catch (cause) {
      throw linkError(entryPath(directory, names, index), errnoOf(cause), cause);
    }
  }

  holesOf(): undefined {
    return undefined;
  }

  attributesOf(): undefined {
    return undefined;
  }

  attributesAt(): undefined {
    return undefined;
  }
}

/** Only the owner may leave access times alone; others get EPERM and open as everybody does. */
function openLeavingAccessTime(path: Uint8Array, flags: number): number {
  const buffer = asBuffer(path);
  try {
    return openSync(buffer, flags | O_NOATIME);
  } catch (error) {
    if (O_NOATIME === 0 || systemCodeOf(error) !== 'EPERM') throw error;
    return openSync(buffer, flags);
  }
}

/** What the system said; anything else that was thrown is a mistake of ours and goes on its way. */
function errnoOf(error: unknown): string {
  const code = systemCodeOf(error);
  if (code === undefined || isEngineError(error) || code.startsWith('ERR_')) throw error;
  return code;
}

/** node:fs asks lstat itself where the file system does not report types. */
function typeOfDirent(entry: Dirent<Buffer>): number {
  if (entry.isFile()) return ENTRY_TYPE.file;
  if (entry.isDirectory()) return ENTRY_TYPE.directory;
  if (entry.isSymbolicLink()) return ENTRY_TYPE.symlink;
  if (entry.isFIFO()) return ENTRY_TYPE.fifo;
  if (entry.isSocket()) return ENTRY_TYPE.socket;
  if (entry.isBlockDevice()) return ENTRY_TYPE.blockDevice;
  return entry.isCharacterDevice() ? ENTRY_TYPE.characterDevice : ENTRY_TYPE.unknown;
}

function takeStat(from: BigIntStats, stat: SourceStat): void {
  const mode = Number(from.mode);
  stat.type = mode >>> 12;
  stat.permissions = mode & 0o7777;
  stat.uid = Number(from.uid);
  stat.gid = Number(from.gid);
  stat.size = Number(from.size);
  stat.mtimeSeconds = wholeSeconds(from.mtimeNs);
  stat.mtimeNanoseconds = Number(from.mtimeNs - BigInt(stat.mtimeSeconds) * NANOSECONDS);
  stat.mtimeEras = 0;
  stat.ctimeSeconds = wholeSeconds(from.ctimeNs);
  stat.ctimeNanoseconds = Number(from.ctimeNs - BigInt(stat.ctimeSeconds) * NANOSECONDS);
  stat.inodeHigh = Number(BigInt.asUintN(32, from.ino >> 32n));
  stat.inodeLow = Number(BigInt.asUintN(32, from.ino));
  stat.nodeMajor = deviceMajor(from.rdev);
  stat.nodeMinor = deviceMinor(from.rdev);
  stat.deviceMajor = deviceMajor(from.dev);
  stat.deviceMinor = deviceMinor(from.dev);
  stat.linkCount = Number(from.nlink);
  stat.blocks = Number(from.blocks);
}

/** Rounds down, so that nanoseconds are never below zero. */
function wholeSeconds(nanoseconds: bigint): number {
  const seconds = nanoseconds / NANOSECONDS;
  return Number(nanoseconds % NANOSECONDS < 0n ? seconds - 1n : seconds);
}

// The layout of dev_t in glibc and musl (sys/sysmacros.h).
function deviceMajor(device: bigint): number {
  return Number(((device >> 32n) & 0xfffff000n) | ((device >> 8n) & 0xfffn));
}

function deviceMinor(device: bigint): number {
  return Number(((device >> 12n) & 0xffffff00n) | (device & 0xffn));
}

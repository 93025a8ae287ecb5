// What the target says about one of its entries. One instance is filled again and again.

import { ENTRY_TYPE } from '#engine/snapshot/source/source-stat.ts';

// linux/stat.h, STATX_ATTR_…
const ATTRIBUTE_IMMUTABLE = 0x10;
const ATTRIBUTE_APPEND = 0x20;
const ATTRIBUTE_MOUNT_ROOT = 0x2000;

/** Metadata of one entry. Times are seconds (may be negative) and 0 <= nanoseconds < 1e9. */
export class TargetStat {
  /** One of ENTRY_TYPE. */
  type = 0;
  /** st_mode & 07777. */
  permissions = 0;
  uid = 0;
  gid = 0;
  size = 0;
  mtimeSeconds = 0;
  mtimeNanoseconds = 0;
  inodeHigh = 0;
  inodeLow = 0;
  deviceMajor = 0;
  deviceMinor = 0;
  /** The device that a device node stands for. */
  nodeMajor = 0;
  nodeMinor = 0;
  linkCount = 0;
  /** Allocated blocks of 512 bytes. */
  blocks = 0;
  /** What the file system allocates at a time, as far as it says. */
  blockBytes = 0;
  /** STATX_ATTR_… bits; 0 where they are not to be had. */
  attributes = 0;

  get isDirectory(): boolean {
    return this.type === ENTRY_TYPE.directory;
  }

  get isFile(): boolean {
    return this.type === ENTRY_TYPE.file;
  }

  /** Immutable or append-only: neither content nor attributes can be changed until that is gone. */
  get isProtected(): boolean {
    return (this.attributes & (ATTRIBUTE_IMMUTABLE | ATTRIBUTE_APPEND)) !== 0;
  }

  /** Whether something is mounted here, as far as the kernel says (Linux 5.8). */
  get isMountRoot(): boolean {
    return (this.attributes & ATTRIBUTE_MOUNT_ROOT) !== 0;
  }

  isSameInode(other: TargetStat): boolean {
    return (
      this.inodeLow === other.inodeLow &&
      this.inodeHigh === other.inodeHigh &&
      this.deviceMinor === other.deviceMinor &&
      this.deviceMajor === other.deviceMajor
    );
  }
}

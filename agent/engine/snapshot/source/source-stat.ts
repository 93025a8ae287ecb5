// What the walk knows about one file, directory or link. One instance is filled again for every
// entry: a million entries must not be a million objects. Who keeps values copies them.

/** Type of an entry: the top four bits of st_mode, which are also d_type of a directory record. */
export const ENTRY_TYPE = Object.freeze({
  unknown: 0,
  fifo: 1,
  characterDevice: 2,
  directory: 4,
  blockDevice: 6,
  file: 8,
  symlink: 10,
  socket: 12,
});

const NAMES = new Map<number, string>([
  [ENTRY_TYPE.fifo, 'named pipe'],
  [ENTRY_TYPE.characterDevice, 'character device'],
  [ENTRY_TYPE.directory, 'directory'],
  [ENTRY_TYPE.blockDevice, 'block device'],
  [ENTRY_TYPE.file, 'file'],
  [ENTRY_TYPE.symlink, 'symbolic link'],
  [ENTRY_TYPE.socket, 'socket'],
]);

/** `named pipe`, `socket`, …: the words that outcomes and errors use. */
export function entryTypeName(type: number): string {
  return NAMES.get(type) ?? 'entry of unknown type';
}

/** Only directories, files and links can be stored in a kopia directory (kopia-format.md 10.3). */
export function isStorableType(type: number): boolean {
  return type === ENTRY_TYPE.file || type === ENTRY_TYPE.directory || type === ENTRY_TYPE.symlink;
}

/** Metadata of one entry. Times are seconds (may be negative) and 0 <= nanoseconds < 1e9. */
export class SourceStat {
  /** One of ENTRY_TYPE. */
  type = 0;
  /** st_mode & 07777: permissions, setuid 04000, setgid 02000, sticky 01000. */
  permissions = 0;
  uid = 0;
  gid = 0;
  /** Bytes; of a link the length of its target; of a directory whatever the file system says. */
  size = 0;
  mtimeSeconds = 0;
  mtimeNanoseconds = 0;
  /** How often 2^64 nanoseconds were taken off the mtime since it was read. */
  mtimeEras = 0;
  ctimeSeconds = 0;
  ctimeNanoseconds = 0;
  inodeHigh = 0;
  inodeLow = 0;
  /** The file system that holds the entry. */
  deviceMajor = 0;
  deviceMinor = 0;
  /** The device that a device node stands for. */
  nodeMajor = 0;
  nodeMinor = 0;
  linkCount = 0;
  /** Allocated blocks of 512 bytes; fewer than the size asks for means holes. */
  blocks = 0;

  /** The inode number in full; two words avoid a bigint for each entry that nobody asks. */
  get inode(): bigint {
    return (BigInt(this.inodeHigh) << 32n) | BigInt(this.inodeLow);
  }

  /** Whether both lie on one file system. */
  isOnDeviceOf(other: SourceStat): boolean {
    return this.deviceMajor === other.deviceMajor && this.deviceMinor === other.deviceMinor;
  }
}

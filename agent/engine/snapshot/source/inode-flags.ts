// Inode flags as FS_IOC_GETFLAGS numbers them (linux/fs.h), and which of them mean something to a
// restore. The others tell how the file system stores the file (extents, an index, inline data),
// what it did by itself (encryption, verity), or nothing any more.

const FLAGS = Object.freeze({
  secureDelete: 0x1,
  undelete: 0x2,
  compress: 0x4,
  synchronous: 0x8,
  immutable: 0x10,
  appendOnly: 0x20,
  noDump: 0x40,
  noAccessTime: 0x80,
  noCompress: 0x400,
  journalData: 0x4000,
  noTailMerging: 0x8000,
  synchronousDirectory: 0x1_0000,
  topOfTree: 0x2_0000,
  noCopyOnWrite: 0x80_0000,
  directAccess: 0x200_0000,
  inheritProject: 0x2000_0000,
  caseFold: 0x4000_0000,
});

/** What `chattr` can set on some file system. */
export const SETTABLE_FLAGS: number = Object.values(FLAGS).reduce((all, flag) => all | flag, 0);

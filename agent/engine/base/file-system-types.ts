// How statfs(2) calls file systems (f_type; linux/magic.h), of those that more than one file asks
// for.

/** And ext2 and ext3. */
export const EXT4 = 0xef53;
export const XFS = 0x5846_5342;
export const BTRFS = 0x9123_683e;
export const TMPFS = 0x0102_1994;

// What a file, directory or link has beyond stat: extended attributes, inode flags, a project id.

import type { ExtendedAttribute } from '#engine/format/entry-extras.ts';

/** Attributes of one entry beyond this are named and not stored; Linux allows 64 KiB for each. */
export const ATTRIBUTE_BYTES_MAX = 1024 * 1024;

export interface SourceAttributes {
  /** By name, in bytes. */
  readonly xattrs: readonly ExtendedAttribute[];
  /** Those of SETTABLE_FLAGS. */
  readonly flags: number;
  readonly projectId: number;
  /** What there may be and could not be read, for people: `user.a: EIO`. */
  readonly unreadable: readonly string[];
}

// What an entry is to be like, what may be done about it, and what did not come out as wanted.

import type { EntryExtras } from '#engine/format/entry-extras.ts';

export interface WantedAttributes {
  readonly uid: number;
  readonly gid: number;
  /** st_mode & 07777; of links it means nothing. */
  readonly mode: number;
  /** Whole seconds, may be negative. */
  readonly mtimeSeconds: number;
  /** 0 <= nanoseconds < 1e9 */
  readonly mtimeNanoseconds: number;
  readonly extras?: EntryExtras;
}

/** Something that is not as the snapshot says. */
export interface AttributeDifference {
  /** `mode`, `xattr:user.a`, `flags`, … */
  readonly attribute: string;
  readonly expected: string;
  readonly found: string;
}

/**
 * `keep` restores it; `strip` restores the entry without it and names that as a difference;
 * `refuse` does not make the entry (TARGET_ENTRY_REFUSED).
 */
export type Permission = 'keep' | 'strip' | 'refuse';

export interface AttributePolicy {
  /** setuid and setgid of files. */
  readonly setId: Permission;
  /** Character and block devices; without them nothing is left, so `strip` leaves them out. */
  readonly devices: Permission;
  /** `security.*` but for labels, and `trusted.*`. */
  readonly privilegedXattrs: Permission;
  /** Whether `security.selinux` is restored and compared; labels are the target's else. */
  readonly selinux: boolean;
  /** Whether owner and group are restored and compared; they are the restorer's else. */
  readonly owners: boolean;
}

export const KEEP_ALL: AttributePolicy = Object.freeze({
  setId: 'keep',
  devices: 'keep',
  privilegedXattrs: 'keep',
  selinux: true,
  owners: true,
});

export const PERMISSION_BITS = 0o777;
export const SET_ID_BITS = 0o6000;
export const NO_DIFFERENCES: readonly AttributeDifference[] = Object.freeze([]);

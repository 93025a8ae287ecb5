// Owners, modes and times: setting them on what a restore has made, reading them back, and saying
// where the two disagree. Used by the target thread only; every function here is synchronous.

import fs from 'node:fs';
import { systemCodeOf } from '#engine/base/errors.ts';
import { formatTimestamp } from '#engine/base/timestamp.ts';
import { setFileTimes, setLinkTimes } from './system-calls.ts';

export interface Attributes {
  readonly uid: number;
  readonly gid: number;
  /** POSIX permission bits with setuid, setgid and sticky: at most 0o7777. */
  readonly mode: number;
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint;
}

/** Something that is not as the snapshot says. */
export interface AttributeDifference {
  readonly attribute: string;
  readonly expected: string;
  readonly found: string;
}

const MODE_BITS = 0o7777;
const SET_ID_BITS = 0o6000;

/**
 * Applies `wanted` to an open file or directory and reads it back.
 * @returns what could not be had; empty when all is as wanted
 */
export function applyToHandle(fd: number, wanted: Attributes): AttributeDifference[] {
  attempt(() => fs.fchownSync(fd, wanted.uid, wanted.gid));
  const owned = fs.fstatSync(fd);
  const isOwned = owned.uid === wanted.uid && owned.gid === wanted.gid;
  // A set-id bit on a file of the wrong owner lends the rights of somebody nobody meant.
  const mode = isOwned ? wanted.mode : wanted.mode & ~SET_ID_BITS;
  attempt(() => fs.fchmodSync(fd, mode));
  attempt(() => setFileTimes(fd, wanted.mtimeNs));
  const found = fs.fstatSync(fd, { bigint: true });
  return [
    ...compareOwners(wanted, found),
    ...compareMode(wanted, found),
    ...compareTime(wanted, found),
  ];
}

/** The same for a symlink, whose mode means nothing on Linux. */
export function applyToLink(path: string, wanted: Attributes): AttributeDifference[] {
  attempt(() => fs.lchownSync(path, wanted.uid, wanted.gid));
  attempt(() => setLinkTimes(path, wanted.mtimeNs));
  const found = fs.lstatSync(path, { bigint: true });
  return [...compareOwners(wanted, found), ...compareTime(wanted, found)];
}

/** What may fail for lack of rights or support; reading back afterwards says whether it did. */
const TOLERATED = new Set(['EPERM', 'EACCES', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

function attempt(change: () => void): void {
  try {
    change();
  } catch (error) {
    if (!TOLERATED.has(systemCodeOf(error) ?? '')) throw error;
  }
}

function compareOwners(wanted: Attributes, found: fs.BigIntStats): AttributeDifference[] {
  return [
    ...differ('uid', String(wanted.uid), String(found.uid)),
    ...differ('gid', String(wanted.gid), String(found.gid)),
  ];
}

function compareMode(wanted: Attributes, found: fs.BigIntStats): AttributeDifference[] {
  return differ('mode', octal(wanted.mode), octal(Number(found.mode) & MODE_BITS));
}

function compareTime(wanted: Attributes, found: fs.BigIntStats): AttributeDifference[] {
  return differ('mtime', formatTimestamp(wanted.mtimeNs), formatTimestamp(found.mtimeNs));
}

/** One difference, or none. */
export function differ(attribute: string, expected: string, found: string): AttributeDifference[] {
  return expected === found ? [] : [{ attribute, expected, found }];
}

function octal(mode: number): string {
  return `0${mode.toString(8)}`;
}

// The end of a file or directory: owner, mode, times and all that kopia's entries cannot say, set
// and then read back. What is not as the snapshot says is returned, never passed over.
//
// Most files are small, new and have nothing extra; for them there is a short way of four calls
// (with creating, writing and closing seven). Most of those that were there before are right as
// they are, so they are compared first. Whatever does not come out right takes the long way, so the
// short ones need not know why.

import { constants as osConstants } from 'node:os';

import type { EntryExtras } from '#engine/format/entry-extras.ts';
import { ENTRY_TYPE } from '#engine/snapshot/source/source-stat.ts';

import { applyAttributes, examine, type Subject } from './apply-attributes.ts';
import { assertPermitted, permit } from './attribute-policy.ts';
import { compareAttributes, type Expected } from './compare-attributes.ts';
import type { TargetDirectory, TargetFile, TargetHandle } from './target-handle.ts';
import { targetError } from './target-error.ts';
import type { TargetFileSystem } from './target-file-system.ts';
import { TargetStat } from './target-stat.ts';
import {
  NO_DIFFERENCES,
  SET_ID_BITS,
  type AttributeDifference,
  type AttributePolicy,
  type WantedAttributes,
} from './wanted-attributes.ts';
import { SELINUX_LABEL } from './xattr-names.ts';

export interface SettleOptions {
  readonly policy: AttributePolicy;
}

export interface SettleFileOptions extends SettleOptions {
  /** The size that the file must have. */
  readonly bytes: number;
}

const { ENOSYS, EOPNOTSUPP } = osConstants.errno;
const LABEL_LIST_BYTES = SELINUX_LABEL.length + 1;
/** Scratch of this thread; nothing in here waits. */
const stat = new TargetStat();

/**
 * Gives a file its attributes after its last byte has been written, and compares.
 * @throws TARGET_ENTRY_REFUSED when the policy does (assertPermitted says so before it is made),
 *   and
 *   what ends a restore
 */
export function settleFile(
  fileSystem: TargetFileSystem,
  file: TargetFile,
  wanted: WantedAttributes,
  options: SettleFileOptions,
): readonly AttributeDifference[] {
  if (isPlain(file, wanted, options) && settlePlain(fileSystem, file, wanted, options)) {
    return NO_DIFFERENCES;
  }
  const isOld = file.createdMode === undefined;
  return settle(fileSystem, file, { ...options, type: ENTRY_TYPE.file, wanted, isOld });
}

/** The same for a directory, after everything in it. @throws as settleFile does */
export function settleDirectory(
  fileSystem: TargetFileSystem,
  directory: TargetDirectory,
  wanted: WantedAttributes,
  { policy }: SettleOptions,
): readonly AttributeDifference[] {
  return settle(fileSystem, directory, { policy, type: ENTRY_TYPE.directory, wanted });
}

export interface Settlement extends Expected {
  readonly type: number;
  readonly wanted: WantedAttributes;
  readonly policy: AttributePolicy;
  /** Whether it was there before and may be as wanted. */
  readonly isOld?: boolean;
}

/** The long way, for all that is open. */
export function settle(
  { calls }: TargetFileSystem,
  handle: TargetHandle,
  settlement: Settlement,
): AttributeDifference[] {
  const { type, wanted, policy, isOld } = settlement;
  assertPermitted(handle, type, wanted, policy);
  const permitted = permit(type, wanted, policy);
  const reasons = new Map<string, string>();
  const subject: Subject = { calls, handle, type, wanted, permitted, policy, stat, reasons };
  const isRight = isOld && compareAttributes(subject, settlement).length === 0;
  if (isRight && !lendsToOther(subject)) return [...permitted.stripped];
  examine(subject);
  // What has taken the entry's place gets none of its attributes; comparing names it.
  if (stat.type === type) applyAttributes(subject);
  return [...permitted.stripped, ...compareAttributes(subject, settlement)];
}

/** Whether set-id bits lend the rights of somebody whom nobody meant: the long way takes them. */
function lendsToOther({ wanted, permitted, stat: found }: Subject): boolean {
  const isOther = found.uid !== wanted.uid || found.gid !== wanted.gid;
  return isOther && (permitted.mode & SET_ID_BITS) !== 0;
}

/** Whether the short way may be tried. */
function isPlain(file: TargetFile, { mode, extras }: WantedAttributes, options: SettleOptions) {
  const isUnprivileged = (mode & SET_ID_BITS) === 0 || options.policy.setId === 'keep';
  const isNew = file.createdMode !== undefined && !file.mayInherit;
  return isNew && isUnprivileged && (extras === undefined || saysNothing(extras));
}

/** Names and links of one file are not the affair of its attributes. */
function saysNothing({ xattrs, holes, flags, projectId, unknown }: EntryExtras): boolean {
  return !xattrs && !holes && !flags && !projectId && !unknown;
}

/** True when all is as wanted. Owner and mode of a new file are known and need not be asked for. */
function settlePlain(
  { calls, restorer }: TargetFileSystem,
  file: TargetFile,
  { uid, gid, mode, mtimeSeconds, mtimeNanoseconds }: WantedAttributes,
  { policy, bytes }: SettleFileOptions,
): boolean {
  // Whose a new file is need not be looked up, but where its bits lend rights: in a setgid
  // directory it has the group of that.
  const isLending = (mode & SET_ID_BITS) !== 0;
  if (isLending && !policy.owners) return false;
  const isOwned = uid === restorer.uid && gid === restorer.gid && !isLending;
  if (policy.owners && !isOwned && calls.changeOwner(file, uid, gid) < 0) return false;
  if (mode !== file.createdMode && calls.changeMode(file, mode) < 0) return false;
  if (calls.setTimes(file, mtimeSeconds, mtimeNanoseconds) < 0) return false;
  const result = calls.statOpen(file.descriptor, stat);
  if (result < 0) throw targetError({ attempt: 'examine', path: file.path, errno: -result });
  const isRight =
    stat.type === ENTRY_TYPE.file &&
    stat.size === bytes &&
    stat.permissions === mode &&
    stat.mtimeSeconds === mtimeSeconds &&
    stat.mtimeNanoseconds === mtimeNanoseconds &&
    !stat.isProtected;
  const isOwnerRight = !policy.owners || (stat.uid === uid && stat.gid === gid);
  return isRight && isOwnerRight && hasNoXattrs(calls, file, policy);
}

/** None that the snapshot does not have: a label alone, where labels are not restored, is none. */
function hasNoXattrs(
  calls: TargetFileSystem['calls'],
  file: TargetFile,
  { selinux }: AttributePolicy,
): boolean {
  const bytes = calls.listXattrs(file);
  if (bytes === 0 || bytes === -EOPNOTSUPP || bytes === -ENOSYS) return true;
  if (selinux || bytes !== LABEL_LIST_BYTES) return false;
  return Buffer.from(calls.xattrNames.subarray(0, bytes - 1)).toString('latin1') === SELINUX_LABEL;
}

// Sets attributes, each only where it is not as wanted, in the one order in which none takes
// another away: the owner first, since that drops set-id bits and capabilities; attributes that a
// user may set before the mode that might forbid it; ACLs after the mode, whose group bits they
// are; times after everything that is written; flags last, since some of them forbid every further
// change.
//
// What fails is remembered and not thrown: reading back says what came of it
// (compare-attributes.ts).

import { constants as osConstants } from 'node:os';

import { ENTRY_TYPE } from '#engine/snapshot/source/source-stat.ts';

import type { Permitted } from './attribute-policy.ts';
import { PROTECTING_FLAGS, SETTABLE_FLAGS, clearProtection } from './inode-flags.ts';
import type { TargetCalls } from './target-calls.ts';
import { endsRestore, errnoName, targetError } from './target-error.ts';
import type { TargetHandle } from './target-handle.ts';
import type { TargetStat } from './target-stat.ts';
import { SET_ID_BITS, type AttributePolicy, type WantedAttributes } from './wanted-attributes.ts';
import { isOwnAffair, splitNames, turnOf } from './xattr-names.ts';

const { ENOSPC, EDQUOT, ENODATA } = osConstants.errno;
const NOBODY_NEW = 0xffff_ffff;
const SETUID = 0o4000;
const SETGID = 0o2000;

/** One entry whose attributes are settled. */
export interface Subject {
  readonly calls: TargetCalls;
  readonly handle: TargetHandle;
  /** What it is meant to be, one of ENTRY_TYPE. */
  readonly type: number;
  readonly wanted: WantedAttributes;
  /** Mode and extended attributes as the policy leaves them. */
  readonly permitted: Permitted;
  readonly policy: AttributePolicy;
  /** Scratch. */
  readonly stat: TargetStat;
  /** Why an attribute may not be as wanted, by its name in differences. */
  readonly reasons: Map<string, string>;
}

/** @throws what ends a restore */
export function applyAttributes(subject: Subject): void {
  const { calls, handle, stat } = subject;
  examine(subject);
  if (stat.isProtected && !handle.isPathOnly) clearProtection(calls, handle);
  const setIdBits = applyOwner(subject);
  removeStrangers(subject);
  setXattrs(subject, 'first');
  if (subject.type !== ENTRY_TYPE.symlink) applyMode(subject, setIdBits);
  setXattrs(subject, 'acl');
  setXattrs(subject, 'last');
  if (!handle.isPathOnly) applyProject(subject);
  applyTimes(subject);
  if (!handle.isPathOnly) applyFlags(subject);
}

export function examine({ calls, handle, stat }: Subject): void {
  const result = calls.statOpen(handle.descriptor, stat);
  if (result === 0) return;
  throw targetError({ attempt: 'examine', path: handle.path, errno: -result });
}

/** Remembers why `attribute` could not be set. Returns whether it was. */
function note({ handle, reasons }: Subject, attribute: string, result: number): boolean {
  if (result >= 0) return true;
  const errno = -result;
  // A full disk is one when data does not fit; here it may be the room of one inode (xattr(7)).
  const isOfInode = errno === ENOSPC || errno === EDQUOT;
  if (endsRestore(errno) && !isOfInode) {
    throw targetError({ attempt: `set ${attribute} of`, path: handle.path, errno });
  }
  reasons.set(attribute, errnoName(errno));
  return false;
}

/**
 * Returns the set-id bits that the mode may have: on a file of somebody else they would lend the
 * rights of somebody whom nobody meant.
 */
function applyOwner(subject: Subject): number {
  const { calls, handle, wanted, policy, stat } = subject;
  const { uid, gid } = wanted;
  const isNeeded = stat.uid !== uid || stat.gid !== gid;
  if (isNeeded && policy.owners) {
    const isDone = note(subject, 'uid', calls.changeOwner(handle, uid, gid));
    // Who may not give files away may still give them to another of his groups.
    if (!isDone && stat.gid !== gid) {
      note(subject, 'gid', calls.changeOwner(handle, NOBODY_NEW, gid));
    }
    examine(subject);
  }
  return (stat.uid === uid ? SETUID : 0) | (stat.gid === gid ? SETGID : 0);
}

/** An ACL of a default ACL above, a label: what the snapshot does not have. */
function removeStrangers(subject: Subject): void {
  const { calls, handle, permitted, policy } = subject;
  const bytes = calls.listXattrs(handle);
  if (bytes <= 0) return;
  for (const name of splitNames(calls.xattrNames.subarray(0, bytes))) {
    const isWanted = permitted.xattrs.some(wanted => wanted.name === name);
    if (isWanted || isOwnAffair(name, policy.selinux)) continue;
    const result = calls.removeXattr(handle, name);
    if (result !== -ENODATA) note(subject, `xattr:${name}`, result);
  }
}

function setXattrs(subject: Subject, turn: 'first' | 'acl' | 'last'): void {
  const { calls, handle, permitted } = subject;
  for (const { name, value } of permitted.xattrs) {
    if (turnOf(name) !== turn) continue;
    const length = calls.getXattr(handle, name);
    const isThere = length === value.length && isSame(calls.xattrValue, value);
    if (!isThere) note(subject, `xattr:${name}`, calls.setXattr(handle, name, value));
  }
}

function isSame(bytes: Uint8Array, value: Uint8Array): boolean {
  return value.every((byte, index) => byte === bytes[index]);
}

function applyMode(subject: Subject, setIdBits: number): void {
  const { calls, handle, permitted, stat } = subject;
  const mode = permitted.mode & ~(SET_ID_BITS & ~setIdBits);
  if (mode !== permitted.mode) subject.reasons.set('mode', 'the owner is another');
  examine(subject);
  if (stat.permissions !== mode) note(subject, 'mode', calls.changeMode(handle, mode));
}

function applyProject(subject: Subject): void {
  const { calls, handle, wanted } = subject;
  const projectId = wanted.extras?.projectId ?? 0;
  const present = calls.getProjectId(handle);
  if (present === projectId || (present < 0 && projectId === 0)) return;
  note(subject, 'projectId', present < 0 ? present : calls.setProjectId(handle, projectId));
}

function applyTimes(subject: Subject): void {
  const { calls, handle, wanted, stat } = subject;
  const { mtimeSeconds, mtimeNanoseconds } = wanted;
  const isSeconds = stat.mtimeSeconds === mtimeSeconds;
  if (isSeconds && stat.mtimeNanoseconds === mtimeNanoseconds) return;
  note(subject, 'mtime', calls.setTimes(handle, mtimeSeconds, mtimeNanoseconds));
}

function applyFlags(subject: Subject): void {
  const { calls, handle, wanted } = subject;
  const flags = wanted.extras?.flags ?? 0;
  const present = calls.getFlags(handle);
  if (present < 0) {
    if (flags !== 0) note(subject, 'flags', present);
    return;
  }
  const all = (present & ~SETTABLE_FLAGS) | (flags & SETTABLE_FLAGS);
  const changed = all ^ present;
  if (changed === 0 || calls.setFlags(handle, all) === 0) return;
  // One that this file system does not have must not keep the others away.
  let reached = present;
  for (const bits of [changed & ~PROTECTING_FLAGS, changed & PROTECTING_FLAGS]) {
    for (let bit = 1; bit !== 0; bit <<= 1) {
      if ((bits & bit) === 0) continue;
      if (note(subject, 'flags', calls.setFlags(handle, reached ^ bit))) reached ^= bit;
    }
  }
}

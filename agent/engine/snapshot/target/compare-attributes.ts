// Reads every attribute of a restored entry back and says where it is not as wanted. Only what is
// read here counts: a call that failed and did no harm is no difference, and one that succeeded
// without effect (a file system that rounds times, one that ignores a mode) is one.

import { constants as osConstants } from 'node:os';

import { ENTRY_TYPE, entryTypeName } from '#engine/snapshot/source/source-stat.ts';

import { examine, type Subject } from './apply-attributes.ts';
import { modeText, timeText, valueText } from './attribute-text.ts';
import { SETTABLE_FLAGS, flagsText } from './inode-flags.ts';
import { compareHoles } from './compare-holes.ts';
import { errnoName } from './target-error.ts';
import type { AttributeDifference } from './wanted-attributes.ts';
import { isMinimalAcl, isOwnAffair, splitNames } from './xattr-names.ts';

const { ENOSYS, EOPNOTSUPP, ENOTTY, EINVAL, ENODATA } = osConstants.errno;
/** What says that there is no such thing here; then there is nothing that should not be, either. */
const NOT_HERE = new Set([ENOSYS, EOPNOTSUPP, ENOTTY, EINVAL]);

export interface Expected {
  /** Of files. */
  readonly bytes?: number;
  /** Of devices. */
  readonly device?: { readonly major: number; readonly minor: number };
}

/** @throws what ends a restore */
export function compareAttributes(subject: Subject, expected: Expected): AttributeDifference[] {
  const differences: AttributeDifference[] = [];
  const differ = (attribute: string, wanted: string, found: string): void => {
    if (wanted === found) return;
    const reason = subject.reasons.get(attribute);
    const told = reason === undefined || reason === found ? found : `${found} (${reason})`;
    differences.push({ attribute, expected: wanted, found: told });
  };
  compareStat(subject, expected, differ);
  compareXattrs(subject, differ);
  compareProject(subject, differ);
  compareFlags(subject, differ);
  compareHoles(subject, differ);
  for (const field of subject.wanted.extras?.unknown ?? []) {
    differ(`stevedore.${field}`, 'restored', 'not known to this version');
  }
  return differences;
}

export type Differ = (attribute: string, expected: string, found: string) => void;

function compareStat(subject: Subject, { bytes, device }: Expected, differ: Differ): void {
  const { stat, type, wanted, permitted, policy } = subject;
  examine(subject);
  if (type !== stat.type) differ('type', entryTypeName(type), entryTypeName(stat.type));
  if (bytes !== undefined && bytes !== stat.size) {
    differ('size', String(bytes), String(stat.size));
  }
  if (policy.owners) {
    if (wanted.uid !== stat.uid) differ('uid', String(wanted.uid), String(stat.uid));
    if (wanted.gid !== stat.gid) differ('gid', String(wanted.gid), String(stat.gid));
  }
  if (type !== ENTRY_TYPE.symlink && permitted.mode !== stat.permissions) {
    differ('mode', modeText(permitted.mode), modeText(stat.permissions));
  }
  if (device !== undefined) {
    const found = `${stat.nodeMajor}:${stat.nodeMinor}`;
    differ('device', `${device.major}:${device.minor}`, found);
  }
  const { mtimeSeconds, mtimeNanoseconds } = wanted;
  const isSeconds = mtimeSeconds === stat.mtimeSeconds;
  if (isSeconds && mtimeNanoseconds === stat.mtimeNanoseconds) return;
  const found = timeText(stat.mtimeSeconds, stat.mtimeNanoseconds);
  differ('mtime', timeText(mtimeSeconds, mtimeNanoseconds), found);
}

function compareXattrs(subject: Subject, differ: Differ): void {
  const { calls, handle, permitted, policy } = subject;
  for (const { name, value } of permitted.xattrs) {
    const length = calls.getXattr(handle, name);
    if (length === -ENODATA && isMinimalAcl(name, value)) continue;
    differ(`xattr:${name}`, valueText(value), foundText(subject, length));
  }
  const bytes = calls.listXattrs(handle);
  if (bytes < 0 && !NOT_HERE.has(-bytes)) differ('xattrs', 'listed', errnoName(-bytes));
  if (bytes <= 0) return;
  for (const name of splitNames(calls.xattrNames.subarray(0, bytes))) {
    const isWanted = permitted.xattrs.some(wanted => wanted.name === name);
    if (isWanted || isOwnAffair(name, policy.selinux)) continue;
    differ(`xattr:${name}`, 'none', foundText(subject, calls.getXattr(handle, name)));
  }
}

function foundText({ calls }: Subject, length: number): string {
  if (length >= 0) return valueText(calls.xattrValue.subarray(0, length));
  return length === -ENODATA ? 'none' : errnoName(-length);
}

function compareProject({ calls, handle, wanted }: Subject, differ: Differ): void {
  const projectId = wanted.extras?.projectId ?? 0;
  if (handle.isPathOnly && projectId === 0) return;
  const found = handle.isPathOnly ? -EOPNOTSUPP : calls.getProjectId(handle);
  if (found === projectId) return;
  if (found < 0 && projectId === 0 && NOT_HERE.has(-found)) return;
  differ('projectId', String(projectId), found < 0 ? errnoName(-found) : String(found));
}

function compareFlags({ calls, handle, wanted }: Subject, differ: Differ): void {
  const flags = wanted.extras?.flags ?? 0;
  if (handle.isPathOnly && flags === 0) return;
  const found = handle.isPathOnly ? -EOPNOTSUPP : calls.getFlags(handle);
  if (found < 0 && flags === 0 && NOT_HERE.has(-found)) return;
  // Others say how the file system stores the file; those that the snapshot names count.
  const counted = found & (SETTABLE_FLAGS | flags);
  if (found >= 0 && counted === flags) return;
  differ('flags', flagsText(flags), found < 0 ? errnoName(-found) : flagsText(counted));
}

// A large file that a checkpoint finds half read: how it stands in the directory of the checkpoint,
// and when the run that comes next may go on where it ended (adr/0011).
//
// As in kopia the name is one that no file has, so that nobody takes the object for the file
// (snapshot/upload/checkpoint_registry.go). kopia never looks at it again; it only keeps
// maintenance from taking the contents for garbage.

import { randomUUID } from 'node:crypto';
import type { DirEntry } from '#engine/format/directory.ts';
import { decodeExtras, encodeExtras, type PartialFile } from '#engine/format/entry-extras.ts';
import { failing } from '#engine/format/json-fields.ts';
import { isEngineError } from '#engine/base/errors.ts';
import type { ChangeRules } from '#engine/snapshot/source/change-record.ts';
import { nameText } from '#engine/snapshot/source/source-name.ts';
import type { SourceStat } from '#engine/snapshot/source/source-stat.ts';
import type { LargeFile, ResumedFile } from './upload-tasks.ts';

/** What tells a file from one that was written to or put into its place. */
export interface FileIdentity {
  readonly inode: string;
  /** The file system that the inode is of. */
  readonly device: string;
  /** Seconds and nanoseconds; unlike the time of modification nobody can set it back. */
  readonly ctime: string;
  /** Whether the last change was long enough ago for the next one to have another ctime. */
  readonly isSettled: boolean;
}

/** Coarser than the clock of any file system that is in use. */
const SETTLED_AFTER_MS = 3000;
const PREFIX = '.checkpointed.';
/** A dot and a UUID. */
const SUFFIX_LENGTH = 37;
const REPLACEMENT = '\ufffd';

export function identityOf(stat: SourceStat, nowMs: number): FileIdentity {
  const { ctimeSeconds, ctimeNanoseconds } = stat;
  const isSettled = nowMs - ctimeSeconds * 1000 - ctimeNanoseconds / 1e6 >= SETTLED_AFTER_MS;
  return { ...inodeOf(stat), ctime: ctimeText(stat), isSettled };
}

export function isSameIdentity(a: FileIdentity, b: FileIdentity): boolean {
  return a.inode === b.inode && a.ctime === b.ctime;
}

/** What tells the file from all others that are there at the same time. */
export function inodeOf(stat: SourceStat): Pick<FileIdentity, 'inode' | 'device'> {
  const { inode, deviceMajor, deviceMinor } = stat;
  return { inode: String(inode), device: `${deviceMajor}:${deviceMinor}` };
}

/** Whether it is the file that was listed, as it was then. */
export function isListed(
  { inode, device, ctime }: FileIdentity,
  file: LargeFile,
  { ignoreInode }: Pick<ChangeRules, 'ignoreInode'>,
): boolean {
  const isSameInode = ignoreInode || (inode === file.inode && device === file.device);
  return isSameInode && ctime === ctimeText(file);
}

/**
 * The entry for the first `bytes` of a file. `identity` is absent when the next run must not go on
 * from there.
 */
export function partialEntry(
  file: LargeFile,
  { objectId, bytes }: { readonly objectId: string; readonly bytes: number },
  identity: FileIdentity | undefined,
): DirEntry {
  const { inode, ctime } = identity ?? { inode: '', ctime: '' };
  const partial: PartialFile = { bytes: file.bytes, inode, ctime };
  return {
    ...file,
    name: `${PREFIX}${nameText(file.name)}.${randomUUID()}`,
    type: 'f',
    bytes,
    objectId,
    extra: encodeExtras({ partial }),
  };
}

/** Name of the file that an entry is a part of; undefined for all other entries. */
export function partialName(entry: DirEntry): string | undefined {
  const { name, type } = entry;
  if (type !== 'f' || !isPartialName(name) || partialOf(entry) === undefined) return undefined;
  return name.slice(PREFIX.length, -SUFFIX_LENGTH);
}

/** Whether it may be that of a part; few other names are like it. */
export function isPartialName(name: string): boolean {
  return name.startsWith(PREFIX);
}

/** Whether the part says which file it was, so that a run may go on from it. */
export function mayBeResumed(entry: DirEntry): boolean {
  return (partialOf(entry)?.ctime ?? '') !== '';
}

/** What of the file that `stat` describes need not be read again, if anything. */
export function resumable(
  entry: DirEntry,
  stat: SourceStat,
  { forceHash, ignoreCtime }: Pick<ChangeRules, 'forceHash' | 'ignoreCtime'>,
): ResumedFile | undefined {
  // Without change times there is nothing to rely on.
  if (forceHash || ignoreCtime) return undefined;
  const partial = partialOf(entry);
  const isSame =
    partial !== undefined &&
    partial.bytes === stat.size &&
    partial.inode === String(stat.inode) &&
    partial.ctime === ctimeText(stat) &&
    entry.mtimeSeconds === stat.mtimeSeconds &&
    entry.mtimeNanoseconds === stat.mtimeNanoseconds &&
    // The text of a name that is not UTF-8 may stand for another file.
    !entry.name.includes(REPLACEMENT) &&
    entry.bytes > 0 &&
    entry.bytes <= stat.size;
  return isSame ? { objectId: entry.objectId, bytes: entry.bytes } : undefined;
}

function partialOf({ extra }: DirEntry): PartialFile | undefined {
  try {
    return decodeExtras(extra, fail)?.partial;
  } catch (error) {
    if (isEngineError(error, 'DIRECTORY_DAMAGED')) return undefined;
    throw error;
  }
}

const fail = failing('DIRECTORY_DAMAGED', 'a part of a file', 'it is not used');

function ctimeText({
  ctimeSeconds,
  ctimeNanoseconds,
}: Pick<SourceStat, 'ctimeSeconds' | 'ctimeNanoseconds'>): string {
  return `${ctimeSeconds}.${String(ctimeNanoseconds).padStart(9, '0')}`;
}

// Whether a file is what the parent snapshot holds, so that its object is used again without
// reading (kopia-format.md 11.1; kopia snapshot/upload/upload.go metadataEquals): type,
// permissions, owner, size and mtime to the nanosecond.
// What change time and inode add is in change-record.ts.

import type { DirEntry } from '#engine/format/directory.ts';
import { entryTimeEras, wrapEntryTime } from '#engine/format/entry-time.ts';

import { ENTRY_TYPE, type SourceStat } from './source-stat.ts';

const LETTERS = new Map<number, string>([
  [ENTRY_TYPE.file, 'f'],
  [ENTRY_TYPE.directory, 'd'],
  [ENTRY_TYPE.symlink, 's'],
]);
/** Beyond these seconds kopia's nanoseconds wrap around (entry-time.ts). */
const SECONDS_MAX = 9_223_372_035;

/** The letter of DirEntry.type, or undefined for what kopia cannot store. */
export function entryLetter(type: number): string | undefined {
  return LETTERS.get(type);
}

/**
 * True when the object of `entry` can stand for the file that `stat` describes; never for a
 * directory.
 */
export function isUnchanged(entry: DirEntry, stat: SourceStat): boolean {
  return (
    entry.bytes === stat.size &&
    entry.mtimeNanoseconds === stat.mtimeNanoseconds &&
    entry.mtimeSeconds === stat.mtimeSeconds &&
    entry.mode === stat.permissions &&
    entry.uid === stat.uid &&
    entry.gid === stat.gid &&
    isSameReusableType(entry, stat)
  );
}

function isSameReusableType(entry: DirEntry, stat: SourceStat): boolean {
  return (
    (entry.type === 'f' && stat.type === ENTRY_TYPE.file) ||
    (entry.type === 's' && stat.type === ENTRY_TYPE.symlink)
  );
}

/**
 * Brings the mtime of `stat` to what a directory object can hold, as kopia does. To be called
 * before the time is compared or stored; does nothing for the years 1678 to 2262.
 */
export function wrapModificationTime(stat: SourceStat): void {
  if (stat.mtimeSeconds <= SECONDS_MAX && stat.mtimeSeconds >= -SECONDS_MAX) return;
  const time = { seconds: stat.mtimeSeconds, nanoseconds: stat.mtimeNanoseconds };
  const wrapped = wrapEntryTime(time);
  stat.mtimeEras += entryTimeEras(time);
  stat.mtimeSeconds = wrapped.seconds;
  stat.mtimeNanoseconds = wrapped.nanoseconds;
}

// What an entry has beyond kopia's fields, in the form in which it is stored; what could not be
// read is named in the outcome.

import { isUtf8 } from 'node:buffer';
import type { EntryExtras } from '#engine/format/entry-extras.ts';
import { entryTimeEras } from '#engine/format/entry-time.ts';
import { HOLES_MAX } from '#engine/snapshot/source/holes.ts';
import type { SourceFile, SourceFileSystem } from '#engine/snapshot/source/source-file-system.ts';
import type { SourceStat } from '#engine/snapshot/source/source-stat.ts';
import type { SourceAttributes } from '#engine/snapshot/source/source-attributes.ts';
import type { SkippedEntry } from './upload-tasks.ts';

/** The stored form of attributes; undefined when there is nothing. */
export function attributeExtras(found: SourceAttributes | undefined): EntryExtras | undefined {
  if (found === undefined) return undefined;
  const { xattrs, flags, projectId } = found;
  if (xattrs.length === 0 && flags === 0 && projectId === 0) return undefined;
  return { xattrs, flags, projectId };
}

/** What is found of a file that is open. */
export interface FileLook {
  /** Without its names. */
  readonly extras: EntryExtras | undefined;
  /** What there may be and is not among the extras. */
  readonly unreadable: readonly string[];
}

/** Attributes and holes of an open file that `stat` describes. @throws SOURCE_UNREADABLE */
export function lookAtFile(
  { fileSystem }: { readonly fileSystem: SourceFileSystem },
  file: SourceFile,
  stat: SourceStat,
): FileLook {
  const found = fileSystem.attributesOf(file, stat);
  const holes = fileSystem.holesOf(file, stat);
  if (found === undefined && holes === undefined) return NOTHING;
  const extras = joinExtras(attributeExtras(found), holes && { holes: holes.ranges });
  const unreadable = [...(found?.unreadable ?? [])];
  if (holes && holes.omittedCount > 0) {
    unreadable.push(`${holes.omittedCount} holes: it has more than ${HOLES_MAX}`);
  }
  return { extras, unreadable };
}

const NOTHING: FileLook = Object.freeze({ extras: undefined, unreadable: Object.freeze([]) });

/** The name among the extras, where kopia's field cannot hold it. */
export function nameExtras(name: Uint8Array): EntryExtras | undefined {
  return isUtf8(name) ? undefined : { nameBytes: name.slice() };
}

/** What kopia's field cannot hold of a time, whether `stat` has been wrapped for it or not. */
export function timeExtras(stat: SourceStat): EntryExtras | undefined {
  const time = { seconds: stat.mtimeSeconds, nanoseconds: stat.mtimeNanoseconds };
  const mtimeEras = stat.mtimeEras + entryTimeEras(time);
  return mtimeEras === 0 ? undefined : { mtimeEras };
}

/** Everything that is known of one entry; undefined when that is nothing. */
export function joinExtras(
  ...parts: readonly (EntryExtras | undefined)[]
): EntryExtras | undefined {
  let joined: EntryExtras | undefined;
  for (const part of parts) if (part !== undefined) joined = { ...joined, ...part };
  return joined;
}

/** What to report of attributes that could not be read. */
export function unreadableAttributes(path: string, unreadable: readonly string[]): SkippedEntry {
  const message =
    `${path} is stored without some of its attributes (${unreadable.join(', ')}); ` +
    'check who may read them, their number, and the health of the file system';
  return { path, code: 'SOURCE_ATTRIBUTE_UNREADABLE', message };
}

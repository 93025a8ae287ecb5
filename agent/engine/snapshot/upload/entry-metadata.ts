// What is kept of an entry when the next one is looked at.

import type { EntryExtras } from '#engine/format/entry-extras.ts';
import type { SourceStat } from '#engine/snapshot/source/source-stat.ts';
import { inodeOf } from './partial-file.ts';
import type { EntryMetadata, LargeFile } from './upload-tasks.ts';

/** The metadata of an entry, kept beyond the next look. `name` is taken over. */
export function metadataOf(
  name: Uint8Array,
  stat: SourceStat,
  extras?: EntryExtras,
): EntryMetadata {
  return {
    name,
    mode: stat.permissions,
    uid: stat.uid,
    gid: stat.gid,
    bytes: stat.size,
    mtimeSeconds: stat.mtimeSeconds,
    mtimeNanoseconds: stat.mtimeNanoseconds,
    extras,
  };
}

/** The same of a file that is to be read by itself. */
export function largeFileOf(
  name: Uint8Array,
  stat: SourceStat,
  { extras, stampIndex }: Pick<LargeFile, 'extras' | 'stampIndex'>,
): LargeFile {
  return {
    ...metadataOf(name, stat, extras),
    ctimeSeconds: stat.ctimeSeconds,
    ctimeNanoseconds: stat.ctimeNanoseconds,
    ...inodeOf(stat),
    stampIndex,
  };
}

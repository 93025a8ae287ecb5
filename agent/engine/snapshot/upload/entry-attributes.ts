// What an entry has beyond kopia's fields, in the form in which it is stored; what could not be
// read is named in the outcome.

import type { EntryExtras } from '#engine/format/entry-extras.ts';
import type { SourceAttributes } from '#engine/snapshot/source/source-attributes.ts';
import type { SkippedEntry } from './upload-tasks.ts';

/** The stored form; undefined when there is nothing. */
export function attributeExtras(found: SourceAttributes | undefined): EntryExtras | undefined {
  if (found === undefined) return undefined;
  const { xattrs, flags, projectId } = found;
  if (xattrs.length === 0 && flags === 0 && projectId === 0) return undefined;
  return { xattrs, flags, projectId };
}

/** What to report of attributes that could not be read. */
export function unreadableAttributes(path: string, unreadable: readonly string[]): SkippedEntry {
  const message =
    `${path} is stored without some of its attributes (${unreadable.join(', ')}); ` +
    'check who may read them and the health of the file system';
  return { path, code: 'SOURCE_ATTRIBUTE_UNREADABLE', message };
}

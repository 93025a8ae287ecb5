// The entry of a file that was read by itself; made by a thread, or where another name of the file
// has been read, by the main thread.

import { encodeEntry } from '#engine/format/directory.ts';
import { encodeExtras } from '#engine/format/entry-extras.ts';
import { goNameText } from '#engine/format/go-name.ts';
import type { StoredContents } from './file-contents.ts';
import { encodeText } from './piece-builder.ts';
import type { LargeFile } from './upload-tasks.ts';

/** The text of a file's entry. */
export function fileText(file: LargeFile, stored: StoredContents): Uint8Array<ArrayBuffer> {
  const extra = file.extras && encodeExtras(file.extras);
  const entry = { ...file, ...stored, name: '', type: 'f', extra };
  return encodeText(encodeEntry(entry, goNameText(file.name)));
}

// Writes a directory object from entry texts that threads have made.

import {
  encodeExtra,
  encodeSummary,
  type DirSummary,
  DIRECTORY_STREAM,
} from '#engine/format/directory.ts';
import { type DirectoryExtras, encodeDirectoryExtras } from '#engine/format/entry-extras.ts';
import type { ExtraFields } from '#engine/format/json-fields.ts';
import { totalBytes } from '#engine/base/bytes.ts';
import { encodeText } from './piece-builder.ts';
import type { UploadThread } from './upload-thread.ts';

const PREFIX = 'k'.charCodeAt(0);
const COMMA = ','.charCodeAt(0);

/**
 * @param pieces entry texts in kopia's order, each one entry or several joined by commas
 * @returns the id of the object; durable only after the next flush
 */
export function writeDirectoryObject(
  upload: UploadThread,
  pieces: readonly Uint8Array[],
  summary: DirSummary,
  extras: DirectoryExtras,
): string {
  const bytes = directoryBytes(pieces, summary, encodeDirectoryExtras(extras));
  return upload.objects.write(bytes, { prefix: PREFIX, compressor: upload.directoryCompressor });
}

/** The extra fields of a directory as they stand in its JSON. */
export function directoryExtraText(extras: DirectoryExtras): string {
  const extra = encodeDirectoryExtras(extras);
  return extra === undefined ? '' : encodeExtra(extra);
}

/** As format/directory.ts encodeDirectory, without making one text of all entries. */
export function directoryBytes(
  pieces: readonly Uint8Array[],
  summary: DirSummary,
  extra?: ExtraFields,
): Uint8Array {
  const isEmpty = pieces.length === 0;
  const head = encodeText(`{"stream":"${DIRECTORY_STREAM}","entries":${isEmpty ? 'null' : '['}`);
  const more = extra === undefined ? '' : encodeExtra(extra);
  const tail = encodeText(`${isEmpty ? '' : ']'},"summary":${encodeSummary(summary)}${more}}\n`);
  const commas = Math.max(0, pieces.length - 1);
  const bytes = new Uint8Array(head.length + totalBytes(pieces) + commas + tail.length);
  bytes.set(head);
  let at = head.length;
  pieces.forEach((piece, index) => {
    if (index > 0) bytes[at++] = COMMA;
    bytes.set(piece, at);
    at += piece.length;
  });
  bytes.set(tail, at);
  return bytes;
}

// Writes a directory object from entry texts that threads have made.

import {
  encodeExtra,
  encodeSummary,
  type DirSummary,
  DIRECTORY_STREAM,
} from '#engine/format/directory.ts';
import { type DirectoryExtras, encodeDirectoryExtras } from '#engine/format/entry-extras.ts';
import type { ExtraFields } from '#engine/format/json-fields.ts';
import { sizeFault } from '#engine/snapshot/tree-limits.ts';
import { encodeText } from './piece-builder.ts';
import type { UploadThread } from './upload-thread.ts';

const PREFIX = 'k'.charCodeAt(0);
const COMMA = new Uint8Array([','.charCodeAt(0)]);

export type DirectoryWriter = Pick<UploadThread, 'directoryCompressor' | 'objects'>;

/**
 * @param pieces entry texts in kopia's order, each one entry or several joined by commas
 * @returns the id of the object; durable only after the next flush
 * @throws SOURCE_TOO_LARGE when it could not be read again
 */
export function writeDirectoryObject(
  upload: DirectoryWriter,
  pieces: readonly Uint8Array[],
  summary: DirSummary,
  extras: DirectoryExtras,
): string {
  const all = directoryPieces(pieces, summary, encodeDirectoryExtras(extras));
  const fault = sizeFault(all);
  if (fault) throw fault;
  return writePieces(upload, all);
}

/** The same for a checkpoint: to the run that goes on from it, one that is too large is as none. */
export function writePartialDirectory(
  upload: DirectoryWriter,
  pieces: readonly Uint8Array[],
  summary: DirSummary,
  extras: DirectoryExtras,
): string {
  return writePieces(upload, directoryPieces(pieces, summary, encodeDirectoryExtras(extras)));
}

function writePieces(
  { directoryCompressor: compressor, objects }: DirectoryWriter,
  pieces: readonly Uint8Array[],
): string {
  return objects.writePieces(pieces, { prefix: PREFIX, compressor });
}

/** The extra fields of a directory as they stand in its JSON. */
export function directoryExtraText(extras: DirectoryExtras): string {
  const extra = encodeDirectoryExtras(extras);
  return extra === undefined ? '' : encodeExtra(extra);
}

/** As format/directory.ts encodeDirectory, without making one text of all entries. */
function directoryPieces(
  pieces: readonly Uint8Array[],
  summary: DirSummary,
  extra?: ExtraFields,
): Uint8Array[] {
  const isEmpty = pieces.length === 0;
  const head = encodeText(`{"stream":"${DIRECTORY_STREAM}","entries":${isEmpty ? 'null' : '['}`);
  const more = extra === undefined ? '' : encodeExtra(extra);
  const tail = encodeText(`${isEmpty ? '' : ']'},"summary":${encodeSummary(summary)}${more}}\n`);
  const joined = pieces.flatMap((piece, index) => (index === 0 ? piece : [COMMA, piece]));
  return [head, ...joined, tail];
}

// Rows of a section as a worker thread needs them: names as bytes of its own, attributes with their
// extras parsed.

import { EngineError } from '#engine/base/errors.ts';
import {
  decodeDirectoryExtras,
  decodeExtras,
  type EntryExtras,
  EXTRAS_FIELD,
  type SpecialEntry,
} from '#engine/format/entry-extras.ts';
import { unwrapEntryTime } from '#engine/format/entry-time.ts';
import type { WantedAttributes } from '#engine/snapshot/target/wanted-attributes.ts';
import { ENTRY_KIND, NO_ROW, type SectionView } from './plan-tables.ts';

/** The names that lead from its target to a directory. */
export function directoryNames(
  { directories, directoryTexts }: SectionView,
  row: number,
): Uint8Array[] {
  const { parent, nameStart, nameBytes } = directories;
  const names: Uint8Array[] = [];
  for (let at = row; parent[at] !== NO_ROW; at = parent[at]) {
    names.push(copied(directoryTexts, nameStart[at], nameBytes[at]));
  }
  return names.reverse();
}

export function directoryName({ directories, directoryTexts }: SectionView, row: number) {
  return copied(directoryTexts, directories.nameStart[row], directories.nameBytes[row]);
}

export function entryName({ entries, texts }: SectionView, row: number): Uint8Array {
  return copied(texts, entries.nameStart[row], entries.nameBytes[row]);
}

export function directoryAttributes(view: SectionView, row: number): WantedAttributes {
  const { directories, directoryTexts } = view;
  const text = copied(directoryTexts, directories.extrasStart[row], directories.extrasBytes[row]);
  return withExtras(attributesAt(directories, row), parseExtras(text));
}

export function entryAttributes(view: SectionView, row: number): WantedAttributes {
  const { entries } = view;
  if (entries.extrasBytes[row] === 0) return attributesAt(entries, row);
  if (entries.kind[row] === ENTRY_KIND.special) {
    return withExtras(attributesAt(entries, row), specialEntry(view, row).extras);
  }
  return withExtras(attributesAt(entries, row), parseExtras(extrasText(view, row)));
}

function withExtras(
  attributes: WantedAttributes,
  extras: EntryExtras | undefined,
): WantedAttributes {
  const { mtimeSeconds, mtimeNanoseconds } = attributes;
  const time = { seconds: mtimeSeconds, nanoseconds: mtimeNanoseconds };
  const { seconds, nanoseconds } = unwrapEntryTime(time, extras?.mtimeEras ?? 0);
  return { ...attributes, mtimeSeconds: seconds, mtimeNanoseconds: nanoseconds, extras };
}

/** A row of the kind `special`. */
export function specialEntry(view: SectionView, row: number): SpecialEntry {
  const fields: unknown = JSON.parse(Buffer.from(extrasText(view, row)).toString());
  const decoded = decodeDirectoryExtras({ [EXTRAS_FIELD]: { special: [fields] } }, fail);
  const special = decoded?.special.at(0);
  if (special) return special;
  throw fail('a special entry is gone');
}

function attributesAt(
  columns: SectionView['entries'] | SectionView['directories'],
  row: number,
): WantedAttributes {
  return {
    uid: columns.uid[row],
    gid: columns.gid[row],
    mode: columns.mode[row],
    mtimeSeconds: columns.mtimeSeconds[row],
    mtimeNanoseconds: columns.mtimeNanoseconds[row],
  };
}

function extrasText({ entries, texts }: SectionView, row: number): Uint8Array {
  return copied(texts, entries.extrasStart[row], entries.extrasBytes[row]);
}

/** The planner's thread has parsed it once already, so it can be. */
function parseExtras(text: Uint8Array): EntryExtras | undefined {
  if (text.length === 0) return undefined;
  const field: unknown = JSON.parse(Buffer.from(text).toString());
  return decodeExtras({ [EXTRAS_FIELD]: field }, fail);
}

function fail(problem: string, cause?: unknown): EngineError {
  return new EngineError('DIRECTORY_DAMAGED', `cannot read extra attributes: ${problem}`, {
    cause,
  });
}

/** Shared memory is not what most functions take. */
function copied(texts: Uint8Array, start: number, bytes: number): Uint8Array {
  return texts.slice(start, start + bytes);
}

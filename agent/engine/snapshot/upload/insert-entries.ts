// Puts a few more entries into entry texts that are in order and may be very many, each where its
// name belongs.

import { type DirEntry, encodeEntry } from '#engine/format/directory.ts';
import { DirectoryTable } from '#engine/format/directory-table.ts';
import { mergeEntries, readOwn } from './merge-entries.ts';
import { encodeText } from './piece-builder.ts';

/**
 * @param pieces each one entry or several, joined by commas; none of a directory
 * @param entries none of which is in `pieces`
 */
export function insertEntries(
  pieces: readonly Uint8Array[],
  entries: readonly DirEntry[],
): Uint8Array[] {
  const waiting = entries.toSorted((a, b) =>
    Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)),
  );
  const inserted = pieces.map(piece => {
    // Pieces behind the last that is put in are not looked at.
    if (waiting.length === 0) return piece;
    const table = new DirectoryTable();
    readOwn(table, piece);
    const lastName = table.nameBytesAt(table.count - 1);
    const later = waiting.findIndex(({ name }) => Buffer.compare(Buffer.from(name), lastName) > 0);
    const before = waiting.splice(0, later === -1 ? waiting.length : later);
    return before.length === 0 ? piece : textOf(table, before);
  });
  return waiting.length === 0 ? inserted : [...inserted, textOf(new DirectoryTable(), waiting)];
}

function textOf(table: DirectoryTable, entries: readonly DirEntry[]): Uint8Array {
  const more = new DirectoryTable();
  readOwn(more, encodeText(entries.map(entry => encodeEntry(entry)).join(',')));
  const merged = mergeEntries({ table, stamps: undefined }, more).table;
  return merged.textsOf(0, merged.count - 1);
}

// What incomplete snapshots hold of a directory, where a backup goes on from some: put together
// with what the parent snapshot holds, the latest of each name. Other backups never come here.

import { asBuffer } from '#engine/base/bytes.ts';
import { isEngineError } from '#engine/base/errors.ts';
import type { DirEntry } from '#engine/format/directory.ts';
import { DirectoryTable } from '#engine/format/directory-table.ts';
import { failing } from '#engine/format/json-fields.ts';
import { mayBeResumed, isPartialName, partialName } from './partial-file.ts';
import { mergeEntries, type StampedTable } from './merge-entries.ts';
import type { EarlierChild, PreviousObject } from './upload-tasks.ts';

export interface ResumedTables {
  /** Each of an incomplete snapshot. */
  readonly tables: readonly DirectoryTable[];
  readonly children: ReadonlyMap<string, EarlierChild>;
  /** Parts of large files, by the names of the files. */
  readonly partials: ReadonlyMap<string, DirEntry>;
}

/** One that cannot be understood is as good as none. */
export function readResumed(
  resumed: readonly PreviousObject[],
  parent: DirectoryTable,
): ResumedTables {
  const tables = resumed.map(readOrNone).filter(table => table !== undefined);
  return { tables, children: childrenOf(parent, tables), partials: partialsOf(tables) };
}

/** Files and links of all; what is not in order is as good as none. */
export function joinResumed(parent: StampedTable, tables: readonly DirectoryTable[]): StampedTable {
  const none = { table: new DirectoryTable(), stamps: undefined };
  const first = parent.table.isSorted ? parent : none;
  return tables.filter(({ isSorted }) => isSorted).reduce<StampedTable>(mergeEntries, first);
}

/** Parts of large files by the names of the files; of several the one that reaches furthest. */
export function partialsByName(entries: readonly DirEntry[]): Map<string, DirEntry> {
  const partials = new Map<string, DirEntry>();
  for (const entry of entries) {
    const name = partialName(entry);
    if (name === undefined) continue;
    const known = partials.get(name);
    if (known === undefined || isBetter(entry, known)) partials.set(name, entry);
  }
  return partials;
}

/**
 * One that says which file it was goes before one that does not; then the one that reaches further.
 */
function isBetter(entry: DirEntry, known: DirEntry): boolean {
  const isUsable = mayBeResumed(entry);
  return isUsable === mayBeResumed(known) ? known.bytes <= entry.bytes : isUsable;
}

/** The name of a child among `children`. */
export function childKey(name: Uint8Array): string {
  return asBuffer(name).toString('latin1');
}

function readOrNone({ objectId, bytes }: PreviousObject): DirectoryTable | undefined {
  const table = new DirectoryTable();
  try {
    table.read(bytes, `directory ${objectId}`);
    return table;
  } catch (error) {
    if (!isEngineError(error, 'DIRECTORY_DAMAGED')) throw error;
    return undefined;
  }
}

function childrenOf(
  parent: DirectoryTable,
  tables: readonly DirectoryTable[],
): Map<string, EarlierChild> {
  const children = new Map<string, EarlierChild>();
  for (const [key, previous] of directoriesOf(parent)) {
    children.set(key, { previous });
  }
  for (const table of tables) {
    for (const [key, entry] of directoriesOf(table)) {
      const { previous, resumed = [] } = children.get(key) ?? { previous: undefined };
      if (previous?.objectId === entry.objectId) continue;
      const others = resumed.filter(({ objectId }) => objectId !== entry.objectId);
      children.set(key, { previous, resumed: [...others, entry] });
    }
  }
  return children;
}

function partialsOf(tables: readonly DirectoryTable[]): Map<string, DirEntry> {
  const found: DirEntry[] = [];
  for (const table of tables) {
    for (let index = 0; index < table.count; index++) {
      const isOne =
        table.types[index] === FILE && isPartialName(childKey(table.nameBytesAt(index)));
      const entry = isOne ? entryOrNone(table, index) : undefined;
      if (entry) found.push(entry);
    }
  }
  return partialsByName(found);
}

function* directoriesOf(table: DirectoryTable): Generator<[key: string, entry: DirEntry]> {
  for (let index = 0; index < table.count; index++) {
    if (table.types[index] !== DIRECTORY || table.nameLengths[index] === 0) continue;
    const entry = entryOrNone(table, index);
    if (entry) yield [childKey(table.nameBytesAt(index)), entry];
  }
}

const DIRECTORY = 'd'.charCodeAt(0);
const FILE = 'f'.charCodeAt(0);
const fail = failing('DIRECTORY_DAMAGED', 'an entry of an earlier snapshot', 'it is not used');

function entryOrNone(table: DirectoryTable, index: number): DirEntry | undefined {
  try {
    return table.entryAt(index, fail);
  } catch (error) {
    if (isEngineError(error, 'DIRECTORY_DAMAGED')) return undefined;
    throw error;
  }
}

// Directory objects to rows of a table, in a worker thread, without an object for each entry: a
// tree of 150,000 files is planned while its first files are being written, and not before.

import {
  allocateColumns,
  attachColumns,
  type ColumnMemory,
  type Columns,
  grownColumns,
} from '#engine/base/columns.ts';
import {
  EngineError,
  isEngineError,
  serializeError,
  type SerializedError,
} from '#engine/base/errors.ts';
import { putContentKey } from '#engine/format/content-id.ts';
import { DirectoryTable } from '#engine/format/directory-table.ts';
import {
  decodeDirectoryExtras,
  decodeExtras,
  type EntryExtras,
  EXTRAS_FIELD,
  type SpecialEntry,
} from '#engine/format/entry-extras.ts';
import { isJsonObject } from '#engine/format/json-fields.ts';
import { unsafeNameReason } from '#engine/snapshot/target/target-name.ts';
import type { TaskReply } from '#engine/workers/tasks.ts';

export const DECODED_COLUMNS = Object.freeze({
  mtimeSeconds: 'f64',
  bytes: 'f64',
  mtimeNanoseconds: 'u32',
  uid: 'u32',
  gid: 'u32',
  nameStart: 'u32',
  extrasStart: 'u32',
  extrasBytes: 'u32',
  mode: 'u16',
  nameBytes: 'u16',
  /** One of DECODED_KIND. */
  kind: 'u8',
  /** Whether the object is one content, whose key is in `keys`. */
  isSingle: 'u8',
} as const);

export const DECODED_KIND = Object.freeze({ file: 0, symlink: 1, special: 2, directory: 3 });

export type DecodedColumns = Columns<typeof DECODED_COLUMNS>;

/** Something about one entry that the outcome has to name. */
export interface EntryProblem {
  readonly name: string;
  readonly attribute: string;
  readonly expected: string;
  readonly found: string;
}

export interface DecodedDirectory {
  /** Its rows end here and begin where those of the one before end. */
  readonly end: number;
  /** JSON of its own extras within `texts`. */
  readonly selfStart: number;
  readonly selfBytes: number;
  readonly problems: readonly EntryProblem[];
  /** The directory cannot be had; it has no rows then. */
  readonly failure?: SerializedError;
}

export interface DecodedDirectories {
  readonly memory: ColumnMemory;
  readonly texts: Uint8Array;
  /** keyBytes for each row. */
  readonly keys: Uint8Array;
  readonly keyBytes: number;
  readonly directories: readonly DecodedDirectory[];
  /** Object ids of directories, and of what is not one content. */
  readonly objectIds: readonly (readonly [row: number, objectId: string])[];
  readonly linkGroups: readonly (readonly [row: number, group: string])[];
  readonly holes: readonly (readonly [row: number, holes: readonly number[]])[];
}

export interface DecodeInput {
  readonly keyBytes: number;
  readonly directories: readonly { readonly objectId: string; readonly bytes: Uint8Array }[];
}

export function decodeTask({ keyBytes, directories }: DecodeInput): TaskReply<DecodedDirectories> {
  const rows = new DecodedRows(keyBytes);
  for (const { objectId, bytes } of directories) rows.add(objectId, bytes);
  return rows.reply();
}

const FIRST_ROWS = 1024;
const TEXT_BYTES_PER_ROW = 32;
const KINDS = new Map<number, number>(
  Object.entries({ f: DECODED_KIND.file, s: DECODED_KIND.symlink, d: DECODED_KIND.directory }).map(
    ([letter, kind]) => [letter.charCodeAt(0), kind],
  ),
);

class DecodedRows {
  readonly #keyBytes: number;
  readonly #table = new DirectoryTable();
  readonly #directories: DecodedDirectory[] = [];
  readonly #objectIds: [number, string][] = [];
  readonly #linkGroups: [number, string][] = [];
  readonly #holes: [number, readonly number[]][] = [];
  #memory: ColumnMemory;
  #columns: DecodedColumns;
  #keys: Uint8Array<ArrayBuffer>;
  #texts: Buffer<ArrayBuffer>;
  #textBytes = 0;
  #count = 0;
  /** Where the extras of the directory at hand end. */
  #selfEnd = 0;
  #problems: EntryProblem[] = [];

  constructor(keyBytes: number) {
    this.#keyBytes = keyBytes;
    this.#memory = allocateColumns(DECODED_COLUMNS, FIRST_ROWS, { isShared: false });
    this.#columns = attachColumns(DECODED_COLUMNS, this.#memory);
    this.#keys = new Uint8Array(FIRST_ROWS * keyBytes);
    this.#texts = Buffer.from(new ArrayBuffer(FIRST_ROWS * TEXT_BYTES_PER_ROW));
  }

  add(objectId: string, bytes: Uint8Array): void {
    this.#problems = [];
    const start = this.#count;
    const selfStart = this.#textBytes;
    const lists = [this.#objectIds, this.#linkGroups, this.#holes];
    const lengths = lists.map(({ length }) => length);
    let failure: SerializedError | undefined;
    try {
      this.#table.read(bytes, `directory ${objectId}`);
      this.#addRows(objectId);
    } catch (error) {
      if (!isEngineError(error)) throw error;
      failure = serializeError(error);
      // Nothing of it may be left to the rows of the next one.
      for (const column of Object.values(this.#columns)) column.fill(0, start, this.#count);
      for (const [index, list] of lists.entries()) list.length = lengths[index];
      this.#count = start;
      this.#textBytes = selfStart;
    }
    const selfBytes = this.#selfEnd - selfStart;
    const problems = this.#problems;
    const end = this.#count;
    this.#directories.push({
      end,
      selfStart,
      selfBytes: Math.max(0, selfBytes),
      problems,
      failure,
    });
  }

  reply(): TaskReply<DecodedDirectories> {
    const output = {
      memory: this.#memory,
      texts: this.#texts.subarray(0, this.#textBytes),
      keys: this.#keys,
      keyBytes: this.#keyBytes,
      directories: this.#directories,
      objectIds: this.#objectIds,
      linkGroups: this.#linkGroups,
      holes: this.#holes,
    };
    // Its buffer was made here, not shared.
    const memory = this.#memory.buffer as ArrayBuffer;
    return { output, transfer: [memory, this.#texts.buffer, this.#keys.buffer] };
  }

  /** Its own extras, then an entry for each name. */
  #addRows(objectId: string): void {
    const extra = this.#table.extraField();
    const special = decodeDirectoryExtras(extra, damaged(objectId))?.special ?? [];
    const field = extra?.[EXTRAS_FIELD];
    const specialFields = isJsonObject(field) ? field.special : undefined;
    if (isJsonObject(field) && field.self !== undefined) this.#addJson(field.self);
    this.#selfEnd = this.#textBytes;
    this.#reserve(this.#table.count + special.length);
    const names = new SeenNames(this.#table.isSorted && special.length === 0);
    for (let index = 0; index < this.#table.count; index++) {
      this.#addEntry(objectId, index, names);
    }
    special.forEach((entry, index) => {
      const fields: unknown = Array.isArray(specialFields) ? specialFields[index] : undefined;
      this.#addSpecial(entry, fields, names);
    });
  }

  #addEntry(objectId: string, index: number, names: SeenNames): void {
    const table = this.#table;
    const extra = table.hasExtra[index] === 1 ? this.#extraOf(objectId, index) : undefined;
    const kind = KINDS.get(table.types[index]);
    if (kind === undefined) {
      const { name, type } = table.entryAt(index, damaged(objectId));
      const expected = `an entry of type ${JSON.stringify(type)}`;
      this.#problems.push({ name, attribute: 'type', expected, found: 'nothing' });
      return;
    }
    const isLossy = table.nameLengths[index] === 0 || extra?.extras?.nameBytes !== undefined;
    const name = extra?.extras?.nameBytes ?? this.#nameAt(objectId, index);
    const row = this.#addName(name, { isLossy }, names);
    if (row === -1) return;
    const columns = this.#columns;
    columns.kind[row] = kind;
    columns.mode[row] = table.modes[index];
    columns.uid[row] = table.uids[index];
    columns.gid[row] = table.gids[index];
    columns.bytes[row] = table.sizes[index];
    columns.mtimeSeconds[row] = table.mtimeSeconds[index];
    columns.mtimeNanoseconds[row] = table.mtimeNanoseconds[index];
    this.#addObject(row, index, kind);
    if (extra !== undefined) this.#addExtras(row, extra.field, extra.extras);
  }

  /** The bytes of a name; of one that lost some, those of the text that stands for it. */
  #nameAt(objectId: string, index: number): Uint8Array {
    const name = this.#table.nameBytesAt(index);
    if (name.length > 0) return name;
    return Buffer.from(this.#table.entryAt(index, damaged(objectId)).name);
  }

  /** Extras that cannot be read cost the entry its extras, and the outcome says so. */
  #extraOf(
    objectId: string,
    index: number,
  ): { readonly field: unknown; readonly extras: EntryExtras | undefined } {
    const { name, extra } = this.#table.entryAt(index, damaged(objectId));
    try {
      const extras = decodeExtras(extra, damaged(objectId));
      return { field: extra?.[EXTRAS_FIELD], extras };
    } catch (error) {
      if (!isEngineError(error, 'DIRECTORY_DAMAGED')) throw error;
      const expected = 'attributes beyond those of kopia';
      this.#problems.push({ name, attribute: 'extras', expected, found: error.message });
      return { field: undefined, extras: undefined };
    }
  }

  #addSpecial(entry: SpecialEntry, fields: unknown, names: SeenNames): void {
    const name = entry.extras?.nameBytes ?? Buffer.from(entry.name);
    const row = this.#addName(name, { isLossy: false }, names);
    if (row === -1) return;
    const columns = this.#columns;
    columns.kind[row] = DECODED_KIND.special;
    columns.mode[row] = entry.mode;
    columns.uid[row] = entry.uid;
    columns.gid[row] = entry.gid;
    columns.mtimeSeconds[row] = entry.mtimeSeconds;
    columns.mtimeNanoseconds[row] = entry.mtimeNanoseconds;
    this.#addExtras(row, fields, entry.extras);
  }

  #addExtras(row: number, field: unknown, extras: EntryExtras | undefined): void {
    if (field === undefined) return;
    this.#columns.extrasStart[row] = this.#textBytes;
    this.#addJson(field);
    this.#columns.extrasBytes[row] = this.#textBytes - this.#columns.extrasStart[row];
    if (extras?.linkGroup !== undefined) this.#linkGroups.push([row, extras.linkGroup]);
    if (extras?.holes !== undefined) this.#holes.push([row, extras.holes]);
  }

  /** A new row with that name; -1, and a problem, for one that cannot be made. */
  #addName(name: Uint8Array, { isLossy }: { isLossy: boolean }, names: SeenNames): number {
    const reason = unsafeNameReason(name);
    const isFirst = reason === undefined && names.isFirst(name, isLossy);
    if (reason !== undefined || !isFirst) {
      const text = Buffer.from(name).toString();
      const found =
        reason === undefined ? 'another entry of the same name' : `TARGET_NAME_UNSAFE: ${reason}`;
      const expected = JSON.stringify(text);
      this.#problems.push({ name: text, attribute: 'name', expected, found });
      return -1;
    }
    const row = this.#count++;
    this.#columns.nameStart[row] = this.#textBytes;
    this.#columns.nameBytes[row] = name.length;
    this.#addText(name);
    return row;
  }

  #addObject(row: number, index: number, kind: number): void {
    const { bytes, objectStarts, objectEnds } = this.#table;
    const text = { bytes, start: objectStarts[index], end: objectEnds[index] };
    const keyStart = row * this.#keyBytes;
    const isSingle =
      kind !== DECODED_KIND.directory && putContentKey(text, this.#keys, keyStart, this.#keyBytes);
    if (isSingle) this.#columns.isSingle[row] = 1;
    else this.#objectIds.push([row, this.#table.objectIdAt(index)]);
  }

  /** Makes room for `rows` more. */
  #reserve(rows: number): void {
    const needed = this.#count + rows;
    if (needed <= this.#memory.capacity) return;
    const capacity = Math.max(needed, this.#memory.capacity * 2);
    this.#memory = grownColumns(DECODED_COLUMNS, this.#memory, capacity);
    this.#columns = attachColumns(DECODED_COLUMNS, this.#memory);
    const keys = new Uint8Array(capacity * this.#keyBytes);
    keys.set(this.#keys);
    this.#keys = keys;
  }

  #addJson(value: unknown): void {
    this.#addText(Buffer.from(JSON.stringify(value)));
  }

  #addText(text: Uint8Array): void {
    if (this.#textBytes + text.length > this.#texts.length) {
      const bytes = Math.max(this.#texts.length * 2, this.#textBytes + text.length);
      const grown = Buffer.from(new ArrayBuffer(bytes));
      grown.set(this.#texts.subarray(0, this.#textBytes));
      this.#texts = grown;
    }
    this.#texts.set(text, this.#textBytes);
    this.#textBytes += text.length;
  }
}

function damaged(objectId: string) {
  return (problem: string, cause?: unknown) =>
    new EngineError('DIRECTORY_DAMAGED', `cannot read directory ${objectId}: ${problem}`, {
      cause,
    });
}

/**
 * Names that were not UTF-8 have U+FFFD for what they lost, and special entries have a list of
 * their own; of several names that become equal the first is restored and the others are named.
 */
class SeenNames {
  readonly #isOrdered: boolean;
  readonly #seen = new Set<string>();

  /** @param isOrdered whether names that lost nothing are known to differ */
  constructor(isOrdered: boolean) {
    this.#isOrdered = isOrdered;
  }

  isFirst(name: Uint8Array, isLossy: boolean): boolean {
    if (this.#isOrdered && !isLossy) return true;
    const text = Buffer.from(name).toString('latin1');
    if (this.#seen.has(text)) return false;
    this.#seen.add(text);
    return true;
  }
}

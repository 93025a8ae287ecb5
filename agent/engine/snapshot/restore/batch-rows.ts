// Decoded directories as the planner reads them.

import { attachColumns } from '#engine/base/columns.ts';
import { type DirEntry, encodeDirectory, encodeEntry } from '#engine/format/directory.ts';
import {
  DECODED_COLUMNS,
  type DecodedColumns,
  type DecodedDirectories,
} from './decode-directories.ts';
import type { DirectoryColumns, EntryColumns } from './plan-tables.ts';

export class BatchRows {
  readonly columns: DecodedColumns;
  readonly texts: Uint8Array;
  readonly objectIds: ReadonlyMap<number, string>;
  readonly linkGroups: ReadonlyMap<number, string>;
  readonly holes: ReadonlyMap<number, readonly number[]>;
  readonly #keys: Uint8Array;
  readonly #keyBytes: number;

  constructor(decoded: DecodedDirectories) {
    this.columns = attachColumns(DECODED_COLUMNS, decoded.memory);
    this.texts = decoded.texts;
    this.objectIds = new Map(decoded.objectIds);
    this.linkGroups = new Map(decoded.linkGroups);
    this.holes = new Map(decoded.holes);
    this.#keys = decoded.keys;
    this.#keyBytes = decoded.keyBytes;
  }

  nameAt(row: number): Uint8Array {
    const start = this.columns.nameStart[row];
    return this.texts.subarray(start, start + this.columns.nameBytes[row]);
  }

  /** The key of the content that a row's object is. */
  keyAt(row: number): Uint8Array {
    return this.#keys.subarray(row * this.#keyBytes, (row + 1) * this.#keyBytes);
  }

  copyAttributes(row: number, to: DirectoryColumns | EntryColumns, toRow: number): void {
    const from = this.columns;
    to.mode[toRow] = from.mode[row];
    to.uid[toRow] = from.uid[row];
    to.gid[toRow] = from.gid[row];
    to.mtimeSeconds[toRow] = from.mtimeSeconds[row];
    to.mtimeNanoseconds[toRow] = from.mtimeNanoseconds[row];
  }
}

/** A directory object that holds `entry` alone. */
export function directoryOf(entry: DirEntry): Uint8Array {
  const summary = {
    bytes: 0,
    files: 0,
    symlinks: 0,
    directories: 0,
    maxTimeSeconds: 0,
    maxTimeNanoseconds: 0,
    incomplete: '',
    failedCount: 0,
    ignoredErrorCount: 0,
    failedEntries: [],
  };
  return new Uint8Array(Buffer.from(encodeDirectory([encodeEntry(entry)], summary)));
}

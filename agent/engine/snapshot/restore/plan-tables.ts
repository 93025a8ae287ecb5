// The plan of a restore as tables in shared memory: what is to be made, and of which contents. The
// main thread fills them; worker threads read names and attributes from there, so that a task is a
// few numbers whatever it is about. A section is as much of a tree as is planned at once.

import {
  allocateColumns,
  attachColumns,
  type ColumnMemory,
  type Columns,
  grownColumns,
} from '#engine/base/columns.ts';

/** Attributes that files, links, special entries and directories have. */
const ATTRIBUTE_COLUMNS = Object.freeze({
  mtimeSeconds: 'f64',
  mtimeNanoseconds: 'u32',
  uid: 'u32',
  gid: 'u32',
  mode: 'u16',
  /** Where the bytes of the name lie in the texts. */
  nameStart: 'u32',
  nameBytes: 'u16',
  /** JSON of EntryExtras; no bytes where there are none. */
  extrasStart: 'u32',
  extrasBytes: 'u32',
} as const);

export const DIRECTORY_COLUMNS = Object.freeze({
  ...ATTRIBUTE_COLUMNS,
  /** Row of the directory that holds it, or NO_ROW for a target. */
  parent: 'u32',
  /** Which of the targets it is beneath. */
  target: 'u32',
  /** One of DIRECTORY_STATE. */
  state: 'u8',
} as const);

export const ENTRY_COLUMNS = Object.freeze({
  ...ATTRIBUTE_COLUMNS,
  /** Bytes of a file, or of a link's target. */
  bytes: 'f64',
  directory: 'u32',
  firstChunk: 'u32',
  chunkCount: 'u32',
  /** Chunks that are still to be written; whoever writes the last one finishes the file. */
  chunksLeft: 'i32',
  /** Bits of ENTRY_FLAG, changed by several threads. */
  flags: 'i32',
  /** The file that is being written, once it is there (entry-identity.ts). */
  inodeLow: 'u32',
  inodeHigh: 'u32',
  /** A sum of what has to give way to it, where ENTRY_FLAG.occupied says so. */
  occupant: 'u32',
  /** One of ENTRY_KIND. */
  kind: 'u8',
  /** One of ENTRY_ACTION. */
  action: 'u8',
} as const);

export const CHUNK_COLUMNS = Object.freeze({
  /** Where it begins in its file. */
  offset: 'f64',
  entry: 'u32',
  /** Its length in the file. */
  bytes: 'u32',
  /** Number of its pack, of packIds; NO_ROW where the index does not know the content. */
  pack: 'u32',
  packOffset: 'u32',
  packedBytes: 'u32',
  originalBytes: 'u32',
  compressionId: 'u32',
  /** Bits of CHUNK_FLAG. */
  flags: 'u8',
} as const);

export const NO_ROW = 0xffffffff;

export const DIRECTORY_STATE = Object.freeze({
  planned: 0,
  /** It did not exist, so nothing can be in the way in it. */
  made: 1,
  kept: 2,
  /** It cannot be had, and nothing below it. */
  failed: 3,
  /** The directory around a file that is restored by itself; its attributes are not ours. */
  foreign: 4,
  /** Nothing in it is restored, as far as is known. */
  unwanted: 5,
  /** As foreign, and it did not exist, so nothing can be in the way in it. */
  foreignNew: 6,
  /** As kept, and on a file system that is mounted below the target: nothing is removed there. */
  mounted: 7,
  /** As planned, as the way to what is wanted in it: one that is there is foreign. */
  passing: 8,
});

/** Whether a directory was there before and is one of the snapshot's. */
export function isKeptDirectory(state: number): boolean {
  return state === DIRECTORY_STATE.kept || state === DIRECTORY_STATE.mounted;
}

/** Whether a directory is still to be made or found. */
export function isPlannedDirectory(state: number): boolean {
  return state === DIRECTORY_STATE.planned || state === DIRECTORY_STATE.passing;
}

/** Whether a directory was not there before, and may not be there yet where only a plan is made. */
export function isNewDirectory(state: number): boolean {
  return state === DIRECTORY_STATE.made || state === DIRECTORY_STATE.foreignNew;
}

export const ENTRY_KIND = Object.freeze({ file: 0, symlink: 1, special: 2 });

export const ENTRY_ACTION = Object.freeze({
  /** Nothing is in the way, or it gives way. */
  make: 0,
  /** What is there stays, bytes and attributes. */
  keep: 1,
  /** What is there has the bytes; its attributes are set. */
  settle: 2,
  /** The file that is there is written where it differs. */
  update: 3,
  /** Made as another name of a file, when that is there. */
  link: 4,
  /** It cannot be had; already in the outcome. */
  failed: 5,
});

/** Whether the entry is made, or written where it differs. */
export function isMade(action: number): boolean {
  return action === ENTRY_ACTION.make || action === ENTRY_ACTION.update;
}

export const ENTRY_FLAG = Object.freeze({
  /** A thread is making the file. */
  begun: 1,
  /** The file is there and has its length. */
  ready: 2,
  /** Some of its bytes could not be had. */
  damaged: 4,
  /** What is kept looks like the entry of the snapshot. */
  same: 8,
  /** Something has the name and is to give way. */
  occupied: 16,
  /** All of the file is written, and its attributes wait until that is on the disk. */
  written: 32,
});

export const CHUNK_FLAG = Object.freeze({
  /** The content holds a compressed stream (kopia-format.md 8.4). */
  compressed: 1,
  /** The target has these bytes already, or a hole is all they are. */
  present: 2,
});

export type DirectoryColumns = Columns<typeof DIRECTORY_COLUMNS>;
export type EntryColumns = Columns<typeof ENTRY_COLUMNS>;
export type ChunkColumns = Columns<typeof CHUNK_COLUMNS>;

/** Bytes of names and extras, appended one after the other. */
export class TextArena {
  bytes: Uint8Array;
  used = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(new SharedArrayBuffer(capacity));
  }

  /** Copies `text` in; returns where it begins. */
  add(text: Uint8Array): number {
    const needed = this.used + text.length;
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(new SharedArrayBuffer(Math.max(needed, this.bytes.length * 2)));
      grown.set(this.bytes.subarray(0, this.used));
      this.bytes = grown;
    }
    this.bytes.set(text, this.used);
    const start = this.used;
    this.used = needed;
    return start;
  }
}

/** A table that grows while it is being filled. */
class GrowingTable<Schema extends Readonly<Record<string, 'f64' | 'u32' | 'i32' | 'u16' | 'u8'>>> {
  columns: Columns<Schema>;
  count = 0;
  #memory: ColumnMemory;
  readonly #schema: Schema;

  constructor(schema: Schema, capacity: number) {
    this.#schema = schema;
    this.#memory = allocateColumns(schema, capacity, { isShared: true });
    this.columns = attachColumns(schema, this.#memory);
  }

  get memory(): ColumnMemory {
    return this.#memory;
  }

  /** A new row of zeros. */
  addRow(): number {
    if (this.count === this.#memory.capacity) {
      this.#memory = grownColumns(this.#schema, this.#memory, this.count * 2);
      this.columns = attachColumns(this.#schema, this.#memory);
    }
    return this.count++;
  }
}

const FIRST_ROWS = 4096;
const FIRST_TEXT_BYTES = 64 * 1024;

/** The directories of a whole restore: parents before children. */
export class DirectoryTable {
  readonly texts = new TextArena(FIRST_TEXT_BYTES);
  readonly #table = new GrowingTable(DIRECTORY_COLUMNS, FIRST_ROWS);

  get columns(): DirectoryColumns {
    return this.#table.columns;
  }

  get count(): number {
    return this.#table.count;
  }

  addRow(): number {
    return this.#table.addRow();
  }

  share(): SharedDirectories {
    return { memory: this.#table.memory, texts: this.texts.bytes };
  }
}

/** Entries and chunks of one section. */
export class SectionTable {
  readonly texts = new TextArena(FIRST_TEXT_BYTES);
  /** Ids of the packs that chunks name by number. */
  readonly packIds: string[] = [];
  readonly keyBytes: number;
  readonly #entries = new GrowingTable(ENTRY_COLUMNS, FIRST_ROWS);
  readonly #chunks = new GrowingTable(CHUNK_COLUMNS, FIRST_ROWS);
  readonly #packNumbers = new Map<string, number>();
  #keys: TextArena;

  /** @param keyBytes length of the key of a content: the prefix byte and the hash */
  constructor(keyBytes: number) {
    this.keyBytes = keyBytes;
    this.#keys = new TextArena(FIRST_ROWS * keyBytes);
  }

  get entries(): EntryColumns {
    return this.#entries.columns;
  }

  get chunks(): ChunkColumns {
    return this.#chunks.columns;
  }

  get entryCount(): number {
    return this.#entries.count;
  }

  get chunkCount(): number {
    return this.#chunks.count;
  }

  /** Memory that the tables take; each of them doubles when it is full. */
  get allocatedBytes(): number {
    const tables = [this.#entries.memory.buffer, this.#chunks.memory.buffer];
    const buffers = [...tables, this.texts.bytes, this.#keys.bytes];
    return buffers.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  addEntry(): number {
    return this.#entries.addRow();
  }

  /** A new chunk of the content with `key`. */
  addChunk(key: Uint8Array): number {
    this.#keys.add(key);
    return this.#chunks.addRow();
  }

  keyOf(chunk: number): Uint8Array {
    return this.#keys.bytes.subarray(chunk * this.keyBytes, (chunk + 1) * this.keyBytes);
  }

  packNumber(packId: string): number {
    let number = this.#packNumbers.get(packId);
    if (number === undefined) {
      number = this.packIds.push(packId) - 1;
      this.#packNumbers.set(packId, number);
    }
    return number;
  }

  /** The tables for other threads, when no more rows are added. */
  share(directories: DirectoryTable): SharedSection {
    return {
      directories: directories.share(),
      entries: this.#entries.memory,
      chunks: this.#chunks.memory,
      keys: this.#keys.bytes,
      keyBytes: this.keyBytes,
      texts: this.texts.bytes,
    };
  }
}

export interface SharedDirectories {
  readonly memory: ColumnMemory;
  readonly texts: Uint8Array;
}

export interface SharedSection {
  readonly directories: SharedDirectories;
  readonly entries: ColumnMemory;
  readonly chunks: ColumnMemory;
  readonly keys: Uint8Array;
  readonly keyBytes: number;
  readonly texts: Uint8Array;
}

/** A section as a worker thread sees it. */
export interface SectionView {
  readonly directories: DirectoryColumns;
  readonly directoryTexts: Uint8Array;
  readonly entries: EntryColumns;
  readonly chunks: ChunkColumns;
  readonly keys: Uint8Array;
  readonly keyBytes: number;
  readonly texts: Uint8Array;
}

export function attachSection(shared: SharedSection): SectionView {
  const { directories, keys, keyBytes, texts } = shared;
  return {
    directories: attachColumns(DIRECTORY_COLUMNS, directories.memory),
    directoryTexts: directories.texts,
    entries: attachColumns(ENTRY_COLUMNS, shared.entries),
    chunks: attachColumns(CHUNK_COLUMNS, shared.chunks),
    keys,
    keyBytes,
    texts,
  };
}

// The entries of a directory object as columns over its bytes: what a backup compares millions of
// files with, without an object or a text for each of them. Reads the text that kopia and we write,
// to the byte (encodeEntry in directory.ts); whatever else is well-formed goes through
// directory-decode.ts and comes back as that text.

import { asBuffer } from '#engine/base/bytes.ts';
import { encodeDirectory, encodeEntry, encodeExtra } from './directory.ts';
import type { DirEntry, DirSummary } from './directory.ts';
import { decodeDirectory, decodeEntry } from './directory-decode.ts';
import {
  decodeDirectoryExtras,
  decodeExtras,
  type DirectoryExtras,
  EXTRAS_FIELD,
} from './entry-extras.ts';
import { posixModeOf } from './go-mode.ts';
import { failing, type ExtraFields, type Fail } from './json-fields.ts';
import { TextCursor } from './text-cursor.ts';

const DIRECTORY = 'd'.charCodeAt(0);
const COMMA = ','.charCodeAt(0);
const CLOSE = '}'.charCodeAt(0);
const OWN_FIELD = `,"${EXTRAS_FIELD}":`;
const HEAD = '{"stream":"kopia:directory","entries":';
/** kopia writes this for a byte of a name that is no UTF-8. */
const LOST_BYTE = '\\ufffd';
const REPLACEMENT = '\ufffd';
const FIRST_ENTRIES = 256;

export class DirectoryTable {
  count = 0;
  /** How many are directories; where isSorted they come first. */
  directoryCount = 0;
  /** Whether directories, then all else, ascend by the bytes of their names. */
  isSorted = true;
  summary: DirSummary | undefined;
  /** Extra fields as they stand behind others (encodeExtra). */
  extraText = '';
  #extra: ExtraFields | undefined;
  /** Of which the positions below are; names that stand escaped in it lie behind it. */
  bytes: Uint8Array = new Uint8Array(0);
  starts = new Uint32Array(FIRST_ENTRIES);
  ends = new Uint32Array(FIRST_ENTRIES);
  nameStarts = new Uint32Array(FIRST_ENTRIES);
  /** 0 for a name whose bytes nobody knows. */
  nameLengths = new Uint32Array(FIRST_ENTRIES);
  /** Codes of the letters of DirEntry.type; 0 for a type that is not one letter. */
  types = new Uint8Array(FIRST_ENTRIES);
  modes = new Uint16Array(FIRST_ENTRIES);
  sizes = new Float64Array(FIRST_ENTRIES);
  mtimeSeconds = new Float64Array(FIRST_ENTRIES);
  mtimeNanoseconds = new Uint32Array(FIRST_ENTRIES);
  uids = new Uint32Array(FIRST_ENTRIES);
  gids = new Uint32Array(FIRST_ENTRIES);
  objectStarts = new Uint32Array(FIRST_ENTRIES);
  objectEnds = new Uint32Array(FIRST_ENTRIES);
  hasExtra = new Uint8Array(FIRST_ENTRIES);
  readonly #cursor = new TextCursor();
  #oddNames: Uint8Array[] = [];
  #oddBytes = 0;
  #isExact = true;
  /** Whether no field that is known stands behind those that are unknown, where it would count. */
  #isOrdered = false;

  /** Makes it empty. */
  clear(): void {
    this.#begin(new Uint8Array(0));
  }

  /**
   * Takes a whole directory object.
   * @param name what it is called in messages
   * @throws DIRECTORY_DAMAGED, LIMIT_EXCEEDED
   */
  read(bytes: Uint8Array, name: string): void {
    if (this.#read(bytes)) return;
    const { entries, summary, extra } = decodeDirectory(bytes, name);
    // An empty name is left out otherwise.
    const texts = entries.map(entry => encodeEntry(entry, entry.name === '' ? '""' : undefined));
    const plain = Buffer.from(encodeDirectory(texts, summary ?? NO_SUMMARY, extra));
    this.#isExact = false;
    this.#isOrdered = true;
    const isRead = this.#read(new Uint8Array(plain));
    this.#isExact = true;
    this.#isOrdered = false;
    if (summary === undefined) this.summary = undefined;
    const fail = failing('DIRECTORY_DAMAGED', name, 'the directory cannot be used');
    if (!isRead) throw fail('its entries have fields that kopia does not write');
  }

  /** Takes some entries of another table, as they stand there. */
  readEntries(bytes: Uint8Array): boolean {
    this.#begin(bytes);
    this.#isOrdered = true;
    const isRead = bytes.length === 0 || (this.#entries() && this.#cursor.at === bytes.length);
    this.#isOrdered = false;
    return isRead;
  }

  /**
   * Whether entry `index` has the name that lies in `names`. Below zero when it sorts before it.
   */
  compareName(index: number, names: Uint8Array, offset: number, length: number): number {
    const start = this.nameStarts[index];
    const ownLength = this.nameLengths[index];
    const { bytes } = this;
    const shorter = ownLength < length ? ownLength : length;
    for (let at = 0; at < shorter; at++) {
      const difference = bytes[start + at] - names[offset + at];
      if (difference !== 0) return difference;
    }
    return ownLength - length;
  }

  /** The bytes of a name, a view; none where only the whole entry says what it is. */
  nameBytesAt(index: number): Uint8Array {
    const start = this.nameStarts[index];
    return this.bytes.subarray(start, start + this.nameLengths[index]);
  }

  objectIdAt(index: number): string {
    const { bytes } = this;
    return asBuffer(bytes).toString('latin1', this.objectStarts[index], this.objectEnds[index]);
  }

  /** The texts of entries `first` to `last`, joined by commas as they stand: a view. */
  textsOf(first: number, last: number): Uint8Array {
    return this.bytes.subarray(this.starts[first], this.ends[last]);
  }

  /** @throws what `fail` makes */
  entryAt(index: number, fail: Fail): DirEntry {
    const text = asBuffer(this.textsOf(index, index)).toString('utf8');
    return decodeEntry(JSON.parse(text), fail);
  }

  /** Extra fields of the directory as they stand in it. */
  extraField(): ExtraFields | undefined {
    return this.#extra;
  }

  /** What the extra fields of the directory say. @throws what `fail` makes */
  extras(fail: Fail): DirectoryExtras | undefined {
    return decodeDirectoryExtras(this.#extra, fail);
  }

  #begin(bytes: Uint8Array): void {
    this.count = 0;
    this.directoryCount = 0;
    this.isSorted = true;
    this.summary = undefined;
    this.#extra = undefined;
    this.extraText = '';
    this.bytes = bytes;
    this.#oddNames = [];
    this.#oddBytes = 0;
    this.#cursor.begin(bytes);
  }

  #read(bytes: Uint8Array): boolean {
    this.#begin(bytes);
    const cursor = this.#cursor;
    if (!cursor.skip(HEAD)) return false;
    if (cursor.skip('[')) {
      if (!this.#entries() || !cursor.skip(']')) return false;
    } else if (!cursor.skip('null')) {
      return false;
    }
    const rest = asBuffer(bytes).toString('utf8', cursor.at);
    // Whatever else stands there is judged by the decoder.
    const { entries, summary, extra = {} } = decodeDirectory(Buffer.from(`${HEAD}null${rest}`));
    if (entries.length > 0) return false;
    this.summary = summary;
    this.#extra = extra;
    this.extraText = encodeExtra(extra);
    return true;
  }

  #entries(): boolean {
    const cursor = this.#cursor;
    do {
      if (this.count === this.starts.length) this.#grow();
      if (!this.#entry(this.count)) return false;
      this.count++;
    } while (cursor.skipByte(COMMA));
    this.#placeOddNames();
    this.#checkOrder();
    return true;
  }

  #entry(index: number): boolean {
    const cursor = this.#cursor;
    this.starts[index] = cursor.at;
    if (!cursor.skip('{"name":"')) return false;
    const isOdd = this.#name(index);
    if (cursor.skip(',"type":"')) this.#type(index);
    else this.types[index] = 0;
    this.modes[index] = cursor.skip(',"mode":"') ? posixModeOf(cursor.octal()) : 0;
    this.sizes[index] = cursor.skip(',"size":') ? cursor.decimal() : 0;
    this.mtimeSeconds[index] = cursor.skip(',"mtime":"') ? cursor.time() : 0;
    this.mtimeNanoseconds[index] = cursor.nanoseconds;
    cursor.nanoseconds = 0;
    const uid = cursor.skip(',"uid":') ? cursor.decimal() : 0;
    const gid = cursor.skip(',"gid":') ? cursor.decimal() : 0;
    this.uids[index] = uid;
    this.gids[index] = gid;
    if (!cursor.skip(',"obj":"')) return false;
    this.objectStarts[index] = cursor.at;
    this.objectEnds[index] = cursor.word();
    if (cursor.skip(',"summ":')) cursor.object();
    const isPlain = cursor.isAt(CLOSE);
    this.hasExtra[index] = isPlain ? 0 : 1;
    if (!isPlain && !this.#isOrdered && !this.#hasOnlyOurs()) return false;
    cursor.closing();
    this.ends[index] = cursor.at;
    if (this.types[index] === DIRECTORY) this.directoryCount++;
    if (isOdd && !cursor.isLost) this.#oddName(index);
    // A column keeps 32 bits, and a larger owner would become another one.
    return !cursor.isLost && this.uids[index] === uid && this.gids[index] === gid;
  }

  #hasOnlyOurs(): boolean {
    const cursor = this.#cursor;
    if (!cursor.skip(OWN_FIELD)) return false;
    cursor.object();
    return cursor.isAt(CLOSE);
  }

  /** Whether the name stands there in another form than its bytes. */
  #name(index: number): boolean {
    const cursor = this.#cursor;
    const start = cursor.at;
    const isEscaped = cursor.text();
    this.nameStarts[index] = start;
    this.nameLengths[index] = cursor.at - 1 - start;
    return isEscaped || !this.#isExact;
  }

  /** Kopia's are one letter; of a longer one, or of none, only the whole entry says what it is. */
  #type(index: number): void {
    const cursor = this.#cursor;
    const letter = this.bytes[cursor.at] ?? 0;
    const start = cursor.at;
    const isEscaped = cursor.text();
    this.types[index] = !isEscaped && cursor.at === start + 2 ? letter : 0;
  }

  #oddName(index: number): void {
    const start = this.nameStarts[index];
    const end = start + this.nameLengths[index];
    const literal = asBuffer(this.bytes).toString('utf8', start - 1, end + 1);
    // A JSON string gives a string.
    let name: Uint8Array | undefined = Buffer.from(JSON.parse(literal) as string);
    const isLost = literal.includes(LOST_BYTE) || (!this.#isExact && literal.includes(REPLACEMENT));
    if (isLost) name = this.hasExtra[index] === 1 ? this.#nameBytes(index) : undefined;
    this.nameLengths[index] = name?.length ?? 0;
    if (name === undefined) return;
    this.nameStarts[index] = this.bytes.length + this.#oddBytes;
    this.#oddNames.push(name);
    this.#oddBytes += name.length;
  }

  #nameBytes(index: number): Uint8Array | undefined {
    const fail = failing('DIRECTORY_DAMAGED', 'a directory', 'it cannot be used');
    return decodeExtras(this.entryAt(index, fail).extra, fail)?.nameBytes;
  }

  #placeOddNames(): void {
    if (this.#oddBytes === 0) return;
    this.bytes = new Uint8Array(Buffer.concat([this.bytes, ...this.#oddNames]));
  }

  #checkOrder(): void {
    let last = -1;
    for (let index = 0; index < this.count; index++) {
      if (this.nameLengths[index] === 0) continue;
      const isDirectory = this.types[index] === DIRECTORY;
      if (isDirectory && index >= this.directoryCount) this.isSorted = false;
      const isFirst = last === -1 || (!isDirectory && this.types[last] === DIRECTORY);
      if (!isFirst && this.#compareNames(last, index) >= 0) this.isSorted = false;
      last = index;
    }
  }

  #compareNames(a: number, b: number): number {
    return this.compareName(a, this.bytes, this.nameStarts[b], this.nameLengths[b]);
  }

  #grow(): void {
    const length = this.starts.length * 2;
    this.starts = grown(this.starts, new Uint32Array(length));
    this.ends = grown(this.ends, new Uint32Array(length));
    this.nameStarts = grown(this.nameStarts, new Uint32Array(length));
    this.nameLengths = grown(this.nameLengths, new Uint32Array(length));
    this.types = grown(this.types, new Uint8Array(length));
    this.modes = grown(this.modes, new Uint16Array(length));
    this.sizes = grown(this.sizes, new Float64Array(length));
    this.mtimeSeconds = grown(this.mtimeSeconds, new Float64Array(length));
    this.mtimeNanoseconds = grown(this.mtimeNanoseconds, new Uint32Array(length));
    this.uids = grown(this.uids, new Uint32Array(length));
    this.gids = grown(this.gids, new Uint32Array(length));
    this.objectStarts = grown(this.objectStarts, new Uint32Array(length));
    this.objectEnds = grown(this.objectEnds, new Uint32Array(length));
    this.hasExtra = grown(this.hasExtra, new Uint8Array(length));
  }
}

type Column = Uint32Array | Uint16Array | Uint8Array | Float64Array;

function grown<Table extends Column>(from: Table, to: Table): Table {
  to.set(from);
  return to;
}

/** Stands in where an object has none. */
const NO_SUMMARY: DirSummary = Object.freeze({
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
});

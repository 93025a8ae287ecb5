// The list of an indirect object, read in pieces. A file of 10 TB has millions of entries and a
// list of hundreds of MiB, itself cut into contents, so the text is scanned as a stream and only
// marks are kept: every so often, which byte of the text stands for which byte of the object.
// Reading at an offset starts at the mark before it. Format: kopia repo/object/object_reader.go,
// indirect objects.

import { EngineError } from '#engine/base/errors.ts';
import { decodeIndirect, indirectLength, type IndirectEntry } from '#engine/format/indirect.ts';
import { JsonFields } from '#engine/format/json-fields.ts';
import type { ObjectReader, ReadOptions } from './object-reader.ts';

/** Lists up to this size are parsed at once and kept (some 60,000 entries). */
const WHOLE_LIST_BYTES_MAX = 4 << 20;
const MARK_EVERY_BYTES = 256 << 10;
/** An entry is some 70 bytes; what is longer than this is no list. */
const ENTRY_BYTES_MAX = 4096;

export interface ChunkList {
  /** Length of the object that the list describes. */
  readonly bytes: number;
  /** Entries in order, from the one that covers `offset`. */
  entriesFrom(offset: number, options?: ReadOptions): AsyncIterable<IndirectEntry>;
}

/** @throws OBJECT_DAMAGED, and what reading the list's contents throws */
export async function openChunkList(list: ObjectReader, options: ReadOptions): Promise<ChunkList> {
  if (list.bytes > WHOLE_LIST_BYTES_MAX) return await PagedList.open(list, options);
  const text = await list.read(0, list.bytes, options);
  return new WholeList(decodeIndirect(text, `the chunk list ${list.objectId}`));
}

function checkContiguous(objectId: string, entry: IndirectEntry, expected: number): void {
  if (entry.start === expected) return;
  throw damagedList(objectId, `a chunk starts at ${entry.start} instead of ${expected}`);
}

function damagedList(objectId: string, reason: string, cause?: unknown): EngineError {
  const text = `reading the chunk list ${objectId} failed: ${reason}; verify the repository`;
  return new EngineError('OBJECT_DAMAGED', text, { cause, details: { objectId } });
}

class WholeList implements ChunkList {
  readonly bytes: number;
  readonly #entries: readonly IndirectEntry[];

  constructor(entries: readonly IndirectEntry[]) {
    this.#entries = entries;
    this.bytes = indirectLength(entries);
  }

  async *entriesFrom(offset: number): AsyncIterable<IndirectEntry> {
    const entries = this.#entries;
    for (let i = firstCovering(entries, offset); i < entries.length; i++) yield entries[i];
  }
}

/** Index of the first entry that ends after `offset`. */
function firstCovering(entries: readonly IndirectEntry[], offset: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (entries[middle].start + entries[middle].length > offset) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** `textOffset` is where the entry begins that starts at byte `start` of the object. */
interface Mark {
  readonly textOffset: number;
  readonly start: number;
}

class PagedList implements ChunkList {
  readonly bytes: number;
  readonly #list: ObjectReader;
  /** In order of the text; at most one for MARK_EVERY_BYTES of it. */
  readonly #marks: Mark[];

  private constructor(list: ObjectReader, bytes: number, first: Mark) {
    this.#list = list;
    this.bytes = bytes;
    this.#marks = [first];
  }

  static async open(list: ObjectReader, options: ReadOptions): Promise<PagedList> {
    const head = latin1(await list.read(0, ENTRY_BYTES_MAX, options));
    const opening = /^\s*\{\s*"stream"\s*:\s*"kopia:indirect"\s*,\s*"entries"\s*:\s*\[/.exec(head);
    if (!opening) throw damagedList(list.objectId, 'it does not begin as one');
    const tailStart = list.bytes - ENTRY_BYTES_MAX;
    const tail = latin1(await list.read(tailStart, ENTRY_BYTES_MAX, options));
    const last = [...tail.matchAll(ENTRY)].at(-1);
    if (!last) throw damagedList(list.objectId, 'its last entry is missing');
    const { start, length } = parseEntry(list.objectId, last[0]);
    return new PagedList(list, start + length, { textOffset: opening[0].length, start: 0 });
  }

  async *entriesFrom(offset: number, { signal }: ReadOptions = {}): AsyncIterable<IndirectEntry> {
    const from = this.#marks[lastAtOrBefore(this.#marks, offset)];
    let expected = from.start;
    for await (const { entry, textOffset } of this.#scan(from.textOffset, { signal })) {
      checkContiguous(this.#list.objectId, entry, expected);
      this.#mark({ textOffset, start: entry.start });
      expected += entry.length;
      if (expected > offset) yield entry;
    }
    if (expected !== this.bytes) {
      throw damagedList(this.#list.objectId, `it ends at ${expected} instead of ${this.bytes}`);
    }
  }

  #mark(mark: Mark): void {
    const last = this.#marks[this.#marks.length - 1];
    if (mark.textOffset >= last.textOffset + MARK_EVERY_BYTES) this.#marks.push(mark);
  }

  async *#scan(
    textOffset: number,
    { signal }: ReadOptions,
  ): AsyncIterable<{ entry: IndirectEntry; textOffset: number }> {
    const { objectId } = this.#list;
    let rest = '';
    let restOffset = textOffset;
    for await (const piece of this.#list.stream({ signal, offset: textOffset })) {
      const text = rest + latin1(piece);
      let end = 0;
      for (const match of text.matchAll(ENTRY)) {
        if (!GAP.test(text.slice(end, match.index))) throw damagedList(objectId, 'it is not JSON');
        end = match.index + match[0].length;
        const entry = parseEntry(objectId, match[0]);
        yield { entry, textOffset: restOffset + match.index };
      }
      rest = text.slice(end);
      restOffset += end;
      if (rest.length > ENTRY_BYTES_MAX) throw damagedList(objectId, 'an entry does not end');
    }
    if (!/^\s*\]\s*\}\s*$/.test(rest)) throw damagedList(objectId, 'it does not end as one');
  }
}

/** Entries are flat, and object ids contain no braces. */
const ENTRY = /\{[^{}]*\}/g;
const GAP = /^[\s,]*$/;

function parseEntry(objectId: string, text: string): IndirectEntry {
  const fields = JsonFields.parse(text, (reason, cause) => damagedList(objectId, reason, cause));
  return { start: fields.number('s'), length: fields.number('l'), objectId: fields.text('o') };
}

function lastAtOrBefore(marks: readonly Mark[], offset: number): number {
  let low = 0;
  let high = marks.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (marks[middle].start <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

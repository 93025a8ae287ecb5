// Reads what the last backup knew (docs/change-detection.md), as much of it at a time as the walk
// needs. It may be gone: kopia's maintenance takes it for garbage after a day. Then nothing is
// known, which makes the backup slower and not wrong.

import type { ContentSource } from '#engine/content/content-source.ts';
import { type ObjectReader, openObject } from '#engine/object/object-reader.ts';
import { isUnreadable } from '#engine/object/unreadable.ts';
import type { ChangesNote } from '#engine/snapshot/changes-note.ts';
import { directoryKey, HEADER_WORDS, STAMP_WORDS } from '#engine/snapshot/source/change-record.ts';
import { CHANGE_INDEX_BYTES_MAX, findRecord, SLOT_BYTES } from './change-index.ts';

const WINDOW_BYTES = 1024 * 1024;
const WINDOWS_MAX = 8;
const WORD_BYTES = 4;

export class KnownChanges {
  readonly #contents: ContentSource;
  readonly #note: ChangesNote;
  readonly #signal: AbortSignal;
  #opened: Promise<{ object: ObjectReader; index: Float64Array } | undefined> | undefined;
  #isLost = false;
  /** By number; a Map keeps the order of use. */
  readonly #windows = new Map<number, Promise<Uint8Array>>();

  constructor(contents: ContentSource, note: ChangesNote, signal: AbortSignal) {
    this.#contents = contents;
    this.#note = note;
    this.#signal = signal;
  }

  /** Whether it turned out that it cannot be read. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** The record of the directory that `names` lead to, a copy; undefined when there is none. */
  async find(names: readonly Uint8Array[]): Promise<Uint32Array<ArrayBuffer> | undefined> {
    if (this.#isLost) return undefined;
    try {
      this.#opened ??= this.#open();
      const opened = await this.#opened;
      return opened && (await this.#record(opened, names));
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      this.#isLost = true;
      return undefined;
    }
  }

  async #open(): Promise<{ object: ObjectReader; index: Float64Array } | undefined> {
    const { object: objectId, index: start, slots } = this.#note;
    const object = await openObject(this.#contents, objectId, { signal: this.#signal });
    const length = slots * SLOT_BYTES;
    if (length > CHANGE_INDEX_BYTES_MAX || start + length !== object.bytes) return undefined;
    const bytes = await object.read(start, length, { signal: this.#signal });
    return { object, index: new Float64Array(new Uint8Array(bytes).buffer) };
  }

  async #record(
    { object, index }: { object: ObjectReader; index: Float64Array },
    names: readonly Uint8Array[],
  ): Promise<Uint32Array<ArrayBuffer> | undefined> {
    const key = directoryKey(names);
    const offset = findRecord(index, key);
    if (offset === -1) return undefined;
    const header = await this.#read(object, offset, HEADER_WORDS);
    const [, count, low, high] = header ?? [];
    if (low !== key.low || high !== key.high) return undefined;
    return await this.#read(object, offset, HEADER_WORDS + count * STAMP_WORDS);
  }

  /** Undefined where the records end before. */
  async #read(
    object: ObjectReader,
    offset: number,
    words: number,
  ): Promise<Uint32Array<ArrayBuffer> | undefined> {
    const bytes = words * WORD_BYTES;
    if (!(offset + bytes <= this.#note.index)) return undefined;
    const result = new Uint8Array(bytes);
    for (let filled = 0; filled < bytes;) {
      const at = offset + filled;
      const window = await this.#window(object, Math.floor(at / WINDOW_BYTES));
      const start = at % WINDOW_BYTES;
      const part = window.subarray(start, start + bytes - filled);
      result.set(part, filled);
      filled += part.length;
    }
    return new Uint32Array(result.buffer);
  }

  async #window(object: ObjectReader, number: number): Promise<Uint8Array> {
    const known = this.#windows.get(number);
    this.#windows.delete(number);
    const window =
      known ?? object.read(number * WINDOW_BYTES, WINDOW_BYTES, { signal: this.#signal });
    this.#windows.set(number, window);
    if (this.#windows.size > WINDOWS_MAX) {
      const [oldest] = this.#windows.keys();
      this.#windows.delete(oldest);
    }
    return await window;
  }
}

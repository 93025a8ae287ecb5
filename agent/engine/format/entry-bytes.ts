// Entries of a directory as bytes, one behind the other with commas between them. Of a file with a
// plain name and nothing but kopia's fields, as nearly all are, the text is written without strings
// on the way: 0.6 in place of 1.1 us, and a quarter less garbage in a backup of small files.

import { asBuffer } from '#engine/base/bytes.ts';
import { isPlainCode } from '#engine/base/json.ts';
import type { DirEntry } from './directory.ts';
import { dayText, formatEntryTime, TIME_SECONDS_MAX } from './entry-time.ts';
import { formatGoMode } from './go-mode.ts';

/** An entry that has neither summary nor extra fields, and whose name stands elsewhere. */
export type PlainEntry = Omit<DirEntry, 'name' | 'summary' | 'extra'>;

/** Where a name lies. */
export interface NamePlace {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

const FIRST_BYTES = 16 * 1024;
/** Memory that grew beyond this is not kept for what comes next. */
const KEPT_BYTES_MAX = 1024 * 1024;
/** More than all fields take of an entry, but for the name, the type and the object. */
const FIELDS_BYTES_MAX = 256;
const COMMA = ','.charCodeAt(0);
const POINT = '.'.charCodeAt(0);
const COLON = ':'.charCodeAt(0);
const TEE = 'T'.charCodeAt(0);
const ZULU = 'Z'.charCodeAt(0);
const ZERO = '0'.charCodeAt(0);
const FRACTION_DIGITS = 9;
const DAY_SECONDS = 86_400;
const INT32_MAX = 2 ** 31 - 1;

/** One instance serves for many directories. */
export class EntryBytes {
  length = 0;
  #bytes = new Uint8Array(FIRST_BYTES);

  /** What has been added; a view that is good until something is added after clear(). */
  get view(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  clear(): void {
    this.length = 0;
    if (this.#bytes.length > KEPT_BYTES_MAX) this.#bytes = new Uint8Array(FIRST_BYTES);
  }

  /** One or several entries, encoded. */
  addBytes(text: Uint8Array): void {
    this.#begin(text.length);
    this.#bytes.set(text, this.length);
    this.length += text.length;
  }

  addText(text: string): void {
    const textBytes = Buffer.byteLength(text);
    this.#begin(textBytes);
    asBuffer(this.#bytes).write(text, this.length);
    this.length += textBytes;
  }

  /**
   * What encodeEntry of directory.ts gives, byte for byte.
   * @returns false, and adds nothing, where the name has characters that JSON or Go escapes
   */
  addPlain(entry: PlainEntry, { bytes: names, start, end }: NamePlace): boolean {
    for (let at = start; at < end; at++) if (!isPlainCode(names[at])) return false;
    const { type, mode, bytes: size, uid, gid, objectId } = entry;
    this.#begin(FIELDS_BYTES_MAX + end - start + type.length + objectId.length);
    this.#put('{"name":"');
    const bytes = this.#bytes;
    for (let at = start; at < end; at++) bytes[this.length++] = names[at];
    this.#put('","type":"');
    this.#put(type);
    this.#put('",');
    if (mode !== 0) {
      this.#put('"mode":"');
      this.#put(formatGoMode(mode));
      this.#put('",');
    }
    this.#putField('"size":', size);
    this.#putTime(entry.mtimeSeconds, entry.mtimeNanoseconds);
    this.#putField('"uid":', uid);
    this.#putField('"gid":', gid);
    this.#put('"obj":"');
    this.#put(objectId);
    this.#put('"}');
    return true;
  }

  /** Makes room, and separates it from what there is. */
  #begin(more: number): void {
    const needed = this.length + 1 + more;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
      grown.set(this.view);
      this.#bytes = grown;
    }
    if (this.length > 0) this.#bytes[this.length++] = COMMA;
  }

  /** ASCII alone. */
  #put(text: string): void {
    const bytes = this.#bytes;
    let at = this.length;
    for (let index = 0; index < text.length; index++) bytes[at++] = text.charCodeAt(index);
    this.length = at;
  }

  /** Zeros are left out. */
  #putField(label: string, value: number): void {
    if (value === 0) return;
    this.#put(label);
    if (value > INT32_MAX) {
      this.#put(String(value));
    } else {
      let digits = 1;
      for (let power = 10; power <= value; power *= 10) digits++;
      this.#putDigits(value, digits);
    }
    this.#bytes[this.length++] = COMMA;
  }

  #putDigits(value: number, digits: number): void {
    const bytes = this.#bytes;
    let rest = value;
    for (let at = this.length + digits - 1; at >= this.length; at--) {
      const tenth = (rest / 10) | 0;
      bytes[at] = ZERO + rest - tenth * 10;
      rest = tenth;
    }
    this.length += digits;
  }

  /** As formatEntryTime. */
  #putTime(seconds: number, nanoseconds: number): void {
    if (seconds === 0 && nanoseconds === 0) return;
    this.#put('"mtime":"');
    if (Math.abs(seconds) > TIME_SECONDS_MAX) {
      this.#put(formatEntryTime(seconds, nanoseconds));
    } else {
      this.#putClock(seconds);
      if (nanoseconds !== 0) {
        this.#bytes[this.length++] = POINT;
        this.#putDigits(nanoseconds, FRACTION_DIGITS);
        while (this.#bytes[this.length - 1] === ZERO) this.length--;
      }
      this.#bytes[this.length++] = ZULU;
    }
    this.#put('",');
  }

  #putClock(seconds: number): void {
    const day = Math.floor(seconds / DAY_SECONDS);
    const rest = seconds - day * DAY_SECONDS;
    const minutes = (rest / 60) | 0;
    const hour = (minutes / 60) | 0;
    this.#put(dayText(day));
    this.#bytes[this.length++] = TEE;
    this.#putDigits(hour, 2);
    this.#bytes[this.length++] = COLON;
    this.#putDigits(minutes - hour * 60, 2);
    this.#bytes[this.length++] = COLON;
    this.#putDigits(rest - minutes * 60, 2);
  }
}

// Goes through the JSON of a directory byte by byte, as long as it is what kopia writes. Anything
// else makes it lost, and what it returned since then means nothing.

import { entryTimeEras, TIME_SECONDS_MAX } from './entry-time.ts';

const QUOTE = '"'.charCodeAt(0);
const BACKSLASH = '\\'.charCodeAt(0);
const OPEN = '{'.charCodeAt(0);
const CLOSE = '}'.charCodeAt(0);
const ZERO = '0'.charCodeAt(0);
const NINE = '9'.charCodeAt(0);
const DOT = '.'.charCodeAt(0);
const LETTER_Z = 'Z'.charCodeAt(0);
const DAY_SECONDS = 86_400;

export class TextCursor {
  at = 0;
  /** Whether something else than what was expected stood there. */
  isLost = false;
  /** Of the time that was read last. */
  nanoseconds = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #lastDate = -1;
  #lastDaySeconds = 0;

  begin(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.at = 0;
    this.isLost = false;
    this.nanoseconds = 0;
  }

  isAt(byte: number): boolean {
    return this.#bytes[this.at] === byte;
  }

  skipByte(byte: number): boolean {
    if (this.#bytes[this.at] !== byte) return false;
    this.at++;
    return true;
  }

  /** Goes behind `literal`, which is ASCII, if it stands here. */
  skip(literal: string): boolean {
    const bytes = this.#bytes;
    const { at } = this;
    for (let index = 0; index < literal.length; index++) {
      if (bytes[at + index] !== literal.charCodeAt(index)) return false;
    }
    this.at = at + literal.length;
    return true;
  }

  /** From within a string to behind its end; whether it has escapes. */
  text(): boolean {
    const bytes = this.#bytes;
    let hasEscapes = false;
    for (let at = this.at; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === QUOTE) {
        this.at = at + 1;
        return hasEscapes;
      }
      if (byte !== BACKSLASH) continue;
      hasEscapes = true;
      at++;
    }
    this.isLost = true;
    return false;
  }

  /** The same for letters and digits alone, of which there is one; where they end. */
  word(): number {
    const bytes = this.#bytes;
    let { at } = this;
    while (isWordByte(bytes[at])) at++;
    if (bytes[at] !== QUOTE || at === this.at) this.isLost = true;
    this.at = at + 1;
    return at;
  }

  /** Octal digits up to the end of a string. */
  octal(): number {
    const bytes = this.#bytes;
    let value = 0;
    let { at } = this;
    if (bytes[at] !== ZERO) this.isLost = true;
    for (; bytes[at] >= ZERO && bytes[at] < ZERO + 8; at++) value = value * 8 + bytes[at] - ZERO;
    if (bytes[at] !== QUOTE || value > 0x7fff_ffff) this.isLost = true;
    this.at = at + 1;
    return value;
  }

  decimal(): number {
    const bytes = this.#bytes;
    let value = 0;
    let { at } = this;
    const start = at;
    for (; bytes[at] >= ZERO && bytes[at] <= NINE; at++) {
      value = value * 10 + (bytes[at] - ZERO);
    }
    // A double that is safe here has lost no digit on the way.
    if (at === start || !Number.isSafeInteger(value)) this.isLost = true;
    this.at = at;
    return value;
  }

  /** `2026-01-02T03:04:05.6789Z"`: whole seconds since 1970; the fraction is in nanoseconds. */
  time(): number {
    const { at } = this;
    const date = this.#digits(at, 4) * 10_000 + this.#digits(at + 5, 2) * 100;
    const day = date + this.#digits(at + 8, 2);
    if (day !== this.#lastDate) this.#takeDay(day);
    const hour = this.#digits(at + 11, 2);
    const minute = this.#digits(at + 14, 2);
    const second = this.#digits(at + 17, 2);
    if (hour > 23 || minute > 59 || second > 59 || !this.#hasTimeMarks(at)) this.isLost = true;
    this.at = at + 19;
    this.nanoseconds = this.skipByte(DOT) ? this.#fraction() : 0;
    if (!this.skipByte(LETTER_Z) || !this.skipByte(QUOTE)) this.isLost = true;
    const seconds = this.#lastDaySeconds + hour * 3600 + minute * 60 + second;
    // Kopia writes none that it would wrap.
    const isFar = Math.abs(seconds) > TIME_SECONDS_MAX;
    if (isFar && entryTimeEras({ seconds, nanoseconds: this.nanoseconds }) !== 0)
      this.isLost = true;
    return seconds;
  }

  /** From `{` to behind the `}` that belongs to it. */
  object(): void {
    if (!this.skipByte(OPEN)) this.isLost = true;
    else this.closing();
  }

  /** To behind the `}` of the object that is being read. */
  closing(): void {
    const bytes = this.#bytes;
    let depth = 1;
    while (this.at < bytes.length && !this.isLost) {
      const byte = bytes[this.at++];
      if (byte === QUOTE) this.text();
      else if (byte === OPEN) depth++;
      else if (byte === CLOSE && --depth === 0) return;
    }
    this.isLost = true;
  }

  #digits(from: number, count: number): number {
    let value = 0;
    for (let at = from; at < from + count; at++) {
      const digit = this.#bytes[at] - ZERO;
      if (!(digit >= 0 && digit <= 9)) this.isLost = true;
      value = value * 10 + digit;
    }
    return value;
  }

  #hasTimeMarks(at: number): boolean {
    const bytes = this.#bytes;
    const isDate = bytes[at + 4] === 0x2d && bytes[at + 7] === 0x2d && bytes[at + 10] === 0x54;
    return isDate && bytes[at + 13] === 0x3a && bytes[at + 16] === 0x3a;
  }

  #fraction(): number {
    const start = this.at;
    const value = this.decimal();
    const digits = this.at - start;
    if (digits > 9) this.isLost = true;
    return value * 10 ** (9 - digits);
  }

  #takeDay(day: number): void {
    const [year, month, date] = [Math.floor(day / 10_000), Math.floor(day / 100) % 100, day % 100];
    const time = new Date(0);
    time.setUTCFullYear(year, month - 1, date);
    const isReal = time.getUTCMonth() === month - 1 && time.getUTCDate() === date;
    if (!isReal || this.isLost) {
      this.isLost = true;
      return;
    }
    this.#lastDate = day;
    this.#lastDaySeconds = Math.floor(time.getTime() / 1000 / DAY_SECONDS) * DAY_SECONDS;
  }
}

function isWordByte(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  const isDigit = byte >= ZERO && byte <= NINE;
  const isLower = byte >= 0x61 && byte <= 0x7a;
  return isDigit || isLower || (byte >= 0x41 && byte <= 0x5a);
}

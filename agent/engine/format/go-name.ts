// File names as Go's JSON encoder writes them. A name is bytes, and not always UTF-8: each byte
// that is none becomes the six characters \ufffd, whereas a real U+FFFD is written as it is
// (kopia-format.md 10.3). Directories are hashed, so this has to agree to the byte.

import { isUtf8 } from 'node:buffer';
import { asBuffer } from '#engine/base/bytes.ts';
import { goString, isPlainCode } from '#engine/base/json.ts';

const INVALID = '\\ufffd';

/** The JSON literal, quotes included, of a name. */
export function goNameText(name: Uint8Array): string {
  const bytes = asBuffer(name);
  if (isUtf8(name)) return goString(bytes.toString('utf8'));
  let text = '';
  let validStart = 0;
  const flush = (end: number) => {
    if (end > validStart) text += goString(bytes.toString('utf8', validStart, end)).slice(1, -1);
  };
  for (let at = 0; at < name.length;) {
    const length = sequenceBytes(name, at);
    if (length === 0) {
      flush(at);
      text += INVALID;
      validStart = at + 1;
    }
    at += length || 1;
  }
  flush(name.length);
  return `"${text}"`;
}

/** The same of the name in bytes[start, end), without an object for one that is plain ASCII. */
export function goNameTextWithin(bytes: Buffer, start: number, end: number): string {
  for (let at = start; at < end; at++) {
    if (!isPlainCode(bytes[at])) return goNameText(bytes.subarray(start, end));
  }
  return `"${bytes.toString('latin1', start, end)}"`;
}

/** Order of two texts by their UTF-8 bytes, which is not that of `<` where surrogates occur. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const codeA = a.charCodeAt(at);
    const codeB = b.charCodeAt(at);
    if (codeA !== codeB) return rank(codeA) - rank(codeB);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all others, so they go behind U+E000 to U+FFFF. */
function rank(code: number): number {
  return code >= 0xd800 && code <= 0xdfff ? code + 0x10000 : code;
}

/** Length of the valid UTF-8 sequence at `at`, 0 when there is none. */
function sequenceBytes(bytes: Uint8Array, at: number): number {
  const first = bytes[at];
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  // Overlong forms, surrogates and what lies beyond U+10FFFF are for isUtf8 to know.
  const isValid = at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length));
  return isValid ? length : 0;
}

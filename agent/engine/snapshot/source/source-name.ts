// File names are bytes. Two texts are made of them: the one that kopia stores and matches rules
// against, and one that people can read. Neither is ever used to open a file.

import { isUtf8 } from 'node:buffer';

import { asBuffer } from '#engine/base/bytes.ts';

const REPLACEMENT = 0xfffd;

/**
 * The text that Go makes of a name: each byte that is not part of valid UTF-8 is one U+FFFD
 * (kopia-format.md 10.3). Two different names can have the same text.
 */
export function nameText(bytes: Uint8Array, start = 0, end = bytes.length): string {
  let index = start;
  while (index < end && (bytes[index] ?? 0) < 0x80) index++;
  const buffer = asBuffer(bytes);
  if (index === end) return buffer.toString('latin1', start, end);
  if (isUtf8(bytes.subarray(start, end))) return buffer.toString('utf8', start, end);
  return String.fromCodePoint(...codePointsOf(bytes.subarray(start, end)));
}

/** The code points that Go's `[]rune(text)` holds for these bytes. */
export function codePointsOf(bytes: Uint8Array): number[] {
  const points: number[] = [];
  for (let index = 0; index < bytes.length;) {
    const first = bytes[index] ?? 0;
    const length = first < 0x80 ? 1 : sequenceLength(bytes, index);
    points.push(length === 0 ? REPLACEMENT : decodeSequence(bytes, index, length));
    index += length || 1;
  }
  return points;
}

/** Length of the UTF-8 sequence of more than one byte at `index`; 0 when it is not valid. */
function sequenceLength(bytes: Uint8Array, index: number): number {
  const first = bytes[index] ?? 0;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || index + length > bytes.length) return 0;
  // isUtf8 knows about overlong forms, surrogates and what lies beyond U+10FFFF.
  return isUtf8(bytes.subarray(index, index + length)) ? length : 0;
}

function decodeSequence(bytes: Uint8Array, index: number, length: number): number {
  let point = bytes[index] ?? 0;
  if (length > 1) point &= 0xff >> (length + 1);
  for (let next = 1; next < length; next++) {
    point = (point << 6) | ((bytes[index + next] ?? 0) & 0x3f);
  }
  return point;
}

/** A name or path for messages: control characters and bytes outside UTF-8 appear as `\xNN`. */
export function printablePath(bytes: Uint8Array): string {
  let text = '';
  for (let index = 0; index < bytes.length;) {
    const byte = bytes[index] ?? 0;
    const length = byte < 0x80 ? 1 : sequenceLength(bytes, index);
    const point = decodeSequence(bytes, index, length || 1);
    const isReadable = length > 0 && point >= 0x20 && (point < 0x7f || point > 0x9f);
    if (isReadable) text += String.fromCodePoint(point);
    else for (let next = 0; next < (length || 1); next++) text += escapeByte(bytes[index + next]);
    index += length || 1;
  }
  return text;
}

function escapeByte(byte = 0): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}

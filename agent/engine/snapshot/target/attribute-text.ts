// Attributes as text for people, in differences.

import { createHash } from 'node:crypto';

import { formatEntryTime } from '#engine/format/entry-time.ts';
import { asBuffer } from '#engine/base/bytes.ts';

const VALUE_BYTES_SHOWN = 48;

/** `04755` */
export function modeText(mode: number): string {
  return `0${mode.toString(8)}`;
}

/** RFC 3339, or seconds since 1970 for what kopia's entries cannot hold. */
export function timeText(seconds: number, nanoseconds: number): string {
  const isCalendar = Math.abs(seconds) <= 9_223_372_035;
  return isCalendar ? formatEntryTime(seconds, nanoseconds) : `${seconds} s after 1970`;
}

/** A value of an extended attribute: quoted where it is text, else in hexadecimal. */
export function valueText(value: Uint8Array): string {
  const shown = asBuffer(value).subarray(0, VALUE_BYTES_SHOWN);
  const isText = shown.every(byte => byte >= 0x20 && byte < 0x7f);
  const text = isText ? JSON.stringify(shown.toString('latin1')) : `0x${shown.toString('hex')}`;
  if (value.length === shown.length) return text;
  // Two long values must not look the same.
  const digest = createHash('sha256').update(value).digest('hex').slice(0, 16);
  return `${text}… (${value.length} bytes, SHA-256 ${digest}…)`;
}

// Short forms that the tests of this folder share.

import { fromHex } from '#engine/base/bytes.ts';

/** UTF-8. */
export function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'utf8'));
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

/** @throws when `text` is not hexadecimal */
export function hex(text: string): Uint8Array {
  const bytes = fromHex(text.replaceAll(' ', ''));
  if (bytes === undefined) throw new Error(`not hexadecimal: ${text}`);
  return bytes;
}

/** Bytes first, first + 1, …, `count` of them. */
export function sequence(first: number, count = 32): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => first + i);
}

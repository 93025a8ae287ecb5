// Checks that both versions of index files share.

import { EngineError } from '#engine/base/errors.ts';
import { KEY_BYTES_MAX, KEY_BYTES_MIN, NO_PREFIX_CODE, PREFIX_CODES } from './entry.ts';

export function damagedIndex(name: string, what: string): EngineError {
  return new EngineError(
    'INDEX_DAMAGED',
    `cannot read index file ${name}: ${what}; check the repository with its own tools ` +
      `(kopia index recover rebuilds an index from the packs)`,
    { details: { name } },
  );
}

export function checkKeyBytes(name: string, keyBytes: number): void {
  if (keyBytes >= KEY_BYTES_MIN && keyBytes <= KEY_BYTES_MAX) return;
  throw damagedIndex(name, `its key size is ${keyBytes}`);
}

/** Checks the prefix of the key at `offset`, and that the key exceeds the one at `previous`. */
export function checkKey(
  bytes: Uint8Array,
  offset: number,
  previous: number,
  keyBytes: number,
): string | undefined {
  if (PREFIX_CODES[bytes[offset]] === NO_PREFIX_CODE) return 'a key has an impossible prefix';
  if (previous < 0) return undefined;
  for (let i = 0; i < keyBytes; i++) {
    const difference = bytes[offset + i] - bytes[previous + i];
    if (difference > 0) return undefined;
    if (difference < 0) break;
  }
  return 'its keys are not in ascending order';
}

// Pack ids become names in the storage, so nothing but what kopia puts into them is let through:
// letters, digits, '-' and '_' (kopia repo/content/content_manager.go and sessions.go).
const NAME_BYTES = new Uint8Array(256);
for (const character of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_') {
  NAME_BYTES[character.charCodeAt(0)] = 1;
}

/** Checks a pack id that must lie in bytes[from, end of file). */
export function checkPackId(
  bytes: Uint8Array,
  from: number,
  offset: number,
  length: number,
): string | undefined {
  if (offset < from || length === 0 || offset + length > bytes.length) {
    return 'a pack id lies outside the file or is empty';
  }
  for (let i = offset; i < offset + length; i++) {
    if (NAME_BYTES[bytes[i]] === 0) return 'a pack id has an impossible character';
  }
  return undefined;
}

/** Big-endian u32 as an unsigned number. */
export function readU32(bytes: Uint8Array, offset: number): number {
  return readInt32(bytes, offset) >>> 0;
}

/** The same 32 bits as a signed number, which is what engines handle fastest. */
export function readInt32(bytes: Uint8Array, offset: number): number {
  return (
    (bytes[offset] << 24) | (bytes[offset + 1] << 16) | (bytes[offset + 2] << 8) | bytes[offset + 3]
  );
}

export function writeU32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24;
  bytes[offset + 1] = value >>> 16;
  bytes[offset + 2] = value >>> 8;
  bytes[offset + 3] = value;
}

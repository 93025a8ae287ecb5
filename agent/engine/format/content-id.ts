// Names of contents: an optional letter g..z and the hexadecimal keyed hash (kopia
// repo/content/index/id.go). A content is metadata when it has a letter. In indexes the name is a
// key: one byte for the letter, 0 for none, then the hash; keys order as names do.

import { EngineError } from '#engine/base/errors.ts';
import { asBuffer, fromHex, toHex } from '#engine/base/bytes.ts';

/** No hash is longer. */
export const HASH_BYTES_MAX = 32;
/** What seals and opens a content is its IV: the last bytes of the hash, all of a short one. */
export const IV_BYTES = 16;

/** Contents of directories, of chunk lists, and of manifests. */
export const DIRECTORY_PREFIX = 'k';
export const INDIRECT_PREFIX = 'x';
export const MANIFEST_PREFIX = 'm';

export interface ContentId {
  /** '' or one letter from g to z. */
  readonly prefix: string;
  readonly hash: Uint8Array;
}

const PATTERN = /^([g-z]?)((?:[0-9a-fA-F]{2}){1,32})$/;

/**
 * @throws CONTENT_ID_INVALID
 */
export function parseContentId(text: string): ContentId {
  const match = PATTERN.exec(text);
  const hash = match?.[2] === undefined ? undefined : fromHex(match[2]);
  if (match?.[1] === undefined || hash === undefined) throw invalid(text);
  return { prefix: match[1], hash };
}

/** Whether `text` names a content. */
export function isContentId(text: string): boolean {
  return PATTERN.test(text);
}

/**
 * @throws CONTENT_ID_INVALID when the prefix or the length of the hash cannot be
 */
export function formatContentId(prefix: string, hash: Uint8Array): string {
  const text = prefix + toHex(hash);
  if (prefix.length > 1 || !PATTERN.test(text)) throw invalid(text);
  return text;
}

/** '' for data, a letter for metadata. The text must be a content id. */
export function prefixOf(text: string): string {
  return text.length % 2 === 1 ? text.slice(0, 1) : '';
}

/** Whether contents with this prefix go into q packs and not into p packs. */
export function isMetadataPrefix(prefix: string): boolean {
  return prefix !== '';
}

/**
 * The key of a content in an index. The caller owns it.
 * @throws CONTENT_ID_INVALID
 */
export function contentKey(text: string): Uint8Array {
  const { prefix, hash } = parseContentId(text);
  const key = new Uint8Array(1 + hash.length);
  if (prefix !== '') key[0] = prefix.charCodeAt(0);
  key.set(hash, 1);
  return key;
}

/** The value of each hexadecimal digit; 0xff for all else. */
const DIGITS = new Uint8Array(256).fill(0xff);
for (const [value, digit] of [...'0123456789abcdef'].entries()) {
  DIGITS[digit.charCodeAt(0)] = value;
  DIGITS[digit.toUpperCase().charCodeAt(0)] = value;
}

/**
 * Writes the key of the content whose name is the text in bytes[start, end) to
 * key[keyStart, + keyBytes). False for what is not the name of such a content, and the key is
 * spoilt then. A restore does this for each file.
 */
export function putContentKey(
  {
    bytes,
    start,
    end,
  }: { readonly bytes: Uint8Array; readonly start: number; readonly end: number },
  key: Uint8Array,
  keyStart: number,
  keyBytes: number,
): boolean {
  const hashBytes = keyBytes - 1;
  const prefixBytes = end - start - 2 * hashBytes;
  const prefix = prefixBytes === 1 ? bytes[start] : 0;
  const isPrefix = prefix >= 0x67 && prefix <= 0x7a;
  if (prefixBytes !== (isPrefix ? 1 : 0)) return false;
  key[keyStart] = prefix;
  let at = start + prefixBytes;
  for (let index = keyStart + 1; index < keyStart + keyBytes; index++, at += 2) {
    const high = DIGITS[bytes[at]];
    const low = DIGITS[bytes[at + 1]];
    if (high > 15 || low > 15) return false;
    key[index] = high * 16 + low;
  }
  return true;
}

/**
 * The name that belongs to a key.
 * @throws CONTENT_ID_INVALID
 */
export function contentIdOfKey(key: Uint8Array): string {
  const code = key[0];
  const prefix = code === undefined || code === 0 ? '' : String.fromCharCode(code);
  return formatContentId(prefix, key.subarray(1));
}

/**
 * The same for a key that comes from hashing or from an index, which nothing has to be said about:
 * matching it against the pattern took 1 % of a backup of small files.
 */
export function contentIdOfKnownKey(key: Uint8Array): string {
  const text = asBuffer(key).toString('hex', 1);
  return key[0] === 0 ? text : String.fromCharCode(key[0]) + text;
}

/** The IV under which a content is sealed: the end of its key or hash. A view, not a copy. */
export function contentIv(keyOrHash: Uint8Array): Uint8Array {
  return keyOrHash.subarray(Math.max(0, keyOrHash.length - IV_BYTES));
}

function invalid(text: string): EngineError {
  return new EngineError(
    'CONTENT_ID_INVALID',
    `"${text.slice(0, 80)}" is no content id: expected up to one letter g to z and 1 to 32 bytes ` +
      `in hexadecimal`,
  );
}

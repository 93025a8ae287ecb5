// What surrounds the contents in a pack: random bytes before, padding, the pack's own sealed index
// and a postamble behind (kopia repo/content/content_index_recovery.go). Readers of contents need
// none of it; index recovery needs all of it.

import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { EngineError } from '#engine/base/errors.ts';
import type { RandomBytes } from './aes-gcm.ts';

/** Random bytes at the beginning; the first content follows them. */
export const PACK_PREAMBLE_BYTES = 32;
/** The pack's own index begins at a multiple of this. */
export const PACK_PADDING_UNIT = 4096;
/** Random bytes at the end of the pack's own index, within what is sealed. */
export const LOCAL_INDEX_TAIL_BYTES = 32;
/** How much of the end of a pack locateLocalIndex needs; the whole pack when it is shorter. */
export const PACK_TAIL_BYTES = 8192;

const POSTAMBLE_VERSION = 1;
const POSTAMBLE_BYTES_MAX = 255;
const CHECKSUM_BYTES = 4;
const IV_BYTES_MAX = 64;

export interface LocalIndexPlace {
  /** The full hash of the index's plaintext, under which it is sealed. */
  readonly iv: Uint8Array;
  /** Where the sealed index lies in the pack. */
  readonly offset: number;
  readonly length: number;
}

/** Bytes of padding behind the contents: 1 to PACK_PADDING_UNIT, never none. */
export function packPaddingBytes(packBytes: number): number {
  return PACK_PADDING_UNIT - (packBytes % PACK_PADDING_UNIT);
}

export interface PackTail {
  /** Length of the pack so far, preamble and contents. */
  readonly packBytes: number;
  readonly sealedIndex: Uint8Array;
  /** See LocalIndexPlace. */
  readonly iv: Uint8Array;
}

/** Everything behind the contents: padding, sealed index, postamble. The caller owns it. */
export function encodePackTail(tail: PackTail, random: RandomBytes = randomBytes): Uint8Array {
  const { packBytes, sealedIndex, iv } = tail;
  const padding = packPaddingBytes(packBytes);
  const place = { iv, offset: packBytes + padding, length: sealedIndex.length };
  const postamble = encodePostamble(place);
  const bytes = new Uint8Array(padding + sealedIndex.length + postamble.length);
  bytes.set(random(padding));
  bytes.set(sealedIndex, padding);
  bytes.set(postamble, padding + sealedIndex.length);
  return bytes;
}

/** The postamble with the byte behind it that holds its length. */
export function encodePostamble({ iv, offset, length }: LocalIndexPlace): Uint8Array {
  const payload = Uint8Array.from([
    ...uvarint(POSTAMBLE_VERSION),
    ...uvarint(iv.length),
    ...iv,
    ...uvarint(offset),
    ...uvarint(length),
  ]);
  const bytes = new Uint8Array(payload.length + CHECKSUM_BYTES + 1);
  bytes.set(payload);
  new DataView(bytes.buffer).setUint32(payload.length, crc32(payload));
  bytes[bytes.length - 1] = payload.length + CHECKSUM_BYTES;
  return bytes;
}

/**
 * Finds the pack's own index from the end of the pack. Nothing of this is authenticated: what lies
 * at the place is trustworthy only once it has been decrypted.
 * @param tail the last PACK_TAIL_BYTES of the pack, or all of it
 * @param packBytes length of the whole pack
 * @throws PACK_DAMAGED naming `packId`
 */
export function locateLocalIndex(
  tail: Uint8Array,
  packBytes: number,
  packId: string,
): LocalIndexPlace {
  const fail = (problem: string) =>
    new EngineError(
      'PACK_DAMAGED',
      `cannot find the index in pack ${packId}: ${problem}; the pack was cut short or overwritten`,
    );
  const length = tail.at(-1) ?? 0;
  const start = tail.length - 1 - length;
  if (length <= CHECKSUM_BYTES || start < 0) throw fail('it does not end in a postamble');
  const payload = tail.subarray(start, tail.length - 1 - CHECKSUM_BYTES);
  const view = new DataView(tail.buffer, tail.byteOffset + start + payload.length, CHECKSUM_BYTES);
  if (view.getUint32(0) !== crc32(payload)) throw fail('the checksum of its postamble is wrong');
  const place = decodePayload(payload);
  if (place === undefined) throw fail('its postamble is of another version or malformed');
  const postambleStart = packBytes - 1 - length;
  if (place.offset < PACK_PREAMBLE_BYTES || place.offset + place.length > postambleStart) {
    throw fail('its postamble points outside of the pack');
  }
  return place;
}

function decodePayload(payload: Uint8Array): LocalIndexPlace | undefined {
  const reader = new VarintReader(payload);
  if (reader.next() !== POSTAMBLE_VERSION) return undefined;
  const ivBytes = reader.next();
  if (ivBytes === undefined || ivBytes > IV_BYTES_MAX) return undefined;
  const iv = reader.take(ivBytes);
  const offset = reader.next();
  const length = reader.next();
  if (iv === undefined || offset === undefined || length === undefined) return undefined;
  return { iv: iv.slice(), offset, length };
}

/** LEB128: seven bits a byte, low ones first. Not more than POSTAMBLE_BYTES_MAX is ever read. */
class VarintReader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes.subarray(0, POSTAMBLE_BYTES_MAX);
  }

  next(): number | undefined {
    let value = 0;
    for (let factor = 1; this.#position < this.#bytes.length; factor *= 128) {
      const byte = this.#bytes[this.#position++];
      value += (byte % 128) * factor;
      if (value > Number.MAX_SAFE_INTEGER) return undefined;
      if (byte < 128) return value;
    }
    return undefined;
  }

  take(count: number): Uint8Array | undefined {
    const end = this.#position + count;
    if (end > this.#bytes.length) return undefined;
    const bytes = this.#bytes.subarray(this.#position, end);
    this.#position = end;
    return bytes;
  }
}

function uvarint(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  bytes.push(value);
  return bytes;
}

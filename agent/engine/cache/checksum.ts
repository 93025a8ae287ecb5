// The checksum of an entry, over its identity and its bytes: a foreign, cut or swapped entry has
// another one. Poly1305 of the OpenSSL in the Node binary with a fixed key: a polynomial of the
// bytes modulo a prime, 5.6 GB/s on one core where zlib's CRC-32 makes 2.9. Nothing is hidden by
// it: whoever can write into the cache directory is stopped by the seal of the repository.

import { endianness } from 'node:os';
import { crc32 } from 'node:zlib';
import { type Arena, allocateArena, arenaOver } from '#engine/base/arena.ts';
import { nativeFunction, type NativeFunction } from '#engine/base/native.ts';
import type { BlobKey } from './blob-key.ts';
import type { ChecksumKind } from './segment-format.ts';

export interface Place {
  readonly key: BlobKey;
  readonly offset: number;
}

export interface Check {
  readonly a: number;
  readonly b: number;
}

export interface Checksum {
  readonly kind: ChecksumKind;
  /** Of `bytes`, which lie in an ArrayBuffer that is longer than 64 bytes. */
  of(place: Place, bytes: Uint8Array): Check;
}

const KEY_BYTES = 32;
const TAG_BYTES = 16;
const IDENTITY_BYTES = 32;

/** The fast one where native calls are to be had and it gives what it should. */
export function createChecksum({ isNativeAllowed = true } = {}): Checksum {
  const native = isNativeAllowed ? PolyChecksum.open() : undefined;
  return native ?? CRC_CHECKSUM;
}

const CRC_CHECKSUM: Checksum = Object.freeze({
  kind: 'crc32',
  of({ key, offset }: Place, bytes: Uint8Array): Check {
    const identity = new Uint8Array(IDENTITY_BYTES);
    writeIdentity(identity, key, offset, bytes.length);
    return { a: crc32(bytes, crc32(identity)), b: bytes.length };
  },
});

interface PolyFunctions {
  readonly init: NativeFunction;
  readonly update: NativeFunction;
  readonly final: NativeFunction;
}

class PolyChecksum implements Checksum {
  readonly kind = 'poly1305';
  readonly #functions: PolyFunctions;
  readonly #context: number;
  /** Key, tag, length of the tag, identity: one behind the other. */
  readonly #arena: Arena;

  private constructor(functions: PolyFunctions, context: number) {
    this.#functions = functions;
    this.#context = context;
    this.#arena = allocateArena(KEY_BYTES + TAG_BYTES + 16 + IDENTITY_BYTES);
    // Any r does for telling accidents apart; RFC 8439 section 2.5 clamps some of its bits.
    for (let at = 0; at < TAG_BYTES; at++) this.#arena.bytes[at] = 0x35 + 13 * at;
  }

  static open(): PolyChecksum | undefined {
    if (endianness() !== 'LE') return undefined;
    const fetch = nativeFunction('uintptr_t EVP_MAC_fetch(uintptr_t, str, uintptr_t)');
    const create = nativeFunction('uintptr_t EVP_MAC_CTX_new(uintptr_t)');
    const init = nativeFunction('int EVP_MAC_init(uintptr_t, uintptr_t, size_t, uintptr_t)');
    const update = nativeFunction('int EVP_MAC_update(uintptr_t, uintptr_t, size_t)');
    const final = nativeFunction('int EVP_MAC_final(uintptr_t, uintptr_t, uintptr_t, size_t)');
    if (!fetch || !create || !init || !update || !final) return undefined;
    const mac = fetch(0, 'POLY1305', 0);
    const context = mac === 0 ? 0 : create(mac);
    if (context === 0) return undefined;
    const checksum = new PolyChecksum({ init, update, final }, context);
    return checksum.#isWorking() ? checksum : undefined;
  }

  of({ key, offset }: Place, bytes: Uint8Array): Check {
    const { bytes: own, address } = this.#arena;
    const { init, update, final } = this.#functions;
    const identityAt = KEY_BYTES + TAG_BYTES + 16;
    writeIdentity(own.subarray(identityAt), key, offset, bytes.length);
    const isDone =
      init(this.#context, address, KEY_BYTES, 0) === 1 &&
      update(this.#context, address + identityAt, IDENTITY_BYTES) === 1 &&
      (bytes.length === 0 || update(this.#context, arenaOver(bytes).address, bytes.length) === 1) &&
      final(this.#context, address + KEY_BYTES, address + KEY_BYTES + TAG_BYTES, TAG_BYTES) === 1;
    // A checksum that no entry has makes a miss of it.
    if (!isDone) return { a: -1, b: -1 };
    const view = new DataView(own.buffer, own.byteOffset + KEY_BYTES);
    return { a: view.getUint32(0, true), b: view.getUint32(4, true) };
  }

  /** Known answer, worked out with big integers after RFC 8439 section 2.5.1. */
  #isWorking(): boolean {
    const bytes = new Uint8Array(new ArrayBuffer(100)).map((_, index) => index);
    const place = { key: { a: 1, b: 2, c: 3, d: 4 }, offset: 5 };
    const found = this.of(place, bytes);
    const { a, b } = polynomialOf(this.#arena.bytes.subarray(0, TAG_BYTES), place, bytes);
    return found.a === a && found.b === b;
  }
}

function writeIdentity(target: Uint8Array, key: BlobKey, offset: number, length: number): void {
  const view = new DataView(target.buffer, target.byteOffset);
  for (const [index, word] of [key.a, key.b, key.c, key.d, offset, length].entries()) {
    view.setUint32(index * 4, word, true);
  }
}

/** Poly1305 with s = 0, slowly. */
function polynomialOf(r: Uint8Array, { key, offset }: Place, bytes: Uint8Array): Check {
  const prime = 2n ** 130n - 5n;
  const factor = littleEndian(r) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  const message = new Uint8Array(IDENTITY_BYTES + bytes.length);
  writeIdentity(message, key, offset, bytes.length);
  message.set(bytes, IDENTITY_BYTES);
  let sum = 0n;
  for (let at = 0; at < message.length; at += 16) {
    const block = message.subarray(at, at + 16);
    sum = ((sum + littleEndian(block) + 2n ** BigInt(8 * block.length)) * factor) % prime;
  }
  return { a: Number(sum & 0xffff_ffffn), b: Number((sum >> 32n) & 0xffff_ffffn) };
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

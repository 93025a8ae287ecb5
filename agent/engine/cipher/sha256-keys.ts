// Content keys, HMAC-SHA256(secret, iv), by two calls of OpenSSL's SHA256_Transform on states that
// have already taken in the padded secret. Alone 0.14 us a key, where a keyed EVP_MAC context takes
// 0.28; of a whole seal of 64 bytes it saves 0.05 of 0.70 us (median of 120 alternating rounds).
//
// The function is deprecated and returns nothing that could be checked, so it is used only where
// it is exported and gives a known answer; native-cipher.ts has the EVP_MAC way for the rest.

import { allocateArena, type Arena } from '#engine/base/arena.ts';
import { fromHex, toHex } from '#engine/base/bytes.ts';
import { nativeFunction, type NativeFunction } from '#engine/base/native.ts';

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
const WORDS = 8;
/** FIPS 180-4 section 5.3.3. */
const INITIAL_STATE = Uint32Array.of(
  0x6a09e667,
  0xbb67ae85,
  0x3c6ef372,
  0xa54ff53a,
  0x510e527f,
  0x9b05688c,
  0x1f83d9ab,
  0x5be0cd19,
);
// SHA256_CTX of openssl/sha.h has 112 bytes and begins with the state; two blocks follow it here.
const INNER_AT = 128;
const OUTER_AT = INNER_AT + BLOCK_BYTES;
const SCRATCH_BYTES = OUTER_AT + BLOCK_BYTES;

export class Sha256Keys {
  readonly #transform: NativeFunction;
  readonly #scratch: Arena = allocateArena(SCRATCH_BYTES);
  readonly #state = new Uint32Array(this.#scratch.bytes.buffer, 0, WORDS);
  readonly #inner: Uint32Array;
  readonly #outer: Uint32Array;

  constructor(transform: NativeFunction, secret: Uint8Array) {
    this.#transform = transform;
    this.#inner = this.#padded(secret, 0x36);
    this.#outer = this.#padded(secret, 0x5c);
    this.#scratch.bytes.fill(0, INNER_AT);
    endBlock(this.#scratch.bytes, OUTER_AT, DIGEST_BYTES);
  }

  /** Writes the content key of `iv`, which has at most 32 bytes, to out[offset, offset + 32). */
  derive(iv: Uint8Array, out: Uint8Array, offset: number): void {
    const { bytes, address } = this.#scratch;
    for (let i = 0; i < iv.length; i++) bytes[INNER_AT + i] = iv[i];
    endBlock(bytes, INNER_AT, iv.length);
    for (let i = 0; i < WORDS; i++) this.#state[i] = this.#inner[i];
    this.#transform(address, address + INNER_AT);
    writeWords(this.#state, bytes, OUTER_AT);
    for (let i = 0; i < WORDS; i++) this.#state[i] = this.#outer[i];
    this.#transform(address, address + OUTER_AT);
    writeWords(this.#state, out, offset);
  }

  /** The state after the block that RFC 2104 makes of the secret. */
  #padded(secret: Uint8Array, pad: number): Uint32Array {
    const { bytes, address } = this.#scratch;
    bytes.fill(pad, INNER_AT, INNER_AT + BLOCK_BYTES);
    for (let i = 0; i < secret.length; i++) bytes[INNER_AT + i] ^= secret[i];
    this.#state.set(INITIAL_STATE);
    this.#transform(address, address + INNER_AT);
    return this.#state.slice();
  }
}

/** SHA-256's padding of a last block with `length` bytes, behind one block that came before. */
function endBlock(bytes: Uint8Array, at: number, length: number): void {
  const bits = 8 * (BLOCK_BYTES + length);
  bytes[at + length] = 0x80;
  bytes.fill(0, at + length + 1, at + BLOCK_BYTES - 2);
  bytes[at + BLOCK_BYTES - 2] = bits >>> 8;
  bytes[at + BLOCK_BYTES - 1] = bits & 0xff;
}

function writeWords(words: Uint32Array, out: Uint8Array, at: number): void {
  for (let i = 0; i < WORDS; i++) {
    const word = words[i];
    out[at + 4 * i] = word >>> 24;
    out[at + 4 * i + 1] = word >>> 16;
    out[at + 4 * i + 2] = word >>> 8;
    out[at + 4 * i + 3] = word;
  }
}

let transform: NativeFunction | null | undefined;

/** Keys under `secret`, which has 32 bytes; undefined where this way cannot be had. */
export function createSha256Keys(secret: Uint8Array): Sha256Keys | undefined {
  if (transform === undefined) {
    const found = nativeFunction('void SHA256_Transform(uintptr_t context, uintptr_t block)');
    transform = found !== undefined && givesKnownKeys(found) ? found : null;
  }
  return transform === null ? undefined : new Sha256Keys(transform, secret);
}

/** kopia-format.md 16.2: the key of an iv of 16 bytes, after a longer one was there. */
export function givesKnownKeys(candidate: NativeFunction): boolean {
  const secret = bytesOf('460d9c1e280cd974081bdd2d9deee86ec558def939d959d30eb258123e42aec2');
  const iv = bytesOf('0303f40780e21a28597f9b8787ad48f4');
  const keys = new Sha256Keys(candidate, secret);
  const key = new Uint8Array(DIGEST_BYTES);
  keys.derive(secret, key, 0);
  keys.derive(iv, key, 0);
  return toHex(key) === 'f341f2b990811e9a65a74c4944a2323760ea6bd1e362ebe3f48bc9141fc5906d';
}

/** Of the constants above, which are hexadecimal. */
function bytesOf(hex: string): Uint8Array {
  return fromHex(hex) ?? new Uint8Array(0);
}

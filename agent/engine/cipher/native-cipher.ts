// The ciphers by the OpenSSL inside the Node binary, which is what the data path uses. Contexts are
// made once per instance; a seal of 64 bytes takes 0.7 us with its content key, one through
// node:crypto 23; 4 MiB take 0.2 ms of AES.
//
// Content keys come from sha256-keys.ts where that can be had, otherwise from an HMAC context that
// keeps its key: EVP_MAC_init without a key starts the next message.

import { allocateArena, type Arena } from '#engine/base/arena.ts';
import { EngineError } from '#engine/base/errors.ts';
import { NativeResources } from '#engine/base/native-resources.ts';
import { assertOpen, assertSeal, IV_BYTES_MAX, tagMismatch } from './cipher-checks.ts';
import {
  NONCE_BYTES,
  SEAL_BYTES,
  TAG_BYTES,
  type ContentCipher,
  type Region,
} from './content-cipher.ts';
import { NonceSource } from './nonces.ts';
import { createSha256Keys, type Sha256Keys } from './sha256-keys.ts';
import {
  aeadFunctions,
  CONTROL_GET_TAG,
  CONTROL_SET_TAG,
  freeAeadContexts,
  newAeadContexts,
  type AeadContexts,
  type AeadFunctions,
} from './openssl-aead.ts';

// Scratch memory: the iv, the content key, where OpenSSL writes a length, where a final that has
// nothing to write may write.
const KEY_AT = IV_BYTES_MAX;
const LENGTH_AT = KEY_AT + 32;
const FINAL_AT = LENGTH_AT + 8;
const SCRATCH_BYTES = FINAL_AT + 32;
// OpenSSL takes lengths as a C int.
const TEXT_BYTES_MAX = 2 ** 31 - 1 - SEAL_BYTES;

export interface NativeCipherSpec {
  readonly name: string;
  /** OpenSSL's name of the cipher. */
  readonly cipher: string;
  /** False takes the HMAC context for content keys; by default the faster way that there is. */
  readonly usesTransform?: boolean;
}

/** A cipher by OpenSSL, not self-tested yet; undefined where OpenSSL cannot be reached. */
export function createNativeCipher(
  spec: NativeCipherSpec,
  secret: Uint8Array,
): ContentCipher | undefined {
  const functions = aeadFunctions();
  if (functions === undefined) return undefined;
  const contexts = newAeadContexts(functions, spec.cipher, secret);
  const keys = spec.usesTransform === false ? undefined : createSha256Keys(secret);
  return contexts && new NativeCipher(spec.name, functions, contexts, keys);
}

class NativeCipher implements ContentCipher {
  readonly name: string;
  readonly #functions: AeadFunctions;
  readonly #contexts: AeadContexts;
  readonly #keys: Sha256Keys | undefined;
  readonly #nonces = new NonceSource();
  readonly #scratch = allocateArena(SCRATCH_BYTES);
  readonly #written = new Int32Array(this.#scratch.bytes.buffer, LENGTH_AT, 1);
  // Hold the caller's memory during the calls: an address alone keeps nothing alive.
  #plaintext: Arena | undefined;
  #sealed: Arena | undefined;

  constructor(
    name: string,
    functions: AeadFunctions,
    contexts: AeadContexts,
    keys: Sha256Keys | undefined,
  ) {
    this.name = name;
    this.#functions = functions;
    this.#contexts = contexts;
    this.#keys = keys;
    living.keep(this, contexts);
  }

  seal(plaintext: Region, length: number, sealed: Region, iv: Uint8Array): void {
    assertSeal(plaintext, length, sealed, iv);
    this.#hold(plaintext.arena, sealed.arena, length);
    this.#nonces.writeNext(sealed.arena.bytes, sealed.offset);
    const isDone =
      this.#deriveKey(iv) && this.#seal(plaintext.offset, length, sealed.offset, iv.length);
    this.#release();
    if (!isDone) throw this.#failure('sealing', length);
  }

  open(sealed: Region, length: number, plaintext: Region, iv: Uint8Array): void {
    assertOpen(sealed, length, plaintext, iv);
    this.#hold(plaintext.arena, sealed.arena, length);
    const isDone =
      this.#deriveKey(iv) && this.#open(sealed.offset, length, plaintext.offset, iv.length);
    const isGenuine = isDone && this.#finishOpen();
    this.#release();
    if (!isDone) throw this.#failure('opening', length);
    if (!isGenuine) {
      this.#functions.clearErrors();
      throw tagMismatch(this.name, length);
    }
  }

  /** The content key of `iv`, which stays in scratch memory beside it. */
  #deriveKey(iv: Uint8Array): boolean {
    const { initMac, updateMac, finalMac } = this.#functions;
    const { mac } = this.#contexts;
    const { bytes, address } = this.#scratch;
    for (let i = 0; i < iv.length; i++) bytes[i] = iv[i];
    if (this.#keys !== undefined) {
      this.#keys.derive(iv, bytes, KEY_AT);
      return true;
    }
    return (
      initMac(mac, 0, 0, 0) === 1 &&
      updateMac(mac, address, iv.length) === 1 &&
      finalMac(mac, address + KEY_AT, 0, 32) === 1
    );
  }

  #seal(plainOffset: number, length: number, sealedOffset: number, ivBytes: number): boolean {
    const { initSeal, updateSeal, finalSeal, control } = this.#functions;
    const context = this.#contexts.seal;
    const scratch = this.#scratch.address;
    const nonce = (this.#sealed?.address ?? 0) + sealedOffset;
    const from = (this.#plaintext?.address ?? 0) + plainOffset;
    const to = nonce + NONCE_BYTES;
    return (
      initSeal(context, 0, 0, scratch + KEY_AT, nonce) === 1 &&
      updateSeal(context, 0, scratch + LENGTH_AT, scratch, ivBytes) === 1 &&
      (length === 0 ||
        (updateSeal(context, to, scratch + LENGTH_AT, from, length) === 1 &&
          this.#written[0] === length)) &&
      finalSeal(context, scratch + FINAL_AT, scratch + LENGTH_AT) === 1 &&
      control(context, CONTROL_GET_TAG, TAG_BYTES, to + length) === 1
    );
  }

  #open(sealedOffset: number, sealedBytes: number, plainOffset: number, ivBytes: number): boolean {
    const { initOpen, updateOpen, control } = this.#functions;
    const context = this.#contexts.open;
    const scratch = this.#scratch.address;
    const length = sealedBytes - SEAL_BYTES;
    const nonce = (this.#sealed?.address ?? 0) + sealedOffset;
    const from = nonce + NONCE_BYTES;
    const to = (this.#plaintext?.address ?? 0) + plainOffset;
    return (
      initOpen(context, 0, 0, scratch + KEY_AT, nonce) === 1 &&
      control(context, CONTROL_SET_TAG, TAG_BYTES, from + length) === 1 &&
      updateOpen(context, 0, scratch + LENGTH_AT, scratch, ivBytes) === 1 &&
      (length === 0 ||
        (updateOpen(context, to, scratch + LENGTH_AT, from, length) === 1 &&
          this.#written[0] === length))
    );
  }

  /** Whether the tag matches what was just opened. */
  #finishOpen(): boolean {
    const { address } = this.#scratch;
    return (
      this.#functions.finalOpen(this.#contexts.open, address + FINAL_AT, address + LENGTH_AT) === 1
    );
  }

  #hold(plaintext: Arena, sealed: Arena, length: number): void {
    const isAddressable =
      sealed.address !== 0 && (plaintext.address !== 0 || plaintext.bytes.length === 0);
    if (!isAddressable || length > TEXT_BYTES_MAX) throw this.#failure('addressing', length);
    this.#plaintext = plaintext;
    this.#sealed = sealed;
  }

  #release(): void {
    this.#plaintext = undefined;
    this.#sealed = undefined;
  }

  #failure(action: string, length: number): EngineError {
    // What OpenSSL leaves in its error queue would be taken for a failure of the next TLS read.
    this.#functions.clearErrors();
    return new EngineError(
      'INTERNAL',
      `${action} ${length} bytes with ${this.name} failed in native code; set ` +
        'STEVEDORE_NATIVE=0 to go on without it, and report this as a bug',
    );
  }
}

// Contexts are memory of OpenSSL's; a cipher that is collected gives its contexts back.
const living = new NativeResources<AeadContexts>(contexts => {
  const functions = aeadFunctions();
  if (functions !== undefined) freeAeadContexts(functions, contexts);
});

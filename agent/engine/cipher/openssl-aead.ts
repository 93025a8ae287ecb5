// The functions of the OpenSSL inside the Node binary that a native cipher calls, and the three
// contexts that it keeps: one to derive content keys, one to encrypt, one to decrypt.

import { endianness } from 'node:os';
import { allocateArena } from '#engine/base/arena.ts';
import { nativeFunction, type NativeFunction } from '#engine/base/native.ts';

const PROTOTYPES = Object.freeze({
  fetchMac: 'uintptr_t EVP_MAC_fetch(uintptr_t library, str name, uintptr_t properties)',
  createMac: 'uintptr_t EVP_MAC_CTX_new(uintptr_t mac)',
  freeMac: 'void EVP_MAC_CTX_free(uintptr_t context)',
  setMacParameters: 'int EVP_MAC_CTX_set_params(uintptr_t context, uintptr_t parameters)',
  initMac: 'int EVP_MAC_init(uintptr_t context, uintptr_t key, size_t length, uintptr_t params)',
  updateMac: 'int EVP_MAC_update(uintptr_t context, uintptr_t bytes, size_t length)',
  finalMac: 'int EVP_MAC_final(uintptr_t context, uintptr_t out, uintptr_t length, size_t size)',
  fetchCipher: 'uintptr_t EVP_CIPHER_fetch(uintptr_t library, str name, uintptr_t properties)',
  createCipher: 'uintptr_t EVP_CIPHER_CTX_new()',
  freeCipher: 'void EVP_CIPHER_CTX_free(uintptr_t context)',
  initSeal:
    'int EVP_EncryptInit_ex(uintptr_t c, uintptr_t type, uintptr_t e, uintptr_t key, uintptr_t iv)',
  updateSeal:
    'int EVP_EncryptUpdate(uintptr_t c, uintptr_t out, uintptr_t outl, uintptr_t in, int inl)',
  finalSeal: 'int EVP_EncryptFinal_ex(uintptr_t context, uintptr_t out, uintptr_t length)',
  initOpen:
    'int EVP_DecryptInit_ex(uintptr_t c, uintptr_t type, uintptr_t e, uintptr_t key, uintptr_t iv)',
  updateOpen:
    'int EVP_DecryptUpdate(uintptr_t c, uintptr_t out, uintptr_t outl, uintptr_t in, int inl)',
  finalOpen: 'int EVP_DecryptFinal_ex(uintptr_t context, uintptr_t out, uintptr_t length)',
  control: 'int EVP_CIPHER_CTX_ctrl(uintptr_t context, int type, int argument, uintptr_t pointer)',
  clearErrors: 'void ERR_clear_error()',
});

/** The functions under the names that PROTOTYPES gives them. */
export type AeadFunctions = Readonly<Record<keyof typeof PROTOTYPES, NativeFunction>>;

/** Addresses of OpenSSL's objects. */
export interface AeadContexts {
  readonly mac: number;
  readonly seal: number;
  readonly open: number;
}

/** `EVP_CTRL_AEAD_GET_TAG` and `EVP_CTRL_AEAD_SET_TAG` of openssl/evp.h. */
export const CONTROL_GET_TAG = 0x10;
export const CONTROL_SET_TAG = 0x11;

let functions: AeadFunctions | null | undefined;

/** The functions, or undefined when one is missing or the machine's layout is not the known one. */
export function aeadFunctions(): AeadFunctions | undefined {
  functions ??= loadFunctions();
  return functions ?? undefined;
}

function loadFunctions(): AeadFunctions | null {
  if (endianness() !== 'LE' || !['x64', 'arm64'].includes(process.arch)) return null;
  const found: Partial<Record<string, NativeFunction>> = {};
  for (const [key, prototype] of Object.entries(PROTOTYPES)) {
    const bound = nativeFunction(prototype);
    if (bound === undefined) return null;
    found[key] = bound;
  }
  // Every key of PROTOTYPES was set, or we would have returned.
  return Object.freeze(found) as AeadFunctions;
}

/** Contexts for OpenSSL's cipher `cipherName`; undefined when OpenSSL refuses any step. */
export function newAeadContexts(
  functions: AeadFunctions,
  cipherName: string,
  secret: Uint8Array,
): AeadContexts | undefined {
  const algorithm = fetched(`cipher ${cipherName}`, () => functions.fetchCipher(0, cipherName, 0));
  const hmac = fetched('HMAC', () => functions.fetchMac(0, 'HMAC', 0));
  const contexts = {
    mac: hmac === 0 ? 0 : functions.createMac(hmac),
    seal: functions.createCipher(),
    open: functions.createCipher(),
  };
  const isReady =
    algorithm !== 0 &&
    Object.values(contexts).every(context => context !== 0) &&
    keyMac(functions, contexts.mac, secret) &&
    functions.initSeal(contexts.seal, algorithm, 0, 0, 0) === 1 &&
    functions.initOpen(contexts.open, algorithm, 0, 0, 0) === 1;
  if (isReady) return Object.freeze(contexts);
  functions.clearErrors();
  freeAeadContexts(functions, contexts);
  return undefined;
}

/** Gives the contexts back; OpenSSL takes a null pointer for nothing to do. */
export function freeAeadContexts(functions: AeadFunctions, contexts: AeadContexts): void {
  functions.freeMac(contexts.mac);
  functions.freeCipher(contexts.seal);
  functions.freeCipher(contexts.open);
}

const algorithms = new Map<string, number>();

/** What OpenSSL hands out by name is fetched once a thread and kept. */
function fetched(name: string, fetch: () => number): number {
  let address = algorithms.get(name);
  if (address === undefined) {
    address = fetch();
    algorithms.set(name, address);
  }
  return address;
}

// struct ossl_param_st of openssl/core.h: key, data_type (padded), data, data_size, return_size; an
// array ends with an entry whose key is null. Behind the array of two: name, value, the secret.
const NAME_AT = 80;
const VALUE_AT = 96;
const SECRET_AT = 112;
const TYPE_UTF8_STRING = 4;
const DIGEST = 'SHA2-256';

/** Makes `context` HMAC-SHA256 under `secret`. */
function keyMac(functions: AeadFunctions, context: number, secret: Uint8Array): boolean {
  const arena = allocateArena(SECRET_AT + secret.length);
  const view = new DataView(arena.bytes.buffer);
  const text = new TextEncoder();
  text.encodeInto('digest', arena.bytes.subarray(NAME_AT));
  text.encodeInto(DIGEST, arena.bytes.subarray(VALUE_AT));
  arena.bytes.set(secret, SECRET_AT);
  view.setBigUint64(0, BigInt(arena.address + NAME_AT), true);
  view.setUint32(8, TYPE_UTF8_STRING, true);
  view.setBigUint64(16, BigInt(arena.address + VALUE_AT), true);
  view.setBigUint64(24, BigInt(DIGEST.length), true);
  const isKeyed =
    functions.setMacParameters(context, arena.address) === 1 &&
    functions.initMac(context, arena.address + SECRET_AT, secret.length, 0) === 1;
  // Also what keeps `arena` alive until the calls are over.
  arena.bytes.fill(0);
  return isKeyed;
}

// EVP_MAC of the OpenSSL that official Node binaries carry and export: the functions, and how a
// context is made and keyed. Used by native-hash.ts alone.

import { endianness } from 'node:os';
import { allocateArena } from '#engine/base/arena.ts';
import { nativeFunction, type NativeFunction } from '#engine/base/native.ts';

export interface MacSpec {
  /** OpenSSL's name of the algorithm: BLAKE2BMAC, BLAKE2SMAC or HMAC. */
  readonly mac: string;
  /** The digest beneath an HMAC. */
  readonly digest?: string;
  /** The digest length parameter of a BLAKE2 (not a truncation: it changes every bit). */
  readonly sizeBytes?: number;
}

export interface MacFunctions {
  readonly fetch: NativeFunction;
  readonly create: NativeFunction;
  readonly free: NativeFunction;
  readonly setParameters: NativeFunction;
  readonly init: NativeFunction;
  readonly update: NativeFunction;
  readonly final: NativeFunction;
  readonly clearErrors: NativeFunction;
}

const PROTOTYPES: Readonly<Record<keyof MacFunctions, string>> = Object.freeze({
  fetch: 'uintptr_t EVP_MAC_fetch(uintptr_t library, str name, uintptr_t properties)',
  create: 'uintptr_t EVP_MAC_CTX_new(uintptr_t mac)',
  free: 'void EVP_MAC_CTX_free(uintptr_t context)',
  setParameters: 'int EVP_MAC_CTX_set_params(uintptr_t context, uintptr_t parameters)',
  init: 'int EVP_MAC_init(uintptr_t context, uintptr_t key, size_t length, uintptr_t parameters)',
  update: 'int EVP_MAC_update(uintptr_t context, uintptr_t bytes, size_t length)',
  final: 'int EVP_MAC_final(uintptr_t context, uintptr_t out, uintptr_t length, size_t size)',
  clearErrors: 'void ERR_clear_error()',
});

let functions: MacFunctions | null | undefined;

/** The functions, or undefined when one is missing or the machine's layout is not the known one. */
export function macFunctions(): MacFunctions | undefined {
  functions ??= loadFunctions();
  return functions ?? undefined;
}

function loadFunctions(): MacFunctions | null {
  if (!hasKnownLayout()) return null;
  const found: Partial<Record<keyof MacFunctions, NativeFunction>> = {};
  for (const [key, prototype] of Object.entries(PROTOTYPES)) {
    const bound = nativeFunction(prototype);
    if (bound === undefined) return null;
    // Object.entries forgets that the keys are those of PROTOTYPES.
    found[key as keyof MacFunctions] = bound;
  }
  // Every key of PROTOTYPES was set, or we would have returned.
  return Object.freeze(found) as MacFunctions;
}

/** OSSL_PARAM arrays are written below for 64-bit little-endian machines. */
function hasKnownLayout(): boolean {
  return endianness() === 'LE' && (process.arch === 'x64' || process.arch === 'arm64');
}

const algorithms = new Map<string, number>();

/** A context that is keyed with `secret`, or 0 when OpenSSL refuses any step. */
export function newKeyedContext(
  functions: MacFunctions,
  spec: MacSpec,
  secret: Uint8Array,
): number {
  let algorithm = algorithms.get(spec.mac);
  if (algorithm === undefined) {
    algorithm = functions.fetch(0, spec.mac, 0);
    algorithms.set(spec.mac, algorithm);
  }
  const context = algorithm === 0 ? 0 : functions.create(algorithm);
  if (context !== 0 && configure(functions, context, spec) && key(functions, context, secret)) {
    return context;
  }
  functions.clearErrors();
  if (context !== 0) functions.free(context);
  return 0;
}

function key(functions: MacFunctions, context: number, secret: Uint8Array): boolean {
  const copy = allocateArena(secret.length);
  copy.bytes.set(secret);
  const isKeyed = functions.init(context, copy.address, secret.length, 0) === 1;
  // Also what keeps `copy` alive until the call is over.
  copy.bytes.fill(0);
  return isKeyed;
}

// struct ossl_param_st of openssl/core.h: key, data_type (padded), data, data_size, return_size.
// An array ends with an entry whose key is null.
const PARAMETER_BYTES = 40;
const NAME_AT = 2 * PARAMETER_BYTES;
const VALUE_AT = NAME_AT + 16;
const TYPE_UNSIGNED_INTEGER = 2;
const TYPE_UTF8_STRING = 4;

/** Sets the one parameter that `spec` calls for. */
function configure(functions: MacFunctions, context: number, spec: MacSpec): boolean {
  const arena = allocateArena(VALUE_AT + 32);
  const view = new DataView(arena.bytes.buffer);
  const text = new TextEncoder();
  const isText = spec.digest !== undefined;
  text.encodeInto(isText ? 'digest' : 'size', arena.bytes.subarray(NAME_AT));
  let valueBytes = 8;
  if (spec.digest === undefined) {
    view.setBigUint64(VALUE_AT, BigInt(spec.sizeBytes ?? 0), true);
  } else {
    valueBytes = text.encodeInto(spec.digest, arena.bytes.subarray(VALUE_AT)).written;
  }
  view.setBigUint64(0, BigInt(arena.address + NAME_AT), true);
  view.setUint32(8, isText ? TYPE_UTF8_STRING : TYPE_UNSIGNED_INTEGER, true);
  view.setBigUint64(16, BigInt(arena.address + VALUE_AT), true);
  view.setBigUint64(24, BigInt(valueBytes), true);
  view.setBigUint64(32, 0n, true);
  const isSet = functions.setParameters(context, arena.address) === 1;
  // Also what keeps `arena` alive until the call is over.
  arena.bytes.fill(0);
  return isSet;
}

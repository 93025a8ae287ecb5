// Keys. The password gives one key, slowly, and that key opens only kopia.repository and
// kopia.blobcfg; everything else hangs on the random master key found inside (kopia
// internal/crypto, repo/encryption, repo/maintenance).

import { hkdfSync, pbkdf2, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { EngineError } from '#engine/base/errors.ts';
import { documentBytes } from './json-fields.ts';
import { scryptInSlices } from './scrypt-kernel.ts';
import type { GcmKey } from './aes-gcm.ts';

export const KEY_BYTES = 32;
const SALT_BYTES_MIN = 16;
const SCRYPT = Object.freeze({ N: 65536, r: 8, p: 1, maxmem: 128 * 2 ** 20 });
const PBKDF2_ROUNDS = 600_000;

type Derive = (password: string, salt: Uint8Array) => Promise<Uint8Array>;

const scryptAsync = promisify<string, Uint8Array, number, typeof SCRYPT, Buffer>(scrypt);
const pbkdf2Async = promisify(pbkdf2);

/** How a password becomes a key, by the names that stand in kopia.repository. */
export const KEY_DERIVATIONS: Readonly<Record<string, Derive>> = Object.freeze({
  'scrypt-65536-8-1': async (password: string, salt: Uint8Array) =>
    (await scryptInSlices(password, salt, { blocks: SCRYPT.N, keyBytes: KEY_BYTES })) ??
    new Uint8Array(await scryptAsync(password, salt, KEY_BYTES, SCRYPT)),
  'pbkdf2-sha256-600000': async (password: string, salt: Uint8Array) =>
    new Uint8Array(await pbkdf2Async(password, salt, PBKDF2_ROUNDS, KEY_BYTES, 'sha256')),
});

export const DEFAULT_KEY_DERIVATION = 'scrypt-65536-8-1';

/** What a password is good for. */
export interface PasswordKey {
  /** 32 bytes; kopia calls it the format encryption key. */
  readonly formatKey: Uint8Array;
  /** The repository's unique id, salt of all derivations. */
  readonly uniqueId: Uint8Array;
}

/**
 * Takes 0.2 to 0.4 s of one core. scrypt takes 32 MiB in this thread, in slices of a few
 * milliseconds; where WebAssembly is not to be had 64 MiB on one of libuv's.
 * @throws ALGORITHM_UNKNOWN
 * @throws REPOSITORY_FORMAT_INVALID when the unique id is too short to be a salt
 */
export async function derivePasswordKey(
  algorithm: string,
  password: string,
  uniqueId: Uint8Array,
): Promise<PasswordKey> {
  if (!Object.hasOwn(KEY_DERIVATIONS, algorithm)) {
    throw unknownAlgorithm('key derivation', algorithm, Object.keys(KEY_DERIVATIONS));
  }
  if (uniqueId.length < SALT_BYTES_MIN) {
    throw new EngineError(
      'REPOSITORY_FORMAT_INVALID',
      `cannot derive a key: the unique id of the repository has ${uniqueId.length} bytes and ` +
        `needs ${SALT_BYTES_MIN}; restore kopia.repository from a copy`,
    );
  }
  const formatKey = await KEY_DERIVATIONS[algorithm](password, uniqueId);
  return { formatKey, uniqueId };
}

/** HKDF-SHA256. */
export function deriveKey(key: Uint8Array, salt: Uint8Array, info: string, bytes = KEY_BYTES) {
  return new Uint8Array(hkdfSync('sha256', key, salt, info, bytes));
}

/** What seals the encrypted part of kopia.repository, and kopia.blobcfg. */
export function formatGcmKey({ formatKey, uniqueId }: PasswordKey): GcmKey {
  return {
    key: deriveKey(formatKey, uniqueId, 'AES'),
    aad: deriveKey(formatKey, uniqueId, 'CHECKSUM'),
  };
}

/** The secret from which the key of every content derives. The purpose is the salt here. */
export function contentEncryptionSecret(masterKey: Uint8Array): Uint8Array {
  return deriveKey(masterKey, documentBytes('encryption'), '');
}

/** What seals kopia.maintenance. `base` is masterKey, or formatKey where packs hold replicas. */
export function maintenanceGcmKey(base: Uint8Array, uniqueId: Uint8Array): GcmKey {
  const key = deriveKey(base, uniqueId, 'maintenance schedule');
  return { key, aad: documentBytes('maintenance') };
}

/** The error for a name that no table of `family` has. */
export function unknownAlgorithm(
  family: string,
  name: string,
  known: readonly string[],
): EngineError {
  return new EngineError(
    'ALGORITHM_UNKNOWN',
    `cannot use ${family} "${name}": this version knows ${known.join(', ')}`,
    { details: { family, name } },
  );
}

// Opens the door of a repository: kopia.repository, kopia.blobcfg, the password, and whether this
// program may work on it at all.

import { throwIfAborted } from '#engine/base/abort.ts';
import { EngineError, isEngineError } from '#engine/base/errors.ts';
import { SPLITTERS } from '#engine/chunk/splitters.ts';
import { createCipher } from '#engine/cipher/ciphers.ts';
import { BLOB_CONFIG_BLOB_ID, FORMAT_BLOB_ID } from '#engine/format/blob-names.ts';
import { type BlobConfig, openBlobConfig } from '#engine/format/blob-config.ts';
import { hasEcc } from '#engine/format/ecc.ts';
import { decodeFormatBlob, type FormatBlob } from '#engine/format/format-blob.ts';
import {
  checkRepositoryUsable,
  openRepositoryConfig,
  type RepositoryConfig,
} from '#engine/format/repository-config.ts';
import {
  contentEncryptionSecret,
  derivePasswordKey,
  type PasswordKey,
  unknownAlgorithm,
} from '#engine/format/repository-key.ts';
import { createHash } from '#engine/hash/hashes.ts';
import type { Storage } from '#engine/storage/storage.ts';

/** What a password opens. Holds keys: never log it. */
export interface RepositoryFormat {
  readonly blob: FormatBlob;
  readonly passwordKey: PasswordKey;
  readonly config: RepositoryConfig;
  readonly blobConfig: BlobConfig;
  /** Root of all content keys. */
  readonly cipherSecret: Uint8Array;
  /** For people: features that ask to be mentioned. */
  readonly warnings: readonly string[];
}

export interface LoadFormatOptions {
  readonly password: string;
  readonly nowNanoseconds: bigint;
  readonly signal?: AbortSignal;
}

/**
 * @throws REPOSITORY_NOT_FOUND, REPOSITORY_PASSWORD_WRONG, REPOSITORY_FORMAT_INVALID,
 *   REPOSITORY_FORMAT_TOO_NEW, REPOSITORY_FEATURE_UNSUPPORTED, REPOSITORY_UPGRADE_IN_PROGRESS,
 *   ALGORITHM_UNKNOWN
 */
export async function loadRepositoryFormat(
  storage: Storage,
  { password, nowNanoseconds, signal }: LoadFormatOptions,
): Promise<RepositoryFormat> {
  throwIfAborted(signal);
  const blob = decodeFormatBlob(await getFormatBlob(storage, signal));
  const passwordKey = await derivePasswordKey(blob.keyDerivation, password, blob.uniqueId);
  const config = openRepositoryConfig(passwordKey, blob.sealedConfig);
  const warnings = checkRepositoryUsable(config, nowNanoseconds);
  const cipherSecret = contentEncryptionSecret(config.masterKey);
  checkAlgorithms(config, cipherSecret);
  const blobConfig = await loadBlobConfig(storage, passwordKey, signal);
  return { blob, passwordKey, config, blobConfig, cipherSecret, warnings };
}

async function getFormatBlob(storage: Storage, signal?: AbortSignal): Promise<Uint8Array> {
  try {
    return await storage.get(FORMAT_BLOB_ID, { signal });
  } catch (error) {
    if (!isEngineError(error, 'STORAGE_BLOB_NOT_FOUND', 'STORAGE_NOT_FOUND')) throw error;
    throw new EngineError(
      'REPOSITORY_NOT_FOUND',
      `there is no repository at ${storage.displayName}; check the address, or make ` +
        'one with "stevedore repo create"',
      { cause: error },
    );
  }
}

/** A repository without the blob has no retention; that is normal for old ones. */
async function loadBlobConfig(
  storage: Storage,
  passwordKey: PasswordKey,
  signal?: AbortSignal,
): Promise<BlobConfig> {
  try {
    return openBlobConfig(passwordKey, await storage.get(BLOB_CONFIG_BLOB_ID, { signal }));
  } catch (error) {
    if (isEngineError(error, 'STORAGE_BLOB_NOT_FOUND')) return {};
    // The password is right, as kopia.repository has shown.
    if (isEngineError(error, 'REPOSITORY_PASSWORD_WRONG')) throw blobConfigDamaged(error);
    throw error;
  }
}

function blobConfigDamaged(cause: unknown): EngineError {
  return new EngineError(
    'REPOSITORY_FORMAT_INVALID',
    'cannot open kopia.blobcfg with the key of kopia.repository: it is damaged, or the ' +
      'password is being changed right now; try again, or restore it from a copy',
    { cause },
  );
}

/** Names are resolved now, so that an unknown one is not met in the middle of a restore. */
function checkAlgorithms(config: RepositoryConfig, cipherSecret: Uint8Array): void {
  createHash(config.hash, config.secret);
  createCipher(config.encryption, cipherSecret);
  requireStockSplitter(config.splitter);
  hasEcc(config);
}

/**
 * A repository can only name a splitter that kopia has; ours are for writing alone.
 * @throws ALGORITHM_UNKNOWN
 */
export function requireStockSplitter(name: string): void {
  const known = Object.values(SPLITTERS).filter(splitter => splitter.isStock);
  if (known.some(splitter => splitter.name === name)) return;
  throw unknownAlgorithm(
    'splitter',
    name,
    known.map(splitter => splitter.name),
  );
}

/**
 * What keeps this program from writing to a repository that it can read.
 * @returns undefined when it can write
 */
export function writeObstacle(config: RepositoryConfig): string | undefined {
  if (config.indexVersion !== 2) return 'it uses index version 1';
  if (!config.epochParameters.isEnabled) return 'it uses the legacy index without epochs';
  if (hasEcc(config)) return `it uses error correction (${config.ecc})`;
  return undefined;
}

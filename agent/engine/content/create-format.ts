// Makes an empty place into a repository: writes kopia.repository, then kopia.blobcfg. kopia does
// it the other way round (repo/initialize.go), but whoever is killed in between then leaves a place
// that is no repository and can become none. Ours can be used at once, since an absent
// kopia.blobcfg says the same as the one that is written here. Nothing could be written to it while
// the clocks of machine and storage differ, so that is found out before there is anything of it.

import { randomBytes } from 'node:crypto';
import { throwIfAborted } from '#engine/base/abort.ts';
import { systemClock, type Clock } from '#engine/base/clock.ts';
import { EngineError, isEngineError } from '#engine/base/errors.ts';
import { createCipher } from '#engine/cipher/ciphers.ts';
import { BLOB_CONFIG_BLOB_ID, FORMAT_BLOB_ID } from '#engine/format/blob-names.ts';
import { sealBlobConfig } from '#engine/format/blob-config.ts';
import { encodeFormatBlob, FORMAT_ENCRYPTION } from '#engine/format/format-blob.ts';
import {
  newRepositoryConfig,
  type NewRepositoryOptions,
  sealRepositoryConfig,
} from '#engine/format/repository-config.ts';
import {
  contentEncryptionSecret,
  DEFAULT_KEY_DERIVATION,
  derivePasswordKey,
} from '#engine/format/repository-key.ts';
import { createHash } from '#engine/hash/hashes.ts';
import type { Storage } from '#engine/storage/storage.ts';
import { requireStockSplitter } from './repository-format.ts';
import { requireSameTimeByScratch } from './storage-clock.ts';

export interface CreateFormatOptions extends NewRepositoryOptions {
  readonly password: string;
  readonly keyDerivation?: string;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
}

const UNIQUE_ID_BYTES = 32;

/**
 * @returns the unique id of the new repository
 * @throws REPOSITORY_EXISTS; where the storage can put conditionally that is decided without a race
 * @throws ALGORITHM_UNKNOWN, USAGE, CLOCK_SKEW, and then there is nothing new in the storage
 */
export async function createFormat(
  storage: Storage,
  { password, keyDerivation, clock = systemClock, signal, ...options }: CreateFormatOptions,
): Promise<Uint8Array> {
  throwIfAborted(signal);
  if (password === '') {
    throw new EngineError('USAGE', 'cannot create a repository with an empty password; choose one');
  }
  const config = newRepositoryConfig(randomBytes, options);
  checkAlgorithms(config);
  await requireAbsent(storage, signal);
  await requireSameTimeByScratch(storage, clock, signal);
  const uniqueId = new Uint8Array(randomBytes(UNIQUE_ID_BYTES));
  const algorithm = keyDerivation ?? DEFAULT_KEY_DERIVATION;
  const key = await derivePasswordKey(algorithm, password, uniqueId);
  const format = encodeFormatBlob({
    tool: 'https://github.com/kopia/kopia',
    buildVersion: 'stevedore',
    buildInfo: 'stevedore',
    uniqueId,
    keyDerivation: algorithm,
    encryption: FORMAT_ENCRYPTION,
    sealedConfig: sealRepositoryConfig(key, config, randomBytes),
  });
  await putNew(storage, format, signal);
  await storage.put(BLOB_CONFIG_BLOB_ID, [sealBlobConfig(key, {}, randomBytes)], { signal });
  return uniqueId;
}

function checkAlgorithms(config: ReturnType<typeof newRepositoryConfig>): void {
  createHash(config.hash, config.secret);
  createCipher(config.encryption, contentEncryptionSecret(config.masterKey));
  requireStockSplitter(config.splitter);
}

async function requireAbsent(storage: Storage, signal?: AbortSignal): Promise<void> {
  for (const blobId of [FORMAT_BLOB_ID, BLOB_CONFIG_BLOB_ID]) {
    try {
      await storage.head(blobId, { signal });
    } catch (error) {
      if (isEngineError(error, 'STORAGE_BLOB_NOT_FOUND')) continue;
      throw error;
    }
    throw blobId === FORMAT_BLOB_ID ? existsError(storage) : remnantError(storage);
  }
}

async function putNew(storage: Storage, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
  try {
    await storage.put(FORMAT_BLOB_ID, [bytes], { ifAbsent: true, signal });
  } catch (error) {
    throw isEngineError(error, 'STORAGE_BLOB_EXISTS') ? existsError(storage, error) : error;
  }
}

function existsError(storage: Storage, cause?: unknown): EngineError {
  return new EngineError(
    'REPOSITORY_EXISTS',
    `there is a repository at ${storage.displayName} already; open it, or choose another place`,
    { cause },
  );
}

function remnantError(storage: Storage): EngineError {
  return new EngineError(
    'REPOSITORY_EXISTS',
    `there is a kopia.blobcfg at ${storage.displayName} and no kopia.repository: bring that ` +
      'back if it was lost, or delete kopia.blobcfg if a creation was interrupted here, or ' +
      'choose another place',
  );
}

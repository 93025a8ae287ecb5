// Opens the door of a repository: kopia.repository, kopia.blobcfg, the password, and whether this
// program may work on it at all.

import { throwIfAborted } from '#engine/base/abort.ts';
import { equalBytes } from '#engine/base/bytes.ts';
import { systemClock, type Clock } from '#engine/base/clock.ts';
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
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
}

/** kopia changes a password with two puts, one right after the other. */
const ATTEMPTS_MAX = 3;
const FIRST_PAUSE_MS = 1000;

/**
 * @throws REPOSITORY_NOT_FOUND, REPOSITORY_PASSWORD_WRONG, REPOSITORY_KEYS_DIFFER,
 *   REPOSITORY_FORMAT_INVALID, REPOSITORY_FORMAT_TOO_NEW, REPOSITORY_FEATURE_UNSUPPORTED,
 *   REPOSITORY_UPGRADE_IN_PROGRESS, ALGORITHM_UNKNOWN
 */
export async function loadRepositoryFormat(
  storage: Storage,
  { password, clock = systemClock, signal }: LoadFormatOptions,
): Promise<RepositoryFormat> {
  let key: PasswordKey | undefined;
  const keyFor = async ({ keyDerivation, uniqueId }: FormatBlob): Promise<PasswordKey> => {
    if (key && equalBytes(key.uniqueId, uniqueId)) return key;
    return (key = await derivePasswordKey(keyDerivation, password, uniqueId));
  };
  for (let attempt = 1; ; attempt++) {
    throwIfAborted(signal);
    try {
      return await readFormat(storage, { keyFor, nowNs: clock.nowNanoseconds(), signal });
    } catch (error) {
      const isPassing = isEngineError(error, 'REPOSITORY_KEYS_DIFFER');
      if (!isPassing || attempt === ATTEMPTS_MAX) throw error;
      await clock.sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1), signal);
    }
  }
}

/**
 * The same once more, with the key that has opened it before.
 * @throws what loadRepositoryFormat throws; REPOSITORY_PASSWORD_WRONG also for another repository
 */
export function reloadRepositoryFormat(
  storage: Storage,
  { passwordKey }: RepositoryFormat,
  nowNs: bigint,
): Promise<RepositoryFormat> {
  return readFormat(storage, { keyFor: () => Promise.resolve(passwordKey), nowNs });
}

interface ReadFormatOptions {
  readonly keyFor: (blob: FormatBlob) => Promise<PasswordKey>;
  readonly nowNs: bigint;
  readonly signal?: AbortSignal;
}

async function readFormat(
  storage: Storage,
  { keyFor, nowNs, signal }: ReadFormatOptions,
): Promise<RepositoryFormat> {
  const blob = decodeFormatBlob(await getFormatBlob(storage, signal));
  const passwordKey = await keyFor(blob);
  const config = await openConfig(storage, passwordKey, blob, signal);
  const warnings = checkRepositoryUsable(config, nowNs);
  const cipherSecret = contentEncryptionSecret(config.masterKey);
  checkAlgorithms(config, cipherSecret);
  const blobConfig = await getBlobConfig(storage, passwordKey, signal);
  return { blob, passwordKey, config, blobConfig: blobConfig ?? {}, cipherSecret, warnings };
}

/** A new password opens kopia.blobcfg a moment before it opens kopia.repository. */
async function openConfig(
  storage: Storage,
  passwordKey: PasswordKey,
  { sealedConfig }: FormatBlob,
  signal?: AbortSignal,
): Promise<RepositoryConfig> {
  try {
    return openRepositoryConfig(passwordKey, sealedConfig);
  } catch (error) {
    if (!isEngineError(error, 'REPOSITORY_PASSWORD_WRONG')) throw error;
    const isAhead = await opensBlobConfig(storage, passwordKey, signal);
    throw isAhead ? keysDiffer(storage, error) : error;
  }
}

async function opensBlobConfig(
  storage: Storage,
  passwordKey: PasswordKey,
  signal?: AbortSignal,
): Promise<boolean> {
  try {
    return (await getBlobConfig(storage, passwordKey, signal)) !== undefined;
  } catch (error) {
    if (isEngineError(error, 'REPOSITORY_KEYS_DIFFER')) return false;
    throw error;
  }
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

/**
 * A repository without the blob has no retention; that is normal for old ones.
 * @throws REPOSITORY_KEYS_DIFFER when another key than that of kopia.repository has sealed it
 */
async function getBlobConfig(
  storage: Storage,
  passwordKey: PasswordKey,
  signal?: AbortSignal,
): Promise<BlobConfig | undefined> {
  try {
    return openBlobConfig(passwordKey, await storage.get(BLOB_CONFIG_BLOB_ID, { signal }));
  } catch (error) {
    if (isEngineError(error, 'STORAGE_BLOB_NOT_FOUND')) return undefined;
    if (isEngineError(error, 'REPOSITORY_PASSWORD_WRONG')) throw keysDiffer(storage, error);
    throw error;
  }
}

/**
 * A change of password writes kopia.blobcfg, then kopia.repository (kopia
 * repo/format/format_change_password.go). Writing kopia.blobcfg anew would lose the retention.
 */
function keysDiffer(storage: Storage, cause: unknown): EngineError {
  return new EngineError(
    'REPOSITORY_KEYS_DIFFER',
    `opening the repository at ${storage.displayName} failed: kopia.repository and ` +
      'kopia.blobcfg do not open with the same password, as while it is being changed; try ' +
      'again, and where it stays so, bring back the earlier version of kopia.blobcfg',
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

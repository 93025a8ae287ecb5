// The encrypted part of kopia.repository: which algorithms a repository uses, its two random keys
// and its limits (kopia repo/format/content_format.go, object_format.go, repository_config.go).
// Fields that this version does not know are kept and written again; kopia itself drops them.

import { EngineError } from '#engine/base/errors.ts';
import { goJson } from '#engine/base/json.ts';
import type { RandomBytes } from './aes-gcm.ts';
import {
  DEFAULT_EPOCH_PARAMETERS,
  checkEpochParameters,
  epochParametersJson,
  readEpochParameters,
  type EpochParameters,
} from './epoch-parameters.ts';
import { openWithPassword, sealWithPassword } from './format-blob.ts';
import {
  documentBytes,
  documentText,
  failing,
  JsonFields,
  toBase64,
  unlessEmpty,
  type ExtraFields,
  type Fail,
} from './json-fields.ts';
import type { PasswordKey } from './repository-key.ts';
import {
  checkRequiredFeatures,
  readRequiredFeatures,
  requiredFeaturesJson,
  type RequiredFeature,
} from './required-features.ts';
import {
  checkUpgradeLock,
  readUpgradeLock,
  upgradeLockJson,
  type UpgradeLock,
} from './upgrade-lock.ts';

export const FORMAT_VERSION_MAX = 3;
export const DEFAULT_PACK_BYTES = 20 * 2 ** 20;
const PACK_BYTES_MIN = 10 * 2 ** 20;
const PACK_BYTES_MAX = 120 * 2 ** 20;
const SECRET_BYTES = 32;

export interface RepositoryConfig {
  readonly hash: string;
  readonly encryption: string;
  /** Error correction; '' for none. */
  readonly ecc: string;
  readonly eccOverheadPercent: number;
  /** Key of the hash; empty where it was switched off. */
  readonly secret: Uint8Array;
  /** Root of the encryption of contents. */
  readonly masterKey: Uint8Array;
  /** 1, 2 or 3. */
  readonly version: number;
  /** A pack that has reached this size is closed. */
  readonly maxPackBytes: number;
  /** Of index files: 1 or 2. */
  readonly indexVersion: number;
  readonly epochParameters: EpochParameters;
  /** False only for version 1: then packs begin with a copy of kopia.repository (replica.ts). */
  readonly isPasswordChangeEnabled: boolean;
  readonly splitter: string;
  readonly upgradeLock?: UpgradeLock;
  readonly requiredFeatures: readonly RequiredFeature[];
  readonly extra?: ExtraFields;
  /** Unknown fields beside `format`. */
  readonly outerExtra?: ExtraFields;
}

const fail: Fail = failing(
  'REPOSITORY_FORMAT_INVALID',
  'the encrypted part of kopia.repository',
  'restore kopia.repository from a copy',
);

/**
 * Reads the decrypted JSON; what kopia reads as a default (pack size, index version, splitter) is
 * filled in.
 * @throws REPOSITORY_FORMAT_TOO_NEW, REPOSITORY_FORMAT_INVALID
 */
export function decodeRepositoryConfig(plaintext: Uint8Array): RepositoryConfig {
  const outer = JsonFields.parse(documentText(plaintext), fail);
  const fields = outer.fields('format');
  if (fields === undefined) throw fail('it has no format');
  const version = checkVersion(fields.number('version'));
  const lock = fields.fields('upgradeLock');
  const parameters = fields.fields('epochParameters');
  return {
    hash: fields.text('hash'),
    encryption: fields.text('encryption'),
    ecc: fields.text('ecc'),
    eccOverheadPercent: fields.number('eccOverheadPercent', 0, 100),
    secret: fields.bytes('secret'),
    masterKey: checkMasterKey(fields.bytes('masterKey')),
    version,
    maxPackBytes: fields.number('maxPackSize') || DEFAULT_PACK_BYTES,
    indexVersion: fields.number('indexVersion', 0, 2) || 1,
    epochParameters: readEpochParameters(parameters ?? new JsonFields({}, fail)),
    isPasswordChangeEnabled: fields.boolean('enablePasswordChange'),
    splitter: fields.text('splitter') || 'FIXED',
    upgradeLock: lock === undefined ? undefined : readUpgradeLock(lock),
    requiredFeatures: readRequiredFeatures(fields.list('requiredFeatures'), fail),
    extra: fields.extra(),
    outerExtra: outer.extra(),
  };
}

/** The inverse of decodeRepositoryConfig, fields in kopia's order. */
export function encodeRepositoryConfig(config: RepositoryConfig): Uint8Array {
  const { upgradeLock, requiredFeatures } = config;
  const format = {
    hash: config.hash,
    encryption: config.encryption,
    ecc: unlessEmpty(config.ecc),
    eccOverheadPercent: unlessEmpty(config.eccOverheadPercent),
    secret: unlessEmpty(toBase64(config.secret)),
    masterKey: unlessEmpty(toBase64(config.masterKey)),
    version: config.version,
    maxPackSize: config.maxPackBytes,
    indexVersion: config.indexVersion,
    epochParameters: epochParametersJson(config.epochParameters),
    enablePasswordChange: config.isPasswordChangeEnabled,
    splitter: config.splitter,
    upgradeLock: upgradeLock === undefined ? undefined : upgradeLockJson(upgradeLock),
    requiredFeatures: unlessEmpty(requiredFeaturesJson(requiredFeatures)),
    ...config.extra,
  };
  return documentBytes(goJson({ format, ...config.outerExtra }));
}

/**
 * Opens the encrypted part.
 * @throws REPOSITORY_PASSWORD_WRONG, REPOSITORY_FORMAT_TOO_NEW, REPOSITORY_FORMAT_INVALID
 */
export function openRepositoryConfig(key: PasswordKey, sealed: Uint8Array): RepositoryConfig {
  return decodeRepositoryConfig(openWithPassword(key, sealed));
}

export function sealRepositoryConfig(
  key: PasswordKey,
  config: RepositoryConfig,
  random: RandomBytes,
): Uint8Array {
  return sealWithPassword(key, encodeRepositoryConfig(config), random);
}

/**
 * Whether the repository may be used at `nowNs` (nanoseconds since 1970). To be asked again
 * whenever kopia.repository has been read again.
 * @returns warnings for people
 * @throws REPOSITORY_FEATURE_UNSUPPORTED, REPOSITORY_UPGRADE_IN_PROGRESS
 */
export function checkRepositoryUsable(config: RepositoryConfig, nowNs: bigint): string[] {
  const warnings = checkRequiredFeatures(config.requiredFeatures);
  checkUpgradeLock(config.upgradeLock, nowNs);
  return warnings;
}

/** What may be chosen when a repository is created; the rest is random or follows. */
export interface NewRepositoryOptions {
  readonly hash?: string;
  readonly encryption?: string;
  readonly splitter?: string;
  readonly maxPackBytes?: number;
  readonly epochParameters?: EpochParameters;
}

/**
 * The configuration of a new repository, as kopia 0.23 creates it.
 * @throws USAGE when a limit is out of range
 */
export function newRepositoryConfig(
  random: RandomBytes,
  options: NewRepositoryOptions = {},
): RepositoryConfig {
  const config: RepositoryConfig = {
    hash: options.hash ?? 'BLAKE2B-256-128',
    encryption: options.encryption ?? 'AES256-GCM-HMAC-SHA256',
    ecc: '',
    eccOverheadPercent: 0,
    secret: random(SECRET_BYTES),
    masterKey: random(SECRET_BYTES),
    version: FORMAT_VERSION_MAX,
    maxPackBytes: options.maxPackBytes ?? DEFAULT_PACK_BYTES,
    indexVersion: 2,
    epochParameters: options.epochParameters ?? DEFAULT_EPOCH_PARAMETERS,
    isPasswordChangeEnabled: true,
    splitter: options.splitter ?? 'DYNAMIC-4M-BUZHASH',
    requiredFeatures: [],
  };
  if (config.maxPackBytes < PACK_BYTES_MIN || config.maxPackBytes > PACK_BYTES_MAX) {
    throw new EngineError(
      'USAGE',
      `cannot create packs of ${config.maxPackBytes} bytes: choose from ${PACK_BYTES_MIN} to ` +
        `${PACK_BYTES_MAX}`,
    );
  }
  checkEpochParameters(config.epochParameters);
  return config;
}

function checkVersion(version: number): number {
  if (version > FORMAT_VERSION_MAX) {
    throw new EngineError(
      'REPOSITORY_FORMAT_TOO_NEW',
      `cannot open a repository of format version ${version}: this version knows up to ` +
        `${FORMAT_VERSION_MAX}; use a newer one`,
      { details: { version } },
    );
  }
  if (version < 1) throw fail('it has no format version');
  return version;
}

function checkMasterKey(masterKey: Uint8Array): Uint8Array {
  if (masterKey.length === 0) throw fail('it has no master key');
  return masterKey;
}

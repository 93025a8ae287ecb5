// kopia.blobcfg: how long the object store must refuse to delete blobs (kopia
// repo/format/blobcfg_blob.go). A repository without this blob has no retention.

import { EngineError } from '#engine/base/errors.ts';
import { goJson } from '#engine/base/json.ts';
import type { RandomBytes } from './aes-gcm.ts';
import { openWithPassword, sealWithPassword } from './format-blob.ts';
import {
  documentBytes,
  documentText,
  failing,
  JsonFields,
  unlessEmpty,
  type ExtraFields,
} from './json-fields.ts';
import type { PasswordKey } from './repository-key.ts';

const DAY_NS = 86_400_000_000_000n;
const MODES: readonly string[] = ['GOVERNANCE', 'COMPLIANCE'];
// kopia repo/open.go GetLockingStoragePrefixes
const RETAINED_PREFIXES = ['n', 'x', 'kopia.repository', 'kopia.blobcfg', 'p', 'q'];

export interface BlobRetention {
  readonly mode: 'GOVERNANCE' | 'COMPLIANCE';
  readonly periodNs: bigint;
}

export interface BlobConfig {
  readonly retention?: BlobRetention;
  readonly extra?: ExtraFields;
}

const fail = failing(
  'REPOSITORY_FORMAT_INVALID',
  'kopia.blobcfg',
  'restore it from a copy; it says how long blobs must not be deleted',
);

/**
 * @throws REPOSITORY_PASSWORD_WRONG when it was sealed with another key, or is damaged
 * @throws REPOSITORY_FORMAT_INVALID
 */
export function openBlobConfig(key: PasswordKey, sealed: Uint8Array): BlobConfig {
  const fields = JsonFields.parse(documentText(openWithPassword(key, sealed)), fail);
  const mode = fields.text('retentionMode');
  const periodNs = fields.durationNs('retentionPeriod');
  const extra = fields.extra();
  if (mode === '' || periodNs === 0n) return { extra };
  if (!isMode(mode)) throw fail(`retention mode "${mode}" is unknown`);
  return { retention: { mode, periodNs }, extra };
}

/**
 * @throws USAGE for a period of less than a day
 */
export function sealBlobConfig(
  key: PasswordKey,
  config: BlobConfig,
  random: RandomBytes,
): Uint8Array {
  const { retention } = config;
  if (retention !== undefined && retention.periodNs < DAY_NS) {
    throw new EngineError('USAGE', 'cannot retain blobs for less than a day: choose a longer one');
  }
  const document = {
    retentionMode: unlessEmpty(retention?.mode),
    retentionPeriod: unlessEmpty(retention?.periodNs),
    ...config.extra,
  };
  return sealWithPassword(key, documentBytes(goJson(document)), random);
}

/** Whether retention applies to a blob of this name; session markers and logs stay deletable. */
export function isRetainedBlob(blobId: string): boolean {
  return RETAINED_PREFIXES.some(prefix => blobId.startsWith(prefix));
}

function isMode(mode: string): mode is BlobRetention['mode'] {
  return MODES.includes(mode);
}

// The two blobs of a repository's format, written as another client writes them when it changes
// something about a repository that is there.

import { randomBytes } from 'node:crypto';
import type { RepositoryFormat } from '#engine/content/repository-format.ts';
import { type BlobConfig, sealBlobConfig } from '#engine/format/blob-config.ts';
import { encodeFormatBlob } from '#engine/format/format-blob.ts';
import { type RepositoryConfig, sealRepositoryConfig } from '#engine/format/repository-config.ts';
import type { Storage } from '#engine/storage/storage.ts';

type Key = RepositoryFormat['passwordKey'];

/** Another kopia.repository, with `change`, and sealed by another key where one is given. */
export async function putChanged(
  storage: Storage,
  { blob, config, passwordKey }: RepositoryFormat,
  change: Partial<RepositoryConfig>,
  key: Key = passwordKey,
): Promise<void> {
  const sealedConfig = sealRepositoryConfig(key, { ...config, ...change }, randomBytes);
  await storage.put('kopia.repository', [encodeFormatBlob({ ...blob, sealedConfig })]);
}

export async function putBlobConfig(
  storage: Storage,
  key: Key,
  blobConfig: BlobConfig,
): Promise<void> {
  await storage.put('kopia.blobcfg', [sealBlobConfig(key, blobConfig, randomBytes)]);
}

const MINUTE_NS = 60_000_000_000n;

/** Holds from half an hour before the time at which the upgrade is announced to begin. */
export function upgradeLock(beginNs: bigint): NonNullable<RepositoryConfig['upgradeLock']> {
  return {
    ownerId: 'admin@desk',
    creationTimeNs: beginNs - 60n * MINUTE_NS,
    advanceNoticeNs: 60n * MINUTE_NS,
    drainTimeoutNs: 14n * MINUTE_NS,
    statusPollIntervalNs: MINUTE_NS,
    message: 'moving to version 4',
    maxClockDriftNs: 2n * MINUTE_NS,
  };
}

// The lock that is set while somebody converts a repository to another format version (kopia
// repo/format/upgrade_lock_intent.go). Writers must be gone before the converter starts, so the
// lock begins to hold a drain period ahead of the announced time.

import { EngineError } from '#engine/base/errors.ts';
import { formatTimestamp } from '#engine/base/timestamp.ts';
import { unlessEmpty, type ExtraFields, type JsonFields } from './json-fields.ts';

export interface UpgradeLock {
  readonly ownerId: string;
  readonly creationTimeNs: bigint;
  readonly advanceNoticeNs: bigint;
  readonly drainTimeoutNs: bigint;
  readonly statusPollIntervalNs: bigint;
  readonly message: string;
  readonly maxClockDriftNs: bigint;
  readonly extra?: ExtraFields;
}

/** @throws what the fields throw */
export function readUpgradeLock(fields: JsonFields): UpgradeLock {
  return {
    ownerId: fields.text('ownerID'),
    creationTimeNs: fields.timestampNs('creationTime') ?? 0n,
    advanceNoticeNs: fields.durationNs('advanceNoticeDuration'),
    drainTimeoutNs: fields.durationNs('ioDrainTimeout'),
    statusPollIntervalNs: fields.durationNs('statusPollInterval'),
    message: fields.text('message'),
    maxClockDriftNs: fields.durationNs('maxPermittedClockDrift'),
    extra: fields.extra(),
  };
}

/** As an object for goJson. */
export function upgradeLockJson(lock: UpgradeLock): ExtraFields {
  return {
    ownerID: unlessEmpty(lock.ownerId),
    creationTime: formatTimestamp(lock.creationTimeNs),
    advanceNoticeDuration: unlessEmpty(lock.advanceNoticeNs),
    ioDrainTimeout: unlessEmpty(lock.drainTimeoutNs),
    statusPollInterval: unlessEmpty(lock.statusPollIntervalNs),
    message: unlessEmpty(lock.message),
    maxPermittedClockDrift: unlessEmpty(lock.maxClockDriftNs),
    ...lock.extra,
  };
}

/** Whether others than the owner must keep away at `nowNs` (nanoseconds since 1970). */
export function isUpgradeLocked(lock: UpgradeLock | undefined, nowNs: bigint): boolean {
  if (lock === undefined) return false;
  const drainNs = lock.maxClockDriftNs + 2n * lock.drainTimeoutNs;
  if (lock.advanceNoticeNs < drainNs) return true;
  return nowNs >= lock.creationTimeNs + lock.advanceNoticeNs - drainNs;
}

/**
 * @throws REPOSITORY_UPGRADE_IN_PROGRESS
 */
export function checkUpgradeLock(lock: UpgradeLock | undefined, nowNs: bigint): void {
  if (lock === undefined || !isUpgradeLocked(lock, nowNs)) return;
  throw new EngineError(
    'REPOSITORY_UPGRADE_IN_PROGRESS',
    `cannot use the repository while ${lock.ownerId} upgrades it (${lock.message}); wait until ` +
      `the upgrade has been committed or rolled back`,
    { details: { ownerId: lock.ownerId } },
  );
}

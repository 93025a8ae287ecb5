// Incomplete snapshots: what a backup that was stopped left of itself. The next one of the same
// source goes on from them, and they are gone when it is done (kopia snapshot/manager.go
// FindPreviousManifests, snapshot/policy/retention_policy.go).

import type { SnapshotManifest } from '#engine/format/snapshot-manifest.ts';

export interface FoundSnapshot {
  readonly snapshot: SnapshotManifest;
  /** When the manifest was written, nanoseconds since 1970. */
  readonly modifiedNs: bigint;
}

/** A backup goes on from so many, the newest; each is one more directory to read at every step. */
export const RESUMED_SNAPSHOTS_MAX = 3;

/** kopia's retainIncompleteSnapshotsYoungerThan and retainIncompleteSnapshotMinimumCount. */
const KEPT_AGE_NS = 4n * 3600n * 1_000_000_000n;
const KEPT_COUNT_MIN = 3;

/** Those that began after `complete` did, oldest first. */
export function resumedSnapshots(
  found: readonly FoundSnapshot[],
  complete: SnapshotManifest | undefined,
): FoundSnapshot[] {
  return found
    .filter(({ snapshot }) => snapshot.incomplete !== '')
    .filter(({ snapshot }) => !complete || snapshot.startTimeNs > complete.startTimeNs)
    .sort((a, b) => (a.snapshot.startTimeNs < b.snapshot.startTimeNs ? -1 : 1))
    .slice(-RESUMED_SNAPSHOTS_MAX);
}

/** What a complete snapshot that began at `startTimeNs` makes superfluous. Pins keep anything. */
export function supersededBy(
  found: readonly FoundSnapshot[],
  startTimeNs: bigint,
): FoundSnapshot[] {
  return found.filter(
    ({ snapshot }) => isDisposable(snapshot) && snapshot.startTimeNs < startTimeNs,
  );
}

/**
 * What kopia's retention would delete when a checkpoint is written by a run that began at
 * `startTimeNs`: of those after the last complete one, all but the newest few and the young. What
 * `resumed` names stays, since the run builds upon it.
 */
export function expiredIncomplete(
  found: readonly FoundSnapshot[],
  resumed: readonly FoundSnapshot[],
  startTimeNs: bigint,
): FoundSnapshot[] {
  const newestFirst = found.toSorted((a, b) => {
    return a.snapshot.startTimeNs > b.snapshot.startTimeNs ? -1 : 1;
  });
  let isKeeping = true;
  return newestFirst.filter(({ snapshot }, index) => {
    const isYoung = startTimeNs - snapshot.startTimeNs < KEPT_AGE_NS;
    // The checkpoint itself is one of the newest.
    isKeeping &&= snapshot.incomplete !== '' && (isYoung || index + 1 < KEPT_COUNT_MIN);
    const isNeeded = resumed.some(each => each.snapshot.id === snapshot.id);
    return !isKeeping && !isNeeded && isDisposable(snapshot);
  });
}

function isDisposable({ incomplete, pins }: SnapshotManifest): boolean {
  return incomplete !== '' && pins.length === 0;
}

// Brings stored trees back to directories: plans a section, carries it out, goes on with the next.
// Nothing is written outside the targets whatever the tree says (target/), contents are checked
// before they are written, attributes come last and are read back, and what is not as it was is
// named in the outcome.

import { systemClock } from '#engine/base/clock.ts';
import type { MemoryPlan } from '#engine/base/memory-plan.ts';
import type { ContentSource } from '#engine/content/content-source.ts';
import type { ManifestReader } from '#engine/manifest/manifest-store.ts';
import type { AttributePolicy } from '#engine/snapshot/target/wanted-attributes.ts';
import type { TaskRunner } from '#engine/workers/tasks.ts';
import { type PlannedPack, PlanTotals } from './plan-totals.ts';
import type { OpenGoal, RestoreGoal } from './restore-goals.ts';
import type { LocatedContent } from './chunk-planner.ts';
import { type Difference, type ReportListeners, RestoreReport } from './restore-report.ts';
import { RestoreWork } from './restore-work.ts';
import type { Overwrite, RestoreTasks } from './restore-tasks.ts';
import type { PackSource } from './pack-source.ts';

export interface RestoreRequest {
  /** `ID`, the beginning of one, or `latest`; `:/path` behind it for a part of the tree. */
  readonly snapshot: string;
  /**
   * A directory; for a single file the file, or the directory to put it in: one that is there, or
   * that a slash at the end says is meant.
   */
  readonly target: string;
  /** Further parts to restore with the same plan: what they have in common is fetched once. */
  readonly further?: readonly RestoreGoal[];
  /**
   * What becomes of files and links that the target holds already; directories are kept and filled.
   * Absent: the target has to be empty or not there. `never`: they stay. `if-different`: those of
   * other size or time are replaced. `always`: all are replaced.
   */
  readonly overwrite?: Overwrite;
  /** Files that would be replaced are compared by chunks and written where they differ. */
  readonly delta?: boolean;
  /** Removes what directories of the target hold and the snapshot does not. */
  readonly deleteExtra?: boolean;
  /** Reads everything again afterwards and compares it with the hashes of the repository. */
  readonly verify?: boolean;
  /** Leaves runs of zeros as holes in files of which the snapshot does not know the holes. */
  readonly sparse?: boolean;
  /**
   * Globs of paths beneath the root of what is restored; only what matches one is restored. One
   * that nothing matches is a difference of the class `selection`.
   */
  readonly include?: readonly string[];
  /** What matches one of these is not restored. */
  readonly exclude?: readonly string[];
  readonly policy?: Partial<AttributePolicy>;
}

export interface RestoreOptions extends ReportListeners {
  readonly signal?: AbortSignal;
}

export type RestoreStatus = 'Completed' | 'CompletedWithDifferences';

export interface RestoreOutcome {
  readonly status: RestoreStatus;
  readonly snapshotId: string;
  /** The first of them. */
  readonly target: string;
  readonly furtherTargets: readonly string[];
  readonly files: number;
  readonly directories: number;
  readonly bytes: number;
  /** Sealed bytes that were fetched. */
  readonly bytesFetched: number;
  /** Files that were left as they are. */
  readonly filesKept: number;
  /** Bytes of files that the target had already. */
  readonly bytesPresent: number;
  /** Entries that were removed because the snapshot does not have them. */
  readonly removed: number;
  readonly durationMs: number;
  /** The first 100; `onDifference` gets all. */
  readonly differences: readonly Difference[];
  readonly differenceCount: number;
  /** Those that are entries which are not there, a directory with all that is in it. */
  readonly missingCount: number;
  /** Differences that are not listed because there are too many. */
  readonly differencesOmitted: number;
  /** How many there are of each class: `mode`, `xattr`, `entry`, … */
  readonly differencesByAttribute: Readonly<Record<string, number>>;
}

/** What a restore would do. */
export interface RestorePlan {
  readonly snapshotId: string;
  /** The first of them. */
  readonly target: string;
  readonly furtherTargets: readonly string[];
  readonly directories: number;
  readonly files: number;
  readonly symlinks: number;
  readonly special: number;
  /** Further names of files. */
  readonly hardLinks: number;
  /** Bytes of all files. */
  readonly bytes: number;
  readonly bytesToFetch: number;
  readonly filesKept: number;
  readonly bytesPresent: number;
  /** Paths that would be removed, as those of differences are. */
  readonly toRemove: readonly string[];
  readonly toRemoveCount: number;
  readonly packs: readonly PlannedPack[];
  readonly differences: readonly Difference[];
  readonly differenceCount: number;
}

/** What a restore may take besides its threads. */
export type RestoreMemory = Pick<MemoryPlan, 'restoreWindowBytes' | 'restorePlanBytes'>;

export interface RestoreParts {
  readonly contents: ContentSource;
  readonly manifests: ManifestReader;
  readonly runner: TaskRunner<RestoreTasks>;
  readonly keyBytes: number;
  readonly locate: (key: Uint8Array) => LocatedContent | undefined;
  /** Contents are read one by one where there is none. */
  readonly packs?: PackSource;
  readonly memory: RestoreMemory;
  readonly isNativeAllowed?: boolean;
  /** Where the repository is a directory of this machine: nothing extra is removed around it. */
  readonly repositoryDirectory?: string;
}

/**
 * Restores a snapshot or a part of it. When it resolves the target's file system has written
 * everything back. Damage in the repository does not stop the rest from being restored, but the
 * restore fails in the end. An interrupted one goes on with `overwrite: 'if-different'`: times are
 * set last, and those of files of several chunks when their bytes are on the disk, so that no
 * half-written file looks like a whole one.
 * @throws USAGE for a glob that can match nothing; TARGET_NOT_EMPTY, TARGET_NOT_WRITABLE,
 *   TARGET_FULL, SNAPSHOT_NOT_FOUND, SNAPSHOT_PATH_NOT_FOUND, ABORTED; CONTENT_DAMAGED and the like
 *   with `details.differences`
 */
export async function restore(
  parts: RestoreParts,
  request: RestoreRequest,
  options: RestoreOptions = {},
): Promise<RestoreOutcome> {
  const startMs = systemClock.monotonic();
  const report = new RestoreReport(options);
  const work = await RestoreWork.open(parts, request, { report, signal: options.signal });
  await work.attempt(() => work.carryOut());
  const places = placesOf(work.goals);
  report.throwIfDamaged([places.target, ...places.furtherTargets].join(', '));
  return {
    status: report.differenceCount === 0 ? 'Completed' : 'CompletedWithDifferences',
    ...places,
    files: report.files,
    directories: report.directories,
    bytes: report.bytes,
    bytesFetched: report.bytesFetched,
    filesKept: report.filesKept,
    bytesPresent: report.bytesPresent,
    removed: report.removed,
    durationMs: Math.round(systemClock.monotonic() - startMs),
    differences: report.differences,
    differenceCount: report.differenceCount,
    missingCount: report.missingCount,
    differencesOmitted: report.differenceCount - report.differences.length,
    differencesByAttribute: report.differencesByAttribute,
  };
}

/** Says what restore() would do, and writes nothing. @throws as restore() */
export async function planRestore(
  parts: RestoreParts,
  request: RestoreRequest,
  options: RestoreOptions = {},
): Promise<RestorePlan> {
  const report = new RestoreReport(options);
  const { signal } = options;
  const work = await RestoreWork.open(parts, request, { report, signal, isDryRun: true });
  const plan = new PlanTotals();
  await work.attempt(() => work.describe(plan));
  const { filesKept, bytesPresent, differences, differenceCount } = report;
  const found = { filesKept, bytesPresent, differences, differenceCount };
  return { ...placesOf(work.goals), ...plan.totals(), ...found };
}

function placesOf([{ snapshotId, target }, ...further]: readonly OpenGoal[]) {
  return { snapshotId, target, furtherTargets: further.map(goal => goal.target) };
}

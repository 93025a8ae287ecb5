// What a backup is going to do: which snapshots to compare with, by which policy, how to cut and
// compress, what to leave out. Nothing of the source has been read yet.

import type { DirEntry } from '#engine/format/directory.ts';
import type { SnapshotManifest, SnapshotSource } from '#engine/format/snapshot-manifest.ts';
import type { StoredManifest } from '#engine/manifest/manifest-store.ts';
import type { BackupRequest } from './backup.ts';
import {
  errorRulesFor,
  fileCompression,
  metadataCompression,
  partBytes,
  selectionFor,
} from './backup-settings.ts';
import { rootOf, sourceOf } from './backup-source.ts';
import { changesOf } from './changes-note.ts';
import { chooseSplitter, splitterNote } from './chunker.ts';
import { expiredIncomplete, type FoundSnapshot, supersededBy } from './incomplete.ts';
import { findParents } from './parent.ts';
import { policiesFor } from './policies.ts';
import type { BackupParts } from './publish-snapshot.ts';
import { readExcludeRules, shareRules } from './source/git-rules.ts';
import { KnownChanges } from './upload/known-changes.ts';
import type { UploadOptions } from './upload/upload-options.ts';
import type { UploadRun } from './upload/upload-tasks.ts';

export interface BackupPlan {
  readonly upload: Omit<UploadOptions, 'signal'>;
  readonly source: SnapshotSource;
  readonly note: SnapshotManifest['extra'];
  /** What is known beside the parent snapshot. */
  readonly known: KnownChanges | undefined;
  /** The parent and incomplete snapshots that it goes on from. */
  readonly parentIds: readonly string[];
  /** Incomplete snapshots that are not needed when this one is there. */
  readonly superseded: readonly StoredManifest[];
  /** Incomplete snapshots that are not needed when there is a checkpoint. */
  readonly expired: readonly StoredManifest[];
}

/** With the time between checkpoints this bounds what a killed backup reads again. */
const TASK_MS_MAX = 5_000;

let nextRunId = 1;

/** @throws SNAPSHOT_NOT_FOUND, POLICY_INVALID, USAGE, … */
export async function planBackup(
  { contents, manifests }: BackupParts,
  request: BackupRequest,
  startTimeNs: bigint,
  signal: AbortSignal,
): Promise<BackupPlan> {
  const source = sourceOf(request);
  const { policies, effective } = await policiesFor(manifests, source, { signal });
  const { policy } = effective;
  const { parent, resumed, found } = await findParents(manifests, { ...request, source, signal });
  const earlier = [...(parent ? [parent] : []), ...resumed.map(({ snapshot }) => snapshot)];
  const { splitter } = contents.format.config;
  const usual = policy.splitter?.algorithm || splitter;
  const fileSplitter = chooseSplitter(request.chunker ?? 'auto', usual, earlier.at(-1));
  const changes = changesOf(parent);
  const run: UploadRun = {
    runId: nextRunId++,
    root: await rootOf(request.path),
    fileSplitter,
    repositorySplitter: splitter,
    compression: fileCompression(request.compression ?? 'auto', policy),
    metadataCompression: metadataCompression(policy),
    partBytes: partBytes(policy),
    isNativeAllowed: contents.isNativeAllowed,
    errorRules: errorRulesFor(source, effective, policies),
    excludes: shareRules(await readExcludeRules(request)),
    changes: {
      forceHash: request.forceHash ?? false,
      ignoreCtime: request.ignoreCtime ?? false,
      ignoreInode: request.ignoreInode ?? false,
      resumedSinceMs: beginningOf(resumed),
    },
    taskMsMax: TASK_MS_MAX,
    // Of use only to compare with what is known.
    seenSinceMs: changes && request.seenSinceMs,
    stop: new SharedArrayBuffer(4),
  };
  const selection = selectionFor(source, effective, policies, request);
  const previousRoot = parent?.rootEntry;
  const resumedRoots = resumedRootsOf(resumed, previousRoot);
  const { onError = 'warn' } = request;
  return {
    upload: { run, selection, previousRoot, resumedRoots, onError },
    source,
    note: splitterNote(fileSplitter, usual),
    known: changes && new KnownChanges(contents.reader, changes, signal),
    parentIds: earlier.map(({ id }) => id),
    superseded: supersededBy(found, startTimeNs).map(storedManifest),
    expired: expiredIncomplete(found, resumed, startTimeNs).map(storedManifest),
  };
}

/** Undefined when there are none, which is how a directory says that it needs nothing of them. */
function resumedRootsOf(
  resumed: readonly FoundSnapshot[],
  previousRoot: DirEntry | undefined,
): DirEntry[] | undefined {
  const roots = resumed
    .map(({ snapshot }) => snapshot.rootEntry)
    .filter(root => root !== undefined)
    .filter(({ objectId }) => objectId !== previousRoot?.objectId);
  return roots.length === 0 ? undefined : roots;
}

/** In milliseconds since 1970; undefined when there are none. */
function beginningOf([oldest]: readonly FoundSnapshot[]): number | undefined {
  return oldest && Number(oldest.snapshot.startTimeNs / 1_000_000n);
}

function storedManifest({ snapshot, modifiedNs }: FoundSnapshot): StoredManifest {
  return { id: snapshot.id, modifiedNs };
}

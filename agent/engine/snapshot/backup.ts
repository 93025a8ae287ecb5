// A backup from beginning to end: which snapshot to compare with, by which policy, how to cut and
// compress; the upload; and the snapshot manifest, which is published only when everything that it
// needs is durable and indexed.

import { throwIfAborted } from '#engine/base/abort.ts';
import { planBackup } from './backup-plan.ts';
import { BackupProgress, type BackupTotals } from './backup-progress.ts';
import type { CompressionRequest } from './backup-settings.ts';
import { baseName, type SourceKind, sourceKindOf, type SourceRequest } from './backup-source.ts';
import { ALL_BLOCKS, type ChangedBlocks } from './changed-blocks.ts';
import { Checkpoints } from './checkpoints.ts';
import type { Chunker } from './chunker.ts';
import { describeSnapshot } from './describe-snapshot.ts';
import { EarlierDirectories } from './earlier-directories.ts';
import { readChunks, readDirectoryObject } from './earlier-objects.ts';
import { type BackupParts, publishSnapshot } from './publish-snapshot.ts';
import type { ExcludeRequest } from './source/git-rules.ts';
import type { SelectionRequest } from './source/selection.ts';
import { uploadDevice } from './upload/device-root.ts';
import { uploadFileRoot } from './upload/file-root.ts';
import { uploadTree } from './upload/upload.ts';
import type { OnError, UploadedTree, UploadParts } from './upload/upload-options.ts';
import type { SkippedEntry } from './upload/upload-tasks.ts';
import type { IncompleteTree } from './upload/with-checkpoints.ts';
import { TreeReader } from './tree.ts';
import { Upkeep, type UpkeepTarget } from './upkeep.ts';

export interface BackupRequest extends SourceRequest, ExcludeRequest, SelectionRequest {
  readonly description?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly pins?: readonly string[];
  readonly chunker?: Chunker;
  readonly compression?: CompressionRequest;
  /**
   * What an entry that cannot be read means: `warn` stores the rest and names it in the outcome,
   * `fail` stores no snapshot. `warn` by default.
   */
  readonly onError?: OnError;
  /**
   * Snapshot to compare with; `none`; by default the latest complete one of the source, and what
   * backups after it that did not end have left.
   */
  readonly parent?: string;
  /**
   * Where the source has no complete snapshot, the latest one that has all of these tags is the
   * parent, whatever its source; incomplete ones with them count like those of the source.
   */
  readonly relatedTags?: Readonly<Record<string, string>>;
  /**
   * Name of the root entry; by default the last name of `path`. A block device is a directory with
   * one file, which have this name both; by default it is its path.
   */
  readonly rootName?: string;
  /** Reads every file, whatever is known of it. */
  readonly forceHash?: boolean;
  /** Where change times, or inode numbers, are not to be relied on (network, FUSE). */
  readonly ignoreCtime?: boolean;
  readonly ignoreInode?: boolean;
  /**
   * Publishes a checkpoint in place of a snapshot, for the next backup of the source to go on from:
   * incomplete, never pinned, and gone when there is a snapshot or another checkpoint.
   */
  readonly isCheckpoint?: boolean;
  /**
   * The snapshot is of this time or later, in milliseconds since 1970: what a repository that is
   * opened with `lookAhead` has seen since then need not be looked at again. By default it is of
   * the time when the backup begins.
   */
  readonly seenSinceMs?: number;
}

/** `plan`: what to compare with and how; `upload`: walk, reading and packs go side by side. */
export type BackupStage = 'plan' | BackupTotals['phase'];

export interface BackupOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (totals: BackupTotals) => void;
  /** A stage begins, and the one before it has ended. Must not throw. */
  readonly onStage?: (stage: BackupStage) => void;
  /**
   * Called when all is uploaded; when it rejects, nothing is published and the backup rejects so.
   */
  readonly beforePublish?: (stored: StoredTree) => Promise<void>;
  /** What of a block device need not be read; by default it is read from end to end. */
  readonly changedBlocks?: ChangedBlocks;
}

/** What has been uploaded, and what could not be. */
export interface StoredTree {
  readonly rootObjectId: string;
  readonly files: number;
  readonly symlinks: number;
  readonly directories: number;
  readonly bytes: number;
  /** Bytes of files that were read. */
  readonly bytesRead: number;
  /** Bytes of files that are as in earlier snapshots, and were not read. */
  readonly bytesTakenOver: number;
  /** What is missing from the snapshot or was changed under our eyes; the first 10,000. */
  readonly skipped: readonly SkippedEntry[];
  /** How many there are in all. */
  readonly skippedCount: number;
  /** Those of them that could not be read. */
  readonly failedCount: number;
  /** Those that could not be read and that a policy wants passed over. */
  readonly ignoredErrorCount: number;
  /** Directories among both of them, each with all that is in it. */
  readonly failedDirectoryCount: number;
}

export interface BackupOutcome extends StoredTree {
  readonly snapshotId: string;
  /** Sealed bytes of new contents, those of other backups of the repository meanwhile included. */
  readonly bytesUploaded: number;
  readonly contentsNew: number;
  readonly contentsReused: number;
  readonly durationMs: number;
  /** Snapshots that it was compared with, incomplete ones last. */
  readonly parentIds: readonly string[];
}

/**
 * Stores a snapshot. When it resolves, the snapshot is durable and others can see it; when it
 * rejects, no snapshot was published, unless the storage failed after it had taken the index: then
 * the snapshot is there and whole.
 * @throws SOURCE_NOT_FOUND, SOURCE_UNREADABLE when the source itself cannot be read
 * @throws SOURCE_INCOMPLETE when an entry could not be stored and none may be missing
 * @throws SNAPSHOT_NOT_FOUND, POLICY_INVALID, STORAGE_FULL, ABORTED, …
 */
export async function backup(
  parts: BackupParts,
  request: BackupRequest,
  { signal = new AbortController().signal, ...options }: BackupOptions = {},
): Promise<BackupOutcome> {
  throwIfAborted(signal);
  // Refused now, before anything is read.
  const { writing } = parts.contents;
  return await writing.attempt(signal, () => store(parts, request, { ...options, signal }));
}

async function store(
  parts: BackupParts,
  request: BackupRequest,
  {
    signal,
    onProgress,
    onStage,
    beforePublish,
    changedBlocks = ALL_BLOCKS,
  }: BackupOptions & { readonly signal: AbortSignal },
): Promise<BackupOutcome> {
  const { contents } = parts;
  onStage?.('plan');
  await contents.writing.keepUp(signal);
  const { seenSinceMs } = request;
  const startTimeNs =
    seenSinceMs === undefined
      ? contents.clock.nowNanoseconds()
      : BigInt(Math.floor(seenSinceMs)) * 1_000_000n;
  const kind = await sourceKindOf(request.path);
  const plan = await planBackup(parts, request, startTimeNs, signal);
  const rootName = request.rootName ?? rootNameOf(request.path, kind, plan.upload.run.root);
  const describe = (tree: IncompleteTree | UploadedTree, incomplete: string) =>
    describeSnapshot(tree, {
      source: plan.source,
      description: request.description ?? '',
      tags: request.tags ?? {},
      // Nothing may keep an incomplete one.
      pins: incomplete === '' ? (request.pins ?? []) : [],
      startTimeNs,
      endTimeNs: contents.clock.nowNanoseconds(),
      incomplete,
      extra: plan.note,
      rootName,
      isDirectory: kind !== 'file',
    });
  using progress = new BackupProgress(contents.control, contents.clock, onProgress);
  const checkpoints = new Checkpoints(parts, { signal, describe, expired: plan.expired });
  const earlier = new EarlierDirectories(contents.reader, signal);
  const uploadParts: UploadParts = {
    runner: contents.pool,
    known: plan.known,
    isStored: objectId => earlier.has(objectId),
    readPrevious: objectId => earlier.read(objectId),
    forgetPrevious: objectId => earlier.forgetDamaged(objectId),
    announcePrevious: objectIds => earlier.announce(objectIds),
    readChunks: resumed => readChunks(contents.reader, resumed, signal),
    checkpoints,
    afterTask: () => contents.writing.keepUp(signal),
    onTotals: (totals, unfinishedBytes) => progress.follow(totals, unfinishedBytes),
  };
  const upload = UPLOADS[kind];
  onStage?.('upload');
  const uploaded = await withUpkeep(contents.writing, signal, uploadSignal =>
    upload(uploadParts, {
      ...plan.upload,
      rootName,
      startTimeNs,
      parentId: plan.upload.previousRoot && plan.parentIds[0],
      changedBlocks,
      readDirectory: id => readDirectoryObject(new TreeReader(contents.reader), id, signal),
      signal: uploadSignal,
    }),
  );
  const stored = storedTree(uploaded);
  await beforePublish?.(stored);
  throwIfAborted(signal);
  progress.phase = 'publish';
  onStage?.('publish');
  const { parentIds, superseded } = plan;
  const { current } = checkpoints;
  // What is known beside a tree is looked for beside complete snapshots alone (adr/0011).
  const manifest = request.isCheckpoint
    ? describe({ ...uploaded, changes: undefined }, 'checkpoint')
    : describe(uploaded, '');
  const snapshotId = await publishSnapshot(parts, manifest, [
    ...superseded,
    ...(current ? [current] : []),
  ]);
  return { snapshotId, ...stored, ...countsOf(progress.totals()), parentIds };
}

type Upload = (
  parts: UploadParts,
  options: Parameters<typeof uploadDevice>[1],
) => Promise<UploadedTree>;

const UPLOADS: Readonly<Record<SourceKind, Upload>> = Object.freeze({
  directory: uploadTree,
  file: uploadFileRoot,
  device: uploadDevice,
});

/** A device goes by its whole path, as with Velero (pkg/uploader/kopia/block_backup.go). */
function rootNameOf(path: string, kind: SourceKind, root: Uint8Array): string {
  return kind === 'device' ? Buffer.from(root).toString() : baseName(path);
}

function storedTree({ root, totals }: UploadedTree): StoredTree {
  const { files, symlinks, directories, bytes } = root.summary;
  const { skipped, skippedCount, failedCount, ignoredErrorCount, failedDirectoryCount } = totals;
  const { readBytes: bytesRead, cachedBytes: bytesTakenOver } = totals;
  const rootObjectId = root.objectId;
  const tree = { rootObjectId, files, symlinks, directories, bytes, bytesRead, bytesTakenOver };
  const missing = { failedCount, ignoredErrorCount, failedDirectoryCount };
  return { ...tree, skipped, skippedCount, ...missing };
}

function countsOf(totals: BackupTotals) {
  const { bytesUploaded, contentsNew, contentsReused, durationMs } = totals;
  return { bytesUploaded, contentsNew, contentsReused, durationMs };
}

/** Runs `upload` with flushes in time; a flush that fails ends it. */
async function withUpkeep<Result>(
  writing: UpkeepTarget,
  signal: AbortSignal,
  upload: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const failure = new AbortController();
  using _upkeep = new Upkeep(writing, error => failure.abort(error));
  return await upload(AbortSignal.any([signal, failure.signal]));
}

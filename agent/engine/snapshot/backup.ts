// A backup from beginning to end: which snapshot to compare with, by which policy, how to cut and
// compress; the upload; and the snapshot manifest, which is published only when everything that it
// needs is durable and indexed.

import { throwIfAborted } from '#engine/base/abort.ts';
import { isEngineError } from '#engine/base/errors.ts';
import type { OpenContents } from '#engine/content/open-contents.ts';
import type { DirEntry } from '#engine/format/directory.ts';
import { encodeExtras } from '#engine/format/entry-extras.ts';
import { resolvePolicy } from '#engine/format/policy-merge.ts';
import {
  encodeSnapshotManifest,
  type SnapshotManifest,
  snapshotLabels,
  type SnapshotSource,
} from '#engine/format/snapshot-manifest.ts';
import type { ManifestStore } from '#engine/manifest/manifest-store.ts';
import { BackupProgress, type BackupTotals } from './backup-progress.ts';
import {
  type CompressionRequest,
  errorRulesFor,
  fileCompression,
  metadataCompression,
  partBytes,
  selectionFor,
} from './backup-settings.ts';
import {
  baseName,
  isDirectorySource,
  rootOf,
  sourceOf,
  type SourceRequest,
} from './backup-source.ts';
import { changesOf, withChanges } from './changes-note.ts';
import { chooseSplitter, type Chunker, splitterNote } from './chunker.ts';
import { findParent } from './parent.ts';
import { loadPolicies } from './policies.ts';
import { type ExcludeRequest, readExcludeRules, shareRules } from './source/git-rules.ts';
import type { SelectionRequest } from './source/selection.ts';
import { uploadFileRoot } from './upload/file-root.ts';
import { KnownChanges } from './upload/known-changes.ts';
import type { TotalsBuilder } from './upload/part-totals.ts';
import { TreeReader } from './tree.ts';
import { type OnError, uploadTree, type UploadOptions, type UploadParts } from './upload/upload.ts';
import type { SkippedEntry, UploadRun } from './upload/upload-tasks.ts';
import { Upkeep, type UpkeepTarget } from './upkeep.ts';
import type { EngineTasks } from './worker.ts';

export interface BackupParts {
  readonly contents: OpenContents<EngineTasks>;
  readonly manifests: ManifestStore;
}

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
  /** Snapshot to compare with; `none`; by default the latest complete one of the source. */
  readonly parent?: string;
  /** Reads every file, whatever is known of it. */
  readonly forceHash?: boolean;
  /** Where change times, or inode numbers, are not to be relied on (network, FUSE). */
  readonly ignoreCtime?: boolean;
  readonly ignoreInode?: boolean;
}

export interface BackupOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (totals: BackupTotals) => void;
}

export interface BackupOutcome {
  readonly snapshotId: string;
  readonly rootObjectId: string;
  readonly files: number;
  readonly directories: number;
  readonly bytes: number;
  /** Sealed bytes of new contents. */
  readonly bytesUploaded: number;
  readonly contentsNew: number;
  readonly contentsReused: number;
  readonly durationMs: number;
  /** What is missing from the snapshot or was changed under our eyes; the first 10,000. */
  readonly skipped: readonly SkippedEntry[];
  /** How many there are in all. */
  readonly skippedCount: number;
  /** Those of them that could not be read. */
  readonly failedCount: number;
  /** Those that could not be read and that a policy wants passed over. */
  readonly ignoredErrorCount: number;
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
  { signal = new AbortController().signal, onProgress }: BackupOptions = {},
): Promise<BackupOutcome> {
  throwIfAborted(signal);
  // Refused now, before anything is read.
  const { writing } = parts.contents;
  return await writing.attempt(signal, () => store(parts, request, { signal, onProgress }));
}

async function store(
  parts: BackupParts,
  request: BackupRequest,
  { signal, onProgress }: BackupOptions & { readonly signal: AbortSignal },
): Promise<BackupOutcome> {
  const { contents } = parts;
  const { writing } = contents;
  await writing.keepUp(signal);
  const startTimeNs = contents.clock.nowNanoseconds();
  const source = sourceOf(request);
  const isDirectory = await isDirectorySource(request.path);
  const plan = await planBackup(parts, request, source, signal);
  using progress = new BackupProgress(contents.control, contents.clock, onProgress);
  const previous = new TreeReader(contents.reader);
  const uploadParts: UploadParts = {
    runner: contents.pool,
    known: plan.known,
    readPrevious: objectId => readDirectoryObject(previous, objectId, signal),
    announcePrevious: objectIds => previous.announce(objectIds, { signal }),
    afterTask: () => writing.keepUp(signal),
  };
  const upload = isDirectory ? uploadTree : uploadFileRoot;
  const { root, metadata, totals, changes } = await withUpkeep(writing, signal, uploadSignal =>
    upload(uploadParts, { ...plan, signal: uploadSignal }),
  );
  const { mtimeSeconds, mtimeNanoseconds, mode, uid, gid } = metadata;
  const rootEntry: DirEntry = {
    name: baseName(request.path),
    type: isDirectory ? 'd' : 'f',
    mode,
    bytes: isDirectory ? 0 : root.summary.bytes,
    mtimeSeconds,
    mtimeNanoseconds,
    uid,
    gid,
    objectId: root.objectId,
    summary: root.summary,
    extra: metadata.extras && encodeExtras(metadata.extras),
  };
  const manifest: SnapshotManifest = {
    id: '',
    source,
    description: request.description ?? '',
    startTimeNs,
    endTimeNs: contents.clock.nowNanoseconds(),
    stats: statsOf(totals, root.summary),
    incomplete: '',
    rootEntry,
    tags: request.tags ?? {},
    pins: request.pins ?? [],
    extra: withChanges(plan.note, changes),
  };
  throwIfAborted(signal);
  progress.phase = 'publish';
  const snapshotId = await publish(parts, manifest);
  const { contentsNew, contentsReused, bytesUploaded, durationMs } = progress.totals();
  const { files, directories, bytes } = root.summary;
  return {
    snapshotId,
    rootObjectId: root.objectId,
    files,
    directories,
    bytes,
    bytesUploaded,
    contentsNew,
    contentsReused,
    durationMs,
    skipped: totals.skipped,
    skippedCount: totals.skippedCount,
    failedCount: totals.failedCount,
    ignoredErrorCount: totals.ignoredErrorCount,
  };
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

/** Takes no signal: once the manifest is in a pack, whoever flushes next publishes it. */
async function publish(
  { contents, manifests }: BackupParts,
  manifest: SnapshotManifest,
): Promise<string> {
  const id = manifests.put(snapshotLabels(manifest), encodeSnapshotManifest(manifest));
  try {
    await manifests.flush();
    await contents.writing.flush();
  } catch (error) {
    manifests.withdraw(id);
    throw error;
  }
  return id;
}

type BackupPlan = Omit<UploadOptions, 'signal'> & {
  readonly note: SnapshotManifest['extra'];
  readonly known: KnownChanges | undefined;
};

let nextRunId = 1;

async function planBackup(
  { contents, manifests }: BackupParts,
  request: BackupRequest,
  source: SnapshotSource,
  signal: AbortSignal,
): Promise<BackupPlan> {
  const policies = await loadPolicies(manifests, { signal });
  const effective = resolvePolicy(source, policies);
  const { policy } = effective;
  const parent = await findParent(manifests, { source, parent: request.parent, signal });
  const { splitter } = contents.format.config;
  const usual = policy.splitter?.algorithm || splitter;
  const fileSplitter = chooseSplitter(request.chunker ?? 'auto', usual, parent);
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
    },
    stop: new SharedArrayBuffer(4),
  };
  const selection = selectionFor(source, effective, policies, request);
  const note = splitterNote(fileSplitter, usual);
  const changes = changesOf(parent);
  const known = changes && new KnownChanges(contents.reader, changes, signal);
  const { onError = 'warn' } = request;
  return { run, selection, previousRoot: parent?.rootEntry, onError, note, known };
}

/**
 * A directory object of the parent snapshot. One that cannot be read is as good as none: its files
 * are read again, which is what heals the repository.
 */
async function readDirectoryObject(
  reader: TreeReader,
  objectId: string,
  signal: AbortSignal,
): Promise<{ objectId: string; bytes: Uint8Array } | undefined> {
  try {
    return { objectId, bytes: await reader.readDirectoryBytes(objectId, { signal }) };
  } catch (error) {
    if (isEngineError(error, ...UNREADABLE)) return undefined;
    throw error;
  }
}

const UNREADABLE = [
  'CONTENT_NOT_FOUND',
  'CONTENT_DAMAGED',
  'PACK_MISSING',
  'PACK_DAMAGED',
  'OBJECT_DAMAGED',
  'OBJECT_ID_INVALID',
  'LIMIT_EXCEEDED',
] as const;

function statsOf(totals: TotalsBuilder, summary: DirEntry['summary']): SnapshotManifest['stats'] {
  return {
    totalBytes: totals.readBytes + totals.cachedBytes,
    excludedTotalBytes: totals.excludedBytes,
    fileCount: totals.readFiles,
    cachedFileCount: totals.cachedCount,
    nonCachedFileCount: totals.readFiles,
    directoryCount: summary?.directories ?? 0,
    excludedFileCount: totals.excludedFiles,
    excludedDirectoryCount: totals.excludedDirectories,
    ignoredErrorCount: summary?.ignoredErrorCount ?? 0,
    errorCount: summary?.failedCount ?? 0,
  };
}

// The manifest of a snapshot, complete or not, from what an upload has made.

import type { DirEntry } from '#engine/format/directory.ts';
import { encodeExtras } from '#engine/format/entry-extras.ts';
import type { SnapshotManifest, SnapshotSource } from '#engine/format/snapshot-manifest.ts';
import { withChanges } from './changes-note.ts';
import type { TotalsBuilder } from './upload/part-totals.ts';
import type { UploadedTree } from './upload/upload-options.ts';
import type { IncompleteTree } from './upload/with-checkpoints.ts';

export interface SnapshotDescription {
  readonly source: SnapshotSource;
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly pins: readonly string[];
  readonly startTimeNs: bigint;
  readonly endTimeNs: bigint;
  /** '' when it is complete. */
  readonly incomplete: string;
  readonly extra: SnapshotManifest['extra'];
  readonly rootName: string;
  readonly isDirectory: boolean;
}

export function describeSnapshot(
  {
    root,
    metadata,
    totals,
    entry,
    changes,
  }: IncompleteTree & Partial<Pick<UploadedTree, 'changes'>>,
  { rootName, isDirectory, extra, ...manifest }: SnapshotDescription,
): SnapshotManifest {
  const { summary } = root;
  const { mtimeSeconds, mtimeNanoseconds, mode, uid, gid, extras } = metadata;
  const rootEntry: DirEntry = {
    name: rootName,
    type: isDirectory ? 'd' : 'f',
    mode,
    bytes: isDirectory ? 0 : summary.bytes,
    mtimeSeconds,
    mtimeNanoseconds,
    uid,
    gid,
    objectId: root.objectId,
    extra: extras && encodeExtras(extras),
    ...entry,
    summary,
  };
  const stats = statsOf(totals, summary);
  const more = { stats, rootEntry, extra: withChanges(extra, changes) };
  return { id: '', ...manifest, ...more };
}

function statsOf(totals: TotalsBuilder, summary: DirEntry['summary']): SnapshotManifest['stats'] {
  return {
    totalBytes: totals.readBytes + totals.linkedBytes + totals.cachedBytes,
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

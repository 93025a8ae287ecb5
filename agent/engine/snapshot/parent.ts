// The snapshots that a backup is compared with: the parent, and what runs after it that did not end
// have left.

import type { SnapshotManifest, SnapshotSource } from '#engine/format/snapshot-manifest.ts';
import { decodeSnapshotManifest, sourceLabels } from '#engine/format/snapshot-manifest.ts';
import type { ManifestReader } from '#engine/manifest/manifest-store.ts';
import { isEngineError } from '#engine/base/errors.ts';
import { type FoundSnapshot, resumedSnapshots } from './incomplete.ts';
import { resolveSnapshot } from './snapshots.ts';

export interface ParentRequest {
  readonly source: SnapshotSource;
  /**
   * A snapshot id or a unique prefix; `none`; when absent the latest complete one of the source,
   * and incomplete ones that are newer.
   */
  readonly parent?: string;
  readonly signal?: AbortSignal;
}

export interface Parents {
  readonly parent: SnapshotManifest | undefined;
  /** Incomplete ones to go on from, oldest first. */
  readonly resumed: readonly FoundSnapshot[];
  /** All snapshots of the source that can be read. */
  readonly found: readonly FoundSnapshot[];
}

/**
 * @throws SNAPSHOT_NOT_FOUND, SNAPSHOT_AMBIGUOUS when one was named and is not there
 */
export async function findParents(
  manifests: ManifestReader,
  { source, parent, signal }: ParentRequest,
): Promise<Parents> {
  const found: FoundSnapshot[] = [];
  for (const { id, data, modifiedNs } of await manifests.find(sourceLabels(source), { signal })) {
    const snapshot = decodeOrSkip(data, id);
    if (snapshot !== undefined) found.push({ snapshot, modifiedNs });
  }
  if (parent === 'none') return { parent: undefined, resumed: [], found };
  if (parent !== undefined) {
    const named = await resolveSnapshot(manifests, parent, {}, { signal });
    return { parent: named, resumed: [], found };
  }
  const latest = latestComplete(found);
  return { parent: latest, resumed: resumedSnapshots(found, latest), found };
}

function latestComplete(found: readonly FoundSnapshot[]): SnapshotManifest | undefined {
  let latest: SnapshotManifest | undefined;
  for (const { snapshot } of found) {
    if (snapshot.incomplete !== '') continue;
    if (latest === undefined || snapshot.startTimeNs > latest.startTimeNs) latest = snapshot;
  }
  return latest;
}

/** A damaged snapshot is no parent; listing snapshots reports it, a backup must not stop at it. */
function decodeOrSkip(data: string, id: string): SnapshotManifest | undefined {
  try {
    return decodeSnapshotManifest(data, id);
  } catch (error) {
    if (isEngineError(error, 'SNAPSHOT_DAMAGED')) return undefined;
    throw error;
  }
}

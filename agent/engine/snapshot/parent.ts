// The snapshot that a backup is compared with.

import type { SnapshotManifest, SnapshotSource } from '#engine/format/snapshot-manifest.ts';
import { decodeSnapshotManifest, sourceLabels } from '#engine/format/snapshot-manifest.ts';
import type { ManifestReader } from '#engine/manifest/manifest-store.ts';
import { isEngineError } from '#engine/base/errors.ts';
import { resolveSnapshot } from './snapshots.ts';

export interface ParentRequest {
  readonly source: SnapshotSource;
  /**
   * A snapshot id or a unique prefix; `none`; the latest complete one of the source when absent.
   */
  readonly parent?: string;
  readonly signal?: AbortSignal;
}

/**
 * @throws SNAPSHOT_NOT_FOUND, SNAPSHOT_AMBIGUOUS when one was named and is not there
 */
export async function findParent(
  manifests: ManifestReader,
  { source, parent, signal }: ParentRequest,
): Promise<SnapshotManifest | undefined> {
  if (parent === 'none') return undefined;
  if (parent !== undefined) return resolveSnapshot(manifests, parent, {}, { signal });
  const found = await manifests.find(sourceLabels(source), { signal });
  let latest: SnapshotManifest | undefined;
  for (const { id, data } of found) {
    const manifest = decodeOrSkip(data, id);
    if (manifest === undefined || manifest.incomplete !== '') continue;
    if (latest === undefined || manifest.startTimeNs > latest.startTimeNs) latest = manifest;
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

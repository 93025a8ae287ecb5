// The snapshots that a backup is compared with: the parent, and what runs after it that did not end
// have left.

import type { SnapshotManifest, SnapshotSource } from '#engine/format/snapshot-manifest.ts';
import {
  decodeSnapshotManifest,
  SNAPSHOT_TYPE,
  sourceLabels,
} from '#engine/format/snapshot-manifest.ts';
import { type Labels, TYPE_LABEL } from '#engine/format/manifest.ts';
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
  /** Tags of snapshots that count besides, as in BackupRequest. */
  readonly relatedTags?: Labels;
  readonly signal?: AbortSignal;
}

export interface Parents {
  readonly parent: SnapshotManifest | undefined;
  /** Incomplete ones to go on from, oldest first. */
  readonly resumed: readonly FoundSnapshot[];
  /** All snapshots of the source that can be read, and incomplete ones that are related. */
  readonly found: readonly FoundSnapshot[];
}

/**
 * @throws SNAPSHOT_NOT_FOUND, SNAPSHOT_AMBIGUOUS when one was named and is not there
 */
export async function findParents(
  manifests: ManifestReader,
  { source, parent, relatedTags, signal }: ParentRequest,
): Promise<Parents> {
  const own = await findSnapshots(manifests, sourceLabels(source), signal);
  const others = relatedTags
    ? await findRelated(manifests, { ...relatedTags, [TYPE_LABEL]: SNAPSHOT_TYPE }, own, signal)
    : [];
  const found = [...own, ...others.filter(({ snapshot }) => snapshot.incomplete !== '')];
  if (parent === 'none') return { parent: undefined, resumed: [], found };
  if (parent !== undefined) {
    const named = await resolveSnapshot(manifests, parent, {}, { signal });
    return { parent: named, resumed: [], found };
  }
  const latest = latestComplete(own) ?? latestComplete(others);
  return { parent: latest, resumed: resumedSnapshots(found, latest), found };
}

async function findSnapshots(
  manifests: ManifestReader,
  labels: Labels,
  signal: AbortSignal | undefined,
): Promise<FoundSnapshot[]> {
  const found: FoundSnapshot[] = [];
  for (const { id, data, modifiedNs } of await manifests.find(labels, { signal })) {
    const snapshot = decodeOrSkip(data, id);
    if (snapshot !== undefined) found.push({ snapshot, modifiedNs });
  }
  return found;
}

async function findRelated(
  manifests: ManifestReader,
  labels: Labels,
  own: readonly FoundSnapshot[],
  signal: AbortSignal | undefined,
): Promise<FoundSnapshot[]> {
  const ownIds = new Set(own.map(({ snapshot }) => snapshot.id));
  const all = await findSnapshots(manifests, labels, signal);
  return all.filter(({ snapshot }) => !ownIds.has(snapshot.id));
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

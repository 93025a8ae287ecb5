// Publishes a snapshot and takes others out of the list, both at once: one content holds the
// manifest and the deletions, and one index blob makes it and what the snapshot needs visible.

import type { OpenContents } from '#engine/content/open-contents.ts';
import {
  encodeSnapshotManifest,
  type SnapshotManifest,
  snapshotLabels,
} from '#engine/format/snapshot-manifest.ts';
import type { ManifestStore, StoredManifest } from '#engine/manifest/manifest-store.ts';
import type { EngineTasks } from './worker.ts';

export interface BackupParts {
  readonly contents: OpenContents<EngineTasks>;
  readonly manifests: ManifestStore;
}

/**
 * Durable on return. Takes no signal: once the manifest is in a pack, whoever flushes next
 * publishes it.
 * @param superseded manifests that are there no more when the snapshot is
 * @returns the id
 */
export async function publishSnapshot(
  { contents, manifests }: BackupParts,
  manifest: SnapshotManifest,
  superseded: Iterable<StoredManifest> = [],
): Promise<string> {
  const id = manifests.put(snapshotLabels(manifest), encodeSnapshotManifest(manifest));
  const undo = [...superseded].map(each => manifests.drop(each));
  try {
    await manifests.flush();
    await contents.writing.flush();
  } catch (error) {
    manifests.withdraw(id);
    for (const takeBack of undo) takeBack();
    throw error;
  }
  return id;
}

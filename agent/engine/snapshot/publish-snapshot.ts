// Publishes a snapshot: one index blob makes its manifest and what it needs visible.

import type { OpenContents } from '#engine/content/open-contents.ts';
import {
  encodeSnapshotManifest,
  type SnapshotManifest,
  snapshotLabels,
} from '#engine/format/snapshot-manifest.ts';
import type { ManifestStore } from '#engine/manifest/manifest-store.ts';
import type { EngineTasks } from './worker.ts';

export interface BackupParts {
  readonly contents: OpenContents<EngineTasks>;
  readonly manifests: ManifestStore;
}

/**
 * Durable on return. Takes no signal: once the manifest is in a pack, whoever flushes next
 * publishes it.
 * @returns the id
 */
export async function publishSnapshot(
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

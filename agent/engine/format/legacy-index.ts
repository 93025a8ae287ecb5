// Which index blobs make up the index of a repository without epochs: format version 1 (kopia
// repo/content/indexblob/index_blob_manager_v0.go). All n blobs count, except those that an m blob
// says were merged into others that exist.

import { documentText, failing, JsonFields, type Fail } from './json-fields.ts';
import { POISON_BLOB_ID } from './blob-names.ts';
import type { ListedBlob } from './epochs.ts';

/** What an m blob says. */
export interface CompactionLog {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/**
 * @param blobId for messages
 * @throws INDEX_DAMAGED
 */
export function decodeCompactionLog(bytes: Uint8Array, blobId: string): CompactionLog {
  const advice = 'the index cannot be trusted without it; restore the blob from a copy';
  const fail = failing('INDEX_DAMAGED', `compaction log ${blobId}`, advice);
  const fields = JsonFields.parse(documentText(bytes), fail);
  const inputs = blobIds(fields.list('inputMetadata'), fail);
  return { inputs, outputs: blobIds(fields.list('outputMetadata'), fail) };
}

/** The blobs whose entries, merged, are the index. */
export function selectLegacyIndexBlobs<Blob extends ListedBlob>(
  indexBlobs: readonly Blob[],
  logs: readonly CompactionLog[],
): Blob[] {
  const existing = new Set(indexBlobs.map(blob => blob.id));
  // A log whose outputs are not all there yet (or any more) replaces nothing.
  const effective = logs.filter(log => log.outputs.every(id => existing.has(id)));
  const replaced = new Set(effective.flatMap(log => log.inputs));
  return indexBlobs.filter(({ id }) => id !== POISON_BLOB_ID && !replaced.has(id));
}

function blobIds(list: readonly unknown[], fail: Fail): string[] {
  return list.map(value => {
    const id = new JsonFields(value, fail).text('id');
    if (id === '') throw fail('a blob in it has no id');
    return id;
  });
}

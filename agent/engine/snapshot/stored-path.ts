// What a person names as `ID[:/path]`: finding it, listing it, reading it.

import { EngineError } from '#engine/base/errors.ts';
import type { ContentSource } from '#engine/content/content-source.ts';
import type { DirEntry } from '#engine/format/directory.ts';
import { rootOf, type SnapshotManifest } from '#engine/format/snapshot-manifest.ts';
import type { ManifestReader } from '#engine/manifest/manifest-store.ts';
import { openObject, type ReadOptions, type StreamOptions } from '#engine/object/object-reader.ts';
import { resolveSnapshot, splitSnapshotPath } from './snapshots.ts';
import { lookUpPath, typeOf, walkTree, type TreeEntry } from './tree.ts';

/** The reading side of a repository. */
export interface SnapshotStore {
  readonly contents: ContentSource;
  readonly manifests: ManifestReader;
}

export interface StoredPath {
  readonly snapshot: SnapshotManifest;
  readonly entry: DirEntry;
}

/**
 * Finds `ID`, the beginning of one, or `latest`, each with `:/path` behind it or not.
 * @throws SNAPSHOT_NOT_FOUND, SNAPSHOT_AMBIGUOUS, SNAPSHOT_DAMAGED, SNAPSHOT_PATH_NOT_FOUND, and
 *   what reading directories throws
 */
export async function findStoredPath(
  { contents, manifests }: SnapshotStore,
  text: string,
  options: ReadOptions = {},
): Promise<StoredPath> {
  const { reference, path } = splitSnapshotPath(text);
  const snapshot = await resolveSnapshot(manifests, reference, {}, options);
  return { snapshot, entry: await lookUpPath(contents, rootOf(snapshot), path, options) };
}

/**
 * The entries beneath a stored path, each directory before what it holds; paths begin there.
 * @throws as findStoredPath and walkTree
 */
export async function* listTree(
  store: SnapshotStore,
  path: string,
  { isRecursive = false }: { readonly isRecursive?: boolean } = {},
  { signal }: ReadOptions = {},
): AsyncIterable<TreeEntry> {
  const { entry } = await findStoredPath(store, path, { signal });
  yield* walkTree(store.contents, entry, { isRecursive, signal });
}

/**
 * The bytes of a stored file.
 * @throws SNAPSHOT_PATH_NOT_FOUND when it is no file, OBJECT_DAMAGED, and as findStoredPath
 */
export async function* readFile(
  store: SnapshotStore,
  path: string,
  options: StreamOptions = {},
): AsyncIterable<Uint8Array> {
  const { signal } = options;
  const { entry } = await findStoredPath(store, path, { signal });
  if (entry.type !== 'f') {
    const text = `reading ${JSON.stringify(path)} was refused: it is a ${typeOf(entry)}`;
    throw new EngineError('SNAPSHOT_PATH_NOT_FOUND', `${text} and not a file`);
  }
  const reader = await openObject(store.contents, entry.objectId, { signal });
  if (reader.bytes !== entry.bytes) throw wrongLength(path, entry, reader.bytes);
  yield* reader.stream(options);
}

/** Stock kopia pads or grows such files silently (kopia-format.md 14.4). */
export function wrongLength(
  path: string,
  entry: Pick<DirEntry, 'bytes' | 'objectId'>,
  bytes: number,
): EngineError {
  const text = `file ${JSON.stringify(path)} has ${bytes} bytes in the repository`;
  const { objectId } = entry;
  const options = { details: { objectId } };
  return new EngineError('OBJECT_DAMAGED', `${text} instead of ${entry.bytes}`, options);
}

// What a snapshot holds beyond kopia's fields, by path.

import { decodeDirectory } from '#engine/format/directory-decode.ts';
import type { DirEntry } from '#engine/format/directory.ts';
import {
  decodeDirectoryExtras,
  decodeExtras,
  type DirectoryExtras,
  type EntryExtras,
} from '#engine/format/entry-extras.ts';
import { rootOf } from '#engine/format/snapshot-manifest.ts';
import { openObject } from '#engine/object/object-reader.ts';
import type { Repository } from '#engine/repository.ts';
import { resolveSnapshot } from '#engine/snapshot/snapshots.ts';

export interface StoredEntry {
  readonly entry: DirEntry;
  readonly extras: EntryExtras | undefined;
  /** Of directories, from their own objects. */
  readonly directory: DirectoryExtras | undefined;
}

const fail = (problem: string): never => {
  throw new Error(problem);
};

/** Every entry by its path below the root, which is ''. */
export async function storedEntries(
  { contents, manifests }: Repository,
  snapshotId: string,
): Promise<Map<string, StoredEntry>> {
  const found = new Map<string, StoredEntry>();
  const add = async (path: string, entry: DirEntry): Promise<void> => {
    const extras = decodeExtras(entry.extra, fail);
    if (entry.type !== 'd') {
      found.set(path, { entry, extras, directory: undefined });
      return;
    }
    const object = await openObject(contents, entry.objectId);
    const { entries, extra } = decodeDirectory(await object.read(0, object.bytes));
    found.set(path, { entry, extras, directory: decodeDirectoryExtras(extra, fail) });
    for (const child of entries) {
      const bytes = decodeExtras(child.extra, fail)?.nameBytes;
      const name = bytes === undefined ? child.name : Buffer.from(bytes).toString('hex');
      await add(path === '' ? name : `${path}/${name}`, child);
    }
  };
  await add('', rootOf(await resolveSnapshot(manifests, snapshotId, {})));
  return found;
}

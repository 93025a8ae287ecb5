// What changed between two stored trees. Subtrees that are the same object are not opened, so the
// cost is that of what changed. Content is compared by object id: the same bytes cut by another
// splitter count as changed, since telling would mean reading them.

import { throwIfAborted } from '#engine/base/abort.ts';
import type { DirEntry } from '#engine/format/directory.ts';
import { compareUtf8 } from '#engine/format/go-name.ts';
import type { ReadOptions } from '#engine/object/object-reader.ts';
import { findStoredPath, type SnapshotStore } from './stored-path.ts';
import { idsFrom, joinPath, mtimeOf, tooDeep, TREE_DEPTH_MAX, TreeReader } from './tree.ts';

export type ChangedAttribute = 'type' | 'mode' | 'uid' | 'gid' | 'size' | 'mtime' | 'content';

export interface TreeDifference {
  /** From the roots of the comparison, which are ''. */
  readonly path: string;
  readonly kind: 'added' | 'removed' | 'changed';
  /** What differs; empty when added or removed. */
  readonly attributes: readonly ChangedAttribute[];
}

/** One name with what each side has under it. */
interface Pair {
  readonly path: string;
  readonly before: DirEntry | undefined;
  readonly after: DirEntry | undefined;
}

/**
 * The differences between two stored paths `ID[:/path]`, in the order of names, each directory
 * before what it holds. Everything below an added or removed directory is listed.
 * @throws SNAPSHOT_NOT_FOUND, SNAPSHOT_PATH_NOT_FOUND, and what reading directories throws
 */
export async function* diffSnapshots(
  store: SnapshotStore,
  beforePath: string,
  afterPath: string,
  { signal }: ReadOptions = {},
): AsyncIterable<TreeDifference> {
  const before = (await findStoredPath(store, beforePath, { signal })).entry;
  const after = (await findStoredPath(store, afterPath, { signal })).entry;
  const readers = [new TreeReader(store.contents), new TreeReader(store.contents)] as const;
  const open: { pairs: readonly Pair[]; next: number }[] = [
    { pairs: [{ path: '', before, after }], next: 0 },
  ];
  while (open.length > 0) {
    throwIfAborted(signal);
    const level = open[open.length - 1];
    if (level.next === level.pairs.length) {
      open.pop();
      continue;
    }
    const pair = level.pairs[level.next++];
    const difference = compare(pair);
    if (difference) yield difference;
    if (!mustOpen(pair)) continue;
    if (open.length > TREE_DEPTH_MAX) throw tooDeep();
    await announce(readers, level, { signal });
    open.push({ pairs: await pairsBelow(readers, pair, { signal }), next: 0 });
  }
}

function compare({ path, before, after }: Pair): TreeDifference | undefined {
  if (!before) return { path, kind: 'added', attributes: [] };
  if (!after) return { path, kind: 'removed', attributes: [] };
  const attributes = changedAttributes(before, after);
  return attributes.length === 0 ? undefined : { path, kind: 'changed', attributes };
}

function changedAttributes(before: DirEntry, after: DirEntry): ChangedAttribute[] {
  const isDirectory = before.type === 'd' && after.type === 'd';
  const changes: Record<ChangedAttribute, boolean> = {
    type: before.type !== after.type,
    mode: before.mode !== after.mode,
    uid: before.uid !== after.uid,
    gid: before.gid !== after.gid,
    size: !isDirectory && before.bytes !== after.bytes,
    mtime: mtimeOf(before) !== mtimeOf(after),
    // A directory changes with everything in it, and that is listed by itself.
    content: !isDirectory && before.objectId !== after.objectId,
  };
  // The keys of the record are the attributes.
  return (Object.keys(changes) as ChangedAttribute[]).filter(attribute => changes[attribute]);
}

function mustOpen({ before, after }: Pair): boolean {
  if (before?.type !== 'd' && after?.type !== 'd') return false;
  return before?.type !== after?.type || before?.objectId !== after?.objectId;
}

type Readers = readonly [before: TreeReader, after: TreeReader];

async function announce(
  [before, after]: Readers,
  { pairs, next }: { pairs: readonly Pair[]; next: number },
  options: ReadOptions,
): Promise<void> {
  const upcoming = pairs.slice(next - 1, next + 255).filter(mustOpen);
  const entriesOf = (side: 'before' | 'after') => upcoming.flatMap(pair => pair[side] ?? []);
  await before.announce(idsFrom(entriesOf('before'), 0, 'd'), options);
  await after.announce(idsFrom(entriesOf('after'), 0, 'd'), options);
}

async function pairsBelow(
  [beforeReader, afterReader]: Readers,
  { path, before, after }: Pair,
  options: ReadOptions,
): Promise<Pair[]> {
  const pairs = new Map<string, { before?: DirEntry; after?: DirEntry }>();
  const sides = [
    ['before', beforeReader, before],
    ['after', afterReader, after],
  ] as const;
  for (const [side, reader, directory] of sides) {
    if (directory?.type !== 'd') continue;
    const occurrences = new Map<string, number>();
    for (const entry of await reader.readDirectory(directory.objectId, options)) {
      // Names that were not UTF-8 can read the same; their order tells them apart.
      const count = occurrences.get(entry.name) ?? 0;
      occurrences.set(entry.name, count + 1);
      const key = `${entry.name}/${count}`;
      pairs.set(key, { ...pairs.get(key), [side]: entry });
    }
  }
  return [...pairs.entries()]
    .sort(([a], [b]) => compareUtf8(a, b))
    .map(([key, { before, after }]) => {
      const name = key.slice(0, key.lastIndexOf('/'));
      return { path: joinPath(path, name), before, after };
    });
}

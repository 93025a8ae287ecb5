// What changed between two stored trees. Subtrees that are the same object are not opened, so the
// cost is that of what changed. Content is compared by object id: the same bytes cut by another
// splitter count as changed, since telling would mean reading them.

import { throwIfAborted } from '#engine/base/abort.ts';
import type { DirEntry } from '#engine/format/directory.ts';
import type { EntryExtras, SpecialEntry } from '#engine/format/entry-extras.ts';
import { compareUtf8 } from '#engine/format/go-name.ts';
import type { ReadOptions } from '#engine/object/object-reader.ts';
import { findStoredPath, type SnapshotStore } from './stored-path.ts';
import {
  extrasOf,
  idsFrom,
  joinPath,
  mtimeOf,
  specialAsEntry,
  type StoredDirectory,
  TreeReader,
} from './tree.ts';
import { tooDeep, TREE_DEPTH_MAX } from './tree-limits.ts';

export type ChangedAttribute =
  | 'type'
  | 'mode'
  | 'uid'
  | 'gid'
  | 'size'
  | 'mtime'
  | 'content'
  | 'device'
  | 'xattrs'
  | 'flags'
  | 'project'
  | 'links'
  | 'holes';

export interface TreeDifference {
  /** From the roots of the comparison, which are ''. */
  readonly path: string;
  readonly kind: 'added' | 'removed' | 'changed';
  /** What differs; empty when added or removed. */
  readonly attributes: readonly ChangedAttribute[];
}

/** What stands under a name. */
interface Side {
  readonly entry: DirEntry;
  /** Of a directory once it has been read; it has them in its own object. */
  extras: EntryExtras | undefined;
  readonly device: string;
}

/** One name with what each side has under it. */
interface Pair {
  readonly path: string;
  readonly before: Side | undefined;
  readonly after: Side | undefined;
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
  const before = sideOf((await findStoredPath(store, beforePath, { signal })).entry);
  const after = sideOf((await findStoredPath(store, afterPath, { signal })).entry);
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
    if (!mustOpen(pair)) {
      const difference = compare(pair);
      if (difference) yield difference;
      continue;
    }
    if (open.length > TREE_DEPTH_MAX) throw tooDeep();
    await announce(readers, level, { signal });
    // First, because it says more of the directory itself.
    const pairs = await pairsBelow(readers, pair, { signal });
    const difference = compare(pair);
    if (difference) yield difference;
    open.push({ pairs, next: 0 });
  }
}

function sideOf(entry: DirEntry, device = ''): Side {
  return { entry, extras: extrasOf(entry), device };
}

function compare({ path, before, after }: Pair): TreeDifference | undefined {
  if (!before) return { path, kind: 'added', attributes: [] };
  if (!after) return { path, kind: 'removed', attributes: [] };
  const attributes = changedAttributes(before, after);
  return attributes.length === 0 ? undefined : { path, kind: 'changed', attributes };
}

function changedAttributes(left: Side, right: Side): ChangedAttribute[] {
  const { entry: before } = left;
  const { entry: after } = right;
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
    device: left.device !== right.device,
    ...changedExtras(left.extras ?? {}, right.extras ?? {}),
  };
  // The keys of the record are the attributes.
  return (Object.keys(changes) as ChangedAttribute[]).filter(attribute => changes[attribute]);
}

function changedExtras(
  before: EntryExtras,
  after: EntryExtras,
): Record<'xattrs' | 'flags' | 'project' | 'links' | 'holes', boolean> {
  return {
    xattrs: xattrsText(before) !== xattrsText(after),
    flags: (before.flags ?? 0) !== (after.flags ?? 0),
    project: (before.projectId ?? 0) !== (after.projectId ?? 0),
    // What the text of a group is means nothing.
    links: (before.linkGroup === undefined) !== (after.linkGroup === undefined),
    holes: (before.holes ?? []).join() !== (after.holes ?? []).join(),
  };
}

function xattrsText({ xattrs = [] }: EntryExtras): string {
  return xattrs
    .map(({ name, value }) => `${name}=${Buffer.from(value).toString('base64')}`)
    .sort()
    .join();
}

function mustOpen({ before, after }: Pair): boolean {
  const [left, right] = [before?.entry, after?.entry];
  if (left?.type !== 'd' && right?.type !== 'd') return false;
  return left?.type !== right?.type || left?.objectId !== right?.objectId;
}

type Readers = readonly [before: TreeReader, after: TreeReader];

async function announce(
  [before, after]: Readers,
  { pairs, next }: { pairs: readonly Pair[]; next: number },
  options: ReadOptions,
): Promise<void> {
  const upcoming = pairs.slice(next - 1, next + 255).filter(mustOpen);
  const entriesOf = (side: 'before' | 'after') => upcoming.flatMap(pair => pair[side]?.entry ?? []);
  await before.announce(idsFrom(entriesOf('before'), 0, 'd'), options);
  await after.announce(idsFrom(entriesOf('after'), 0, 'd'), options);
}

async function pairsBelow(
  [beforeReader, afterReader]: Readers,
  { path, before, after }: Pair,
  options: ReadOptions,
): Promise<Pair[]> {
  const pairs = new Map<string, { name: string; before?: Side; after?: Side }>();
  const sides = [
    ['before', beforeReader, before],
    ['after', afterReader, after],
  ] as const;
  for (const [side, reader, directory] of sides) {
    if (directory?.entry.type !== 'd') continue;
    const occurrences = new Map<string, number>();
    const whole = await reader.readWhole(directory.entry.objectId, options);
    directory.extras = { ...directory.extras, ...whole.extras?.self };
    for (const child of childrenOf(whole)) {
      const { name } = child.entry;
      // Names that were not UTF-8 can read the same; their bytes, or else their order, tell them
      // apart.
      const bytes = child.extras?.nameBytes;
      const base = bytes === undefined ? name : `${name}/${Buffer.from(bytes).toString('hex')}`;
      const count = occurrences.get(base) ?? 0;
      occurrences.set(base, count + 1);
      const key = `${base}/${count}`;
      pairs.set(key, { ...pairs.get(key), name, [side]: child });
    }
  }
  return [...pairs.entries()]
    .sort(([a], [b]) => compareUtf8(a, b))
    .map(([, { name, before, after }]) => ({ path: joinPath(path, name), before, after }));
}

function childrenOf({ entries, extras }: StoredDirectory): Side[] {
  const special = (extras?.special ?? []).map(entry =>
    sideOf(specialAsEntry(entry), deviceOf(entry)),
  );
  return [...entries.map(entry => sideOf(entry)), ...special];
}

function deviceOf({ type, major, minor }: SpecialEntry): string {
  return type === 'c' || type === 'b' ? `${major}:${minor}` : '';
}

// The walk of a restore: makes directories and symlinks as it comes to them and hands files to the
// window that fetches and writes them.

import { throwIfAborted } from '#engine/base/abort.ts';
import type { ContentSource } from '#engine/content/content-source.ts';
import type { DirEntry } from '#engine/format/directory.ts';
import { openObject, type ObjectReader } from '#engine/object/object-reader.ts';
import {
  idsFrom,
  joinPath,
  mtimeOf,
  tooDeep,
  TREE_DEPTH_MAX,
  TreeReader,
} from '#engine/snapshot/tree.ts';
import { wrongLength } from '#engine/snapshot/stored-path.ts';
import type { Attributes } from './attributes.ts';
import type { FileWriter } from './file-window.ts';
import type { RestoreReport } from './restore-report.ts';
import type { Target, TargetDirectory } from './target.ts';

export interface RestoreWalk {
  readonly contents: ContentSource;
  readonly target: Target;
  readonly report: RestoreReport;
  readonly files: FileWriter;
  readonly signal: AbortSignal | undefined;
}

/** What a restore sets on what it made from `entry`. */
export function attributesOf(entry: DirEntry): Attributes {
  return { uid: entry.uid, gid: entry.gid, mode: entry.mode, mtimeNs: mtimeOf(entry) };
}

interface OpenDirectory {
  readonly directory: TargetDirectory;
  readonly entries: readonly DirEntry[];
  readonly lossyNames: Set<string>;
  next: number;
}

/**
 * Restores what the directory `root` holds into `directory`, whose use by the caller stays. What is
 * damaged is noted and left out.
 * @throws what ends the restore
 */
export async function restoreTree(
  walk: RestoreWalk,
  root: DirEntry,
  directory: TargetDirectory,
): Promise<void> {
  const reader = new TreeReader(walk.contents);
  const open: OpenDirectory[] = [];
  directory.users++;
  const push = async (entry: DirEntry, into: TargetDirectory): Promise<void> => {
    const entries = await readEntries(walk, reader, entry, { into, depth: open.length });
    open.push({ directory: into, entries, lossyNames: new Set(), next: 0 });
  };
  await push(root, directory);
  while (open.length > 0) {
    throwIfAborted(walk.signal);
    const current = open[open.length - 1];
    if (current.next === current.entries.length) {
      open.pop();
      await walk.target.release(current.directory);
      continue;
    }
    const entry = current.entries[current.next++];
    if (entry.type === 'd' || entry.type === 's') {
      const upcoming = idsFrom(current.entries, current.next - 1, entry.type);
      await reader.announce(upcoming, { signal: walk.signal });
    }
    const entered = await restoreOne(walk, reader, entry, current);
    if (entered) await push(entry, entered);
  }
}

/** None when they cannot be had, which is noted. */
async function readEntries(
  { report, signal }: RestoreWalk,
  reader: TreeReader,
  entry: DirEntry,
  { into, depth }: { into: TargetDirectory; depth: number },
): Promise<readonly DirEntry[]> {
  try {
    if (depth >= TREE_DEPTH_MAX) throw tooDeep();
    return await reader.readDirectory(entry.objectId, { signal });
  } catch (error) {
    report.damage(into.path, error);
    return [];
  }
}

/** Restores one entry; the directory that was entered when it is one. */
async function restoreOne(
  walk: RestoreWalk,
  reader: TreeReader,
  entry: DirEntry,
  { directory, lossyNames }: OpenDirectory,
): Promise<TargetDirectory | undefined> {
  const { target, report } = walk;
  const { name } = entry;
  const path = joinPath(directory.path, name);
  if (!target.isSafe(path, name) || !isFirst(walk, path, name, lossyNames)) return undefined;
  switch (entry.type) {
    case 'd':
      report.progress(path);
      return await target.enter(directory, { name, path, attributes: attributesOf(entry) });
    case 's':
      await restoreLink(walk, reader, entry, { directory, path });
      return undefined;
    default:
      await restoreFile(walk, entry, directory);
      return undefined;
  }
}

/**
 * Names that were not UTF-8 have U+FFFD for what they lost, and so do lone surrogates on their way
 * to the disk; of several that become equal the first is restored and the others are named.
 */
function isFirst(
  { report }: RestoreWalk,
  path: string,
  name: string,
  lossyNames: Set<string>,
): boolean {
  const onDisk = name.toWellFormed();
  if (!onDisk.includes('\ufffd')) return true;
  if (!lossyNames.has(onDisk)) {
    lossyNames.add(onDisk);
    return true;
  }
  const found = 'another entry of the same name, which was not UTF-8';
  report.differ(path, [{ attribute: 'name', expected: JSON.stringify(name), found }]);
  return false;
}

async function restoreLink(
  { target, report, signal }: RestoreWalk,
  reader: TreeReader,
  entry: DirEntry,
  { directory, path }: { directory: TargetDirectory; path: string },
): Promise<void> {
  let link: Uint8Array;
  try {
    link = await reader.readLink(entry, { signal });
  } catch (error) {
    report.damage(path, error);
    return;
  }
  const attributes = attributesOf(entry);
  await target.link(directory, path, { name: entry.name, target: link, attributes });
}

/** Restores what is no directory into `directory`; the file may be written later. */
export async function restoreFile(
  walk: RestoreWalk,
  entry: DirEntry,
  directory: TargetDirectory,
): Promise<void> {
  const { target, report, files, contents, signal } = walk;
  const { name } = entry;
  const path = joinPath(directory.path, name);
  if (!target.isSafe(path, name)) return;
  if (entry.type === 's') {
    await restoreLink(walk, new TreeReader(contents), entry, { directory, path });
    return;
  }
  if (entry.type !== 'f') {
    const expected = `an entry of type ${JSON.stringify(entry.type)}`;
    report.differ(path, [{ attribute: 'type', expected, found: 'nothing' }]);
    return;
  }
  let reader: ObjectReader;
  try {
    reader = await openObject(contents, entry.objectId, { signal });
  } catch (error) {
    report.damage(path, error);
    return;
  }
  checkLength(report, path, entry, reader);
  await files.add({ path, name, directory, attributes: attributesOf(entry) }, reader);
}

function checkLength(
  report: RestoreReport,
  path: string,
  entry: DirEntry,
  { bytes }: ObjectReader,
): void {
  if (bytes === entry.bytes) return;
  const difference = { attribute: 'size', expected: String(entry.bytes), found: String(bytes) };
  report.differ(path, [difference]);
  report.damage(path, wrongLength(path, entry, bytes));
}

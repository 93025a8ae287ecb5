// Which parts of which snapshots go where: looked up and made ready before anything is planned.

import fs from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { EngineError, systemCodeOf } from '#engine/base/errors.ts';
import type { DirEntry } from '#engine/format/directory.ts';
import { EXTRAS_FIELD } from '#engine/format/entry-extras.ts';
import { isJsonObject } from '#engine/format/json-fields.ts';
import { findStoredPath, type SnapshotStore } from '#engine/snapshot/stored-path.ts';
import { openTargetFileSystem } from '#engine/snapshot/target/open-target-file-system.ts';
import { nameOf } from '#engine/snapshot/tree.ts';
import { assertNoObstacle } from './target-obstacle.ts';
import { isSamePlace, isWithin, placeOfDirectory, placeOfEntry } from './target-place.ts';

export interface RestoreGoal {
  /** `ID[:/path]`, as in RestoreRequest. */
  readonly snapshot: string;
  /** As in RestoreRequest. */
  readonly target: string;
}

export interface OpenGoal {
  readonly snapshotId: string;
  /** As it was asked for, absolute. */
  readonly target: string;
  /** What is restored; a single entry has the name that it gets. */
  readonly entry: DirEntry;
  /** The bytes of the name that the snapshot has for it. */
  readonly storedName: Uint8Array;
  /** The directory that it goes into, or becomes. */
  readonly directory: string;
  /** Whether that directory was not there before. */
  readonly isNew: boolean;
}

export interface GoalOptions {
  readonly mustBeEmpty: boolean;
  /** What one goal makes would be extra for another one around it. */
  readonly isRemovingExtra: boolean;
  /** Files that are there are replaced or written to, be they what another goal has just made. */
  readonly isOverwriting: boolean;
  readonly repositoryDirectory?: string;
  readonly isNativeAllowed: boolean;
  /** Whether directories that are there keep their attributes, and what keeps others out. */
  readonly isLeft: boolean;
  /** Makes no directory and only says whether it is there. */
  readonly isDryRun: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Finds what is asked for and makes the directories that it goes to.
 * @throws SNAPSHOT_NOT_FOUND, SNAPSHOT_PATH_NOT_FOUND, TARGET_NOT_EMPTY, TARGET_NOT_WRITABLE, USAGE
 */
export async function openGoals(
  store: SnapshotStore,
  goals: readonly RestoreGoal[],
  options: GoalOptions,
): Promise<OpenGoal[]> {
  const found: Omit<OpenGoal, 'isNew'>[] = [];
  for (const { snapshot, target } of goals) {
    const stored = await findStoredPath(store, snapshot, { signal: options.signal });
    const storedName = nameOf(stored.entry);
    const place = { snapshotId: stored.snapshot.id, target: resolve(target), storedName };
    found.push({ ...place, ...(await placeOf(stored.entry, target)) });
  }
  for (const { directory } of found) await assertNoObstacle(directory);
  await assertApart(found, options);
  // Nothing is made before everything was found.
  const opened: OpenGoal[] = [];
  for (const goal of found) opened.push({ ...goal, isNew: await openDirectory(goal, options) });
  return opened;
}

async function placeOf(
  entry: DirEntry,
  target: string,
): Promise<{ entry: DirEntry; directory: string }> {
  const path = resolve(target);
  // A slash at its end means a directory, whether it is there or not.
  if (entry.type === 'd' || target.endsWith('/')) return { entry, directory: path };
  if (await isDirectory(path)) return { entry, directory: path };
  return { entry: renamed(entry, basename(path)), directory: dirname(path) };
}

/** Without the bytes of the old name. */
function renamed(entry: DirEntry, name: string): DirEntry {
  const extras = entry.extra?.[EXTRAS_FIELD];
  if (!isJsonObject(extras)) return { ...entry, name };
  const kept = Object.fromEntries(Object.entries(extras).filter(([field]) => field !== 'name'));
  return { ...entry, name, extra: { ...entry.extra, [EXTRAS_FIELD]: kept } };
}

/**
 * Goals that share a place would overwrite, or remove, what the others make; and the repository
 * would be extra itself, or what is in it. Where a bind mount leads to it: spared-directory.ts.
 * @throws USAGE
 */
async function assertApart(
  goals: readonly Omit<OpenGoal, 'isNew'>[],
  { isRemovingExtra, isOverwriting, repositoryDirectory }: GoalOptions,
): Promise<void> {
  if (goals.length === 1 && !isRemovingExtra) return;
  const places = [];
  for (const { entry, directory } of goals) {
    try {
      const isTree = entry.type === 'd';
      const place = isTree ? placeOfDirectory(directory) : placeOfEntry(directory, entry.name);
      places.push({ isTree, place: await place });
    } catch (error) {
      throw targetError(error, directory);
    }
  }
  if (isRemovingExtra && repositoryDirectory !== undefined) {
    const own = await placeOfDirectory(repositoryDirectory);
    for (const [index, { isTree, place }] of places.entries()) {
      if (!isTree || !(isWithin(own, place) || isWithin(place, own))) continue;
      throw aroundRepository(goals[index].target, repositoryDirectory);
    }
  }
  const mayNotNest = isRemovingExtra || isOverwriting;
  for (const [index, { place }] of places.entries()) {
    const other = places.findIndex((each, at) => {
      const isNested = mayNotNest && each.isTree && isWithin(place, each.place);
      return at !== index && (isSamePlace(place, each.place) || isNested);
    });
    if (other === -1) continue;
    const both = `${goals[index].target} and ${goals[other].target}`;
    const text = `restoring to ${both} was refused: they are one place, or one is in the other`;
    throw new EngineError('USAGE', `${text}; name places that are apart`);
  }
}

function aroundRepository(target: string, repository: string): EngineError {
  const why = `it holds the repository, or lies in it (${repository})`;
  const text = `removing what is extra from ${target} was refused: ${why}`;
  return new EngineError('USAGE', `${text}; restore without that, or elsewhere`);
}

const PRIVATE = Object.freeze({ recursive: true, mode: 0o700 });

async function openDirectory(
  { entry, directory }: Pick<OpenGoal, 'entry' | 'directory'>,
  options: GoalOptions,
): Promise<boolean> {
  const { mustBeEmpty, isDryRun } = options;
  try {
    const isThere = await isDirectory(directory);
    // Undefined is said of one that somebody else has made meanwhile.
    const isNew = !isThere && (isDryRun || (await fs.mkdir(directory, PRIVATE)) !== undefined);
    const isWhole = entry.type === 'd';
    if (!isNew && isWhole && mustBeEmpty) await requireEmpty(directory);
    if (!isDryRun) await requireWritable(directory, isWhole && !options.isLeft, options);
    return isNew;
  } catch (error) {
    throw targetError(error, directory);
  }
}

/** @param mayFree whether what keeps entries from being made in it may be taken away */
async function requireWritable(
  path: string,
  mayFree: boolean,
  { isNativeAllowed }: GoalOptions,
): Promise<void> {
  if (mayFree) {
    // Not only where access is denied: an append-only directory grants it, and keeps its names.
    const fileSystem = openTargetFileSystem({ native: isNativeAllowed });
    using root = fileSystem.openRoot(Buffer.from(path));
    fileSystem.makeWritable(root);
  }
  await fs.access(path, fs.constants.W_OK | fs.constants.X_OK);
}

async function requireEmpty(path: string): Promise<void> {
  await using directory = await fs.opendir(path);
  if ((await directory.read()) === null) return;
  throw new EngineError(
    'TARGET_NOT_EMPTY',
    `restoring to ${path} was refused: it is not empty; name an empty directory, or say what is ` +
      'to become of what is there (overwriting if different also goes on with a restore that was ' +
      'interrupted)',
  );
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await fs.stat(path)).isDirectory();
  } catch (error) {
    const code = systemCodeOf(error);
    // What is there instead, and where, is told by assertNoObstacle.
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return false;
    throw targetError(error, path);
  }
}

function targetError(cause: unknown, path: string): EngineError {
  if (cause instanceof EngineError) return cause;
  const code = systemCodeOf(cause) ?? 'unknown error';
  const isFull = code === 'ENOSPC' || code === 'EDQUOT';
  return new EngineError(
    isFull ? 'TARGET_FULL' : 'TARGET_NOT_WRITABLE',
    `cannot use the target ${path}: ${code}; ` +
      (isFull ? 'make room there and restore again' : 'check its rights and its mount'),
    { cause, details: { path, errno: code } },
  );
}

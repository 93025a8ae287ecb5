// Brings a stored tree back to a directory. Nothing is written outside the target whatever the tree
// says (target-tree.ts), contents are checked before they arrive here (content/), attributes come
// last and are read back, and what is not as it was is named in the outcome.

import { basename, dirname, resolve } from 'node:path';
import fs from 'node:fs/promises';
import { throwIfAborted } from '#engine/base/abort.ts';
import { EngineError } from '#engine/base/errors.ts';
import { systemClock } from '#engine/base/clock.ts';
import type { ContentSource } from '#engine/content/content-source.ts';
import type { DirEntry } from '#engine/format/directory.ts';
import { findStoredPath, type SnapshotStore } from '#engine/snapshot/stored-path.ts';
import {
  RestoreReport,
  withPartialFiles,
  type Difference,
  type RestoreProgress,
} from './restore-report.ts';
import { FileWriter } from './file-window.ts';
import { restoreFile, restoreTree, attributesOf } from './restore-walk.ts';
import type { Overwrite } from './target-tasks.ts';
import { Target, type TargetDirectory } from './target.ts';

export interface RestoreRequest {
  /** `ID`, the beginning of one, or `latest`; `:/path` behind it for a part of the tree. */
  readonly snapshot: string;
  /** A directory; for a single file the file, or the directory to put it in. */
  readonly target: string;
  /**
   * never (default): the target has to be empty or absent. always: files and symlinks that are in
   * the way are replaced, directories are kept and filled; what the snapshot does not have stays.
   */
  readonly overwrite?: Overwrite;
}

export interface RestoreOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RestoreProgress) => void;
}

export interface RestoreOutcome {
  readonly snapshotId: string;
  readonly target: string;
  readonly files: number;
  readonly directories: number;
  readonly bytes: number;
  /** Bytes of sealed contents that were asked for. */
  readonly bytesFetched: number;
  readonly durationMs: number;
  readonly differences: readonly Difference[];
  /** Differences that are not listed because there are too many. */
  readonly differencesOmitted: number;
}

/**
 * Restores a snapshot or a part of it. When it resolves the target's file system has written
 * everything back. Damage in the repository does not stop the rest from being restored, but the
 * restore fails in the end.
 * @throws TARGET_NOT_EMPTY, TARGET_NOT_WRITABLE, TARGET_FULL, SNAPSHOT_NOT_FOUND,
 *   SNAPSHOT_PATH_NOT_FOUND, ABORTED; CONTENT_DAMAGED and the like with `details.differences`
 */
export async function restore(
  store: SnapshotStore,
  request: RestoreRequest,
  options: RestoreOptions = {},
): Promise<RestoreOutcome> {
  const startMs = systemClock.monotonic();
  const { snapshot, entry } = await findStoredPath(store, request.snapshot, options);
  const report = new RestoreReport(options.onProgress);
  const target = resolve(request.target);
  const { contents } = store;
  await restoreEntry({ contents, report }, entry, { ...request, target }, options);
  report.throwIfDamaged(target);
  return {
    snapshotId: snapshot.id,
    target,
    files: report.files,
    directories: report.directories,
    bytes: report.bytes,
    bytesFetched: report.bytesFetched,
    durationMs: Math.round(systemClock.monotonic() - startMs),
    differences: report.differences,
    differencesOmitted: report.differencesOmitted,
  };
}

interface Goal {
  readonly target: string;
  readonly overwrite?: Overwrite;
}

/** Restores one entry, mostly a directory, and notes in the report how it went. */
async function restoreEntry(
  { contents, report }: { contents: ContentSource; report: RestoreReport },
  root: DirEntry,
  goal: Goal,
  { signal }: RestoreOptions,
): Promise<void> {
  throwIfAborted(signal);
  await using target = new Target(report);
  const files = new FileWriter({ contents, target, report, signal });
  const walk = { contents, target, report, files, signal };
  try {
    const [directory, name] = await openTarget(target, root, goal);
    if (name === undefined) await restoreTree(walk, root, directory);
    else await restoreFile(walk, { ...root, name }, directory);
    await files.drain();
    await target.release(directory);
  } catch (error) {
    await files.settle();
    throw withPartialFiles(error, files.partialFiles);
  }
}

/** Opens the directory to restore into; with the name to give to a root that is no directory. */
async function openTarget(
  target: Target,
  root: DirEntry,
  { target: path, overwrite = 'never' }: Goal,
): Promise<[TargetDirectory, name: string | undefined]> {
  if (root.type === 'd') {
    const mustBeEmpty = overwrite === 'never';
    const attributes = attributesOf(root);
    return [await target.open({ path, overwrite, mustBeEmpty, attributes }), undefined];
  }
  const isInto = await isDirectory(path);
  const directory = isInto ? path : dirname(path);
  const name = isInto ? root.name : basename(path);
  return [await target.open({ path: directory, overwrite, mustBeEmpty: false }), name];
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await fs.stat(path)).isDirectory();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    const text = `looking at the target ${path} failed`;
    throw new EngineError('TARGET_NOT_WRITABLE', `${text}; check its rights`, { cause: error });
  }
}

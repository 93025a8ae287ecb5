// A snapshot whose root is a file and not a directory.

import { EngineError } from '#engine/base/errors.ts';
import type { DirSummary } from '#engine/format/directory.ts';
import { isUnchanged, wrapModificationTime } from '#engine/snapshot/source/change-detection.ts';
import { openSourceFileSystem } from '#engine/snapshot/source/open-source-file-system.ts';
import { printablePath } from '#engine/snapshot/source/source-name.ts';
import { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { ENTRY_TYPE, SourceStat } from '#engine/snapshot/source/source-stat.ts';
import { ChunkToken } from './chunk-token.ts';
import {
  type FileLook,
  joinExtras,
  lookAtFile,
  timeExtras,
  unreadableAttributes,
} from './entry-attributes.ts';
import { largeFileOf } from './entry-store.ts';
import { TotalsBuilder } from './part-totals.ts';
import { stoppable } from './stoppable.ts';
import type { UploadedTree, UploadOptions, UploadParts } from './upload.ts';
import type { FinishFileOutput, LargeFile, UploadRun } from './upload-tasks.ts';

const SLASH = '/'.charCodeAt(0);
const DOT = '.'.charCodeAt(0);

/**
 * Stores the file at run.root; durable only after the next flush.
 * @throws SOURCE_VANISHED, SOURCE_UNREADABLE, ABORTED
 */
export async function uploadFileRoot(
  { runner }: UploadParts,
  options: UploadOptions,
): Promise<UploadedTree> {
  return await stoppable(runner, options, () => upload(runner, options));
}

async function upload(
  runner: UploadParts['runner'],
  { run: fileRun, previousRoot }: UploadOptions,
): Promise<UploadedTree> {
  const { run, name } = splitRoot(fileRun);
  const { stat, extras, unreadable } = look(run, name);
  const file = largeFileOf(name, stat, { extras, stampIndex: 0 });
  const totals = new TotalsBuilder();
  if (unreadable.length > 0) {
    const path = printablePath(fileRun.root);
    totals.addSkipped(unreadableAttributes(path, unreadable));
  }
  totals.addFile(file, stat.size);
  if (previousRoot && !run.changes.forceHash && isUnchanged(previousRoot, stat)) {
    totals.cachedCount = 1;
    totals.cachedBytes = stat.size;
    const summary = summaryOf(file, stat.size);
    const root = { objectId: previousRoot.objectId, summary };
    return { root, metadata: file, totals, changes: undefined };
  }
  const { file: stored, finished } = await read(runner, run, file);
  totals.readFiles = 1;
  totals.readBytes = finished.bytes;
  if (finished.skipped) totals.addSkipped(finished.skipped);
  const summary = summaryOf(stored, finished.bytes);
  const root = { objectId: finished.objectId, summary };
  return { root, metadata: stored, totals, changes: undefined };
}

/** Reads the file with all threads; once more when it changes meanwhile. */
async function read(
  runner: UploadParts['runner'],
  run: UploadRun,
  file: LargeFile,
  attempt = 1,
): Promise<{ file: LargeFile; finished: FinishFileOutput }> {
  const token = ChunkToken.create().shared;
  const readers = Array.from({ length: runner.size }, () =>
    runner.run('readFile', { run, names: [], file, token }),
  );
  // None may be left at work when the first of them has failed.
  await Promise.allSettled(readers);
  const chunks = await Promise.all(readers);
  const finished = await runner.run('finishFile', { run, names: [], file, chunks, attempt });
  const { changed } = finished;
  return changed ? await read(runner, run, changed, attempt + 1) : { file, finished };
}

/** What is known of the file at run.root. @throws SOURCE_VANISHED, SOURCE_UNREADABLE */
export function statFileRoot(run: UploadRun): SourceStat {
  const split = splitRoot(run);
  return look(split.run, split.name).stat;
}

function splitRoot(run: UploadRun): { run: UploadRun; name: Uint8Array } {
  const at = run.root.lastIndexOf(SLASH);
  const name = run.root.slice(at + 1);
  if (at > 0) return { run: { ...run, root: run.root.slice(0, at) }, name };
  const root = new Uint8Array([at === 0 ? SLASH : DOT]);
  return { run: { ...run, root }, name };
}

interface Look extends FileLook {
  readonly stat: SourceStat;
}

function look({ root, isNativeAllowed }: UploadRun, name: Uint8Array): Look {
  const fileSystem = openSourceFileSystem({ native: isNativeAllowed });
  const stat = new SourceStat();
  const listing = new SourceListing();
  const index = listing.add(name, ENTRY_TYPE.file);
  using directory = fileSystem.openRoot(root, { followsLinks: true });
  using file = fileSystem.openFile(directory, listing, index);
  fileSystem.statOpen(file, stat);
  wrapModificationTime(stat);
  if (stat.type === ENTRY_TYPE.file) {
    const { extras, unreadable } = lookAtFile({ fileSystem }, file, stat);
    return { stat, extras: joinExtras(timeExtras(stat), extras), unreadable };
  }
  throw new EngineError('SOURCE_CHANGED', 'the file was replaced by something that is no file');
}

function summaryOf(file: LargeFile, bytes: number): DirSummary {
  return {
    bytes,
    files: 1,
    symlinks: 0,
    directories: 0,
    maxTimeSeconds: file.mtimeSeconds,
    maxTimeNanoseconds: file.mtimeNanoseconds,
    incomplete: '',
    failedCount: 0,
    ignoredErrorCount: 0,
    failedEntries: [],
  };
}

// A snapshot whose root is a file and not a directory.

import { EngineError } from '#engine/base/errors.ts';
import type { DirEntry, DirSummary } from '#engine/format/directory.ts';
import { wrapModificationTime } from '#engine/snapshot/source/change-detection.ts';
import { STATE } from '#engine/snapshot/source/change-record.ts';
import { openSourceFileSystem } from '#engine/snapshot/source/open-source-file-system.ts';
import { nameText, printablePath } from '#engine/snapshot/source/source-name.ts';
import { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { ENTRY_TYPE, SourceStat } from '#engine/snapshot/source/source-stat.ts';
import { ChangeWriter } from './change-writer.ts';
import {
  type FileLook,
  joinExtras,
  lookAtFile,
  timeExtras,
  unreadableAttributes,
} from './entry-attributes.ts';
import { largeFileOf } from './entry-metadata.ts';
import { fileRecord, fileState, knownFile, recordOfSame } from './known-file.ts';
import { resumable } from './partial-file.ts';
import { TotalsBuilder } from './part-totals.ts';
import { type DirectoryRecord, RecordNode } from './record-order.ts';
import { partialsByName } from './resumed-entries.ts';
import { SharedReading } from './shared-reading.ts';
import { stoppable } from './stoppable.ts';
import type { UploadedTree, UploadOptions, UploadParts } from './upload-options.ts';
import type { FinishFileOutput, LargeFile, ResumedFile, UploadRun } from './upload-tasks.ts';
import { type IncompleteReason, type IncompleteTree, withCheckpoints } from './with-checkpoints.ts';

const SLASH = '/'.charCodeAt(0);
const DOT = '.'.charCodeAt(0);

/**
 * Stores the file at run.root; durable only after the next flush.
 * @throws SOURCE_VANISHED, SOURCE_UNREADABLE, ABORTED
 */
export async function uploadFileRoot(
  parts: UploadParts,
  options: UploadOptions,
): Promise<UploadedTree> {
  return await stoppable(parts.runner, options, () => upload(parts, options));
}

async function upload(parts: UploadParts, options: UploadOptions): Promise<UploadedTree> {
  const { run: fileRun, previousRoot, resumedRoots = [], signal } = options;
  const { run, name } = splitRoot(fileRun);
  const { changes: rules } = run;
  const seenMs = Date.now();
  const { stat, extras, unreadable } = look(run, name);
  const listed = largeFileOf(name, stat, { extras, stampIndex: 0 });
  const totals = new TotalsBuilder();
  const state: FileRootState = { totals, signal, reading: undefined, givenUpBytes: 0 };
  parts.onTotals?.(totals, () => state.givenUpBytes + (state.reading?.readBytes ?? 0));
  if (unreadable.length > 0) {
    const path = printablePath(fileRun.root);
    totals.addSkipped(unreadableAttributes(path, unreadable));
  }
  totals.addFile(listed, stat.size);
  const known = previousRoot && (await knownFile(parts.known));
  const found = fileState(previousRoot, known, stat, rules);
  if (previousRoot && found !== STATE.changed) {
    totals.cachedCount = 1;
    totals.cachedBytes = stat.size;
    const summary = summaryOf(listed, stat.size);
    const root = { objectId: previousRoot.objectId, summary };
    const fresh = fileRecord(stat, { seenMs, isSteady: true });
    const changes = await note(parts, run, recordOfSame(known, { state: found, fresh, rules }));
    return { root, metadata: listed, totals, changes };
  }
  const resumed = resumedOf(resumedRoots, { name, stat, run });
  const file = resumed === undefined ? listed : { ...listed, resumed };
  const { finished, reading } = await new FileRootReading(parts, run, state).read(file);
  state.reading = undefined;
  totals.readFiles = 1;
  totals.readBytes = finished.bytes - reading.resumedBytes;
  if (finished.skipped) totals.addSkipped(finished.skipped);
  const summary = summaryOf(reading.file, finished.bytes);
  const root = { objectId: finished.objectId, summary };
  const isSteady = finished.skipped === undefined && reading.file === file;
  const changes = await note(parts, run, fileRecord(stat, { seenMs, isSteady }));
  return { root, metadata: reading.file, totals, changes };
}

/** Writes down what the next backup can know of the file. */
async function note(
  { runner }: UploadParts,
  run: UploadRun,
  record: DirectoryRecord,
): Promise<UploadedTree['changes']> {
  const writer = new ChangeWriter(runner, run);
  writer.order.finish(new RecordNode(undefined, 0), record);
  return await writer.finish();
}

/** What an earlier run has read of the file. */
function resumedOf(
  roots: readonly DirEntry[],
  { name, stat, run }: { name: Uint8Array; stat: SourceStat; run: UploadRun },
): ResumedFile | undefined {
  const part = partialsByName(roots).get(nameText(name));
  return part && resumable(part, stat, run.changes);
}

interface FileRootState {
  readonly totals: TotalsBuilder;
  readonly signal: AbortSignal;
  /** What is not read to its end. */
  reading: SharedReading | undefined;
  /** Read before it was found to have changed. */
  givenUpBytes: number;
}

/** Reads the file with all threads, and saves what has been read from time to time. */
class FileRootReading {
  readonly #parts: UploadParts;
  readonly #run: UploadRun;
  readonly #state: FileRootState;
  #failure: { error: unknown } | undefined;

  constructor(parts: UploadParts, run: UploadRun, state: FileRootState) {
    this.#parts = parts;
    this.#run = run;
    this.#state = state;
  }

  /** Once more when it changes meanwhile. */
  async read(
    file: LargeFile,
    attempt = 1,
  ): Promise<{ finished: FinishFileOutput; reading: SharedReading }> {
    const { runner, readChunks, checkpoints } = this.#parts;
    const chunks = file.resumed && (await readChunks(file.resumed));
    const reading = new SharedReading({ run: this.#run, names: [] }, file, chunks);
    this.#state.reading = reading;
    const readers = Array.from({ length: runner.size }, () =>
      reading.read(runner, () => this.#betweenShares()),
    );
    // None may be left at work when the first of them has failed.
    await withCheckpoints(checkpoints, this.#state.signal, {
      work: Promise.allSettled(readers),
      gather: reason => this.#gather(reading, reason),
      onFailure: error => this.#fail(error),
    });
    if (this.#failure) throw this.#failure.error;
    await Promise.all(readers);
    if (reading.failure) throw reading.failure;
    const finished = await runner.run('finishFile', reading.finished(attempt));
    const { changed } = finished;
    if (changed === undefined) return { finished, reading };
    this.#state.givenUpBytes += reading.readBytes;
    return await this.read(changed, attempt + 1);
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    Atomics.store(new Int32Array(this.#run.stop), 0, 1);
  }

  async #betweenShares(): Promise<void> {
    if (this.#failure) throw this.#failure.error;
    await this.#parts.afterTask();
  }

  async #gather(
    reading: SharedReading,
    reason: IncompleteReason,
  ): Promise<IncompleteTree | undefined> {
    const { partial, file } = reading;
    if (partial === undefined || reading.isDone) return undefined;
    const input = { run: this.#run, directories: [], file: partial, reason };
    const { file: entry } = await this.#parts.runner.run('writeCheckpoint', input);
    if (entry === undefined) return undefined;
    const summary = { ...summaryOf(file, entry.bytes), incomplete: reason };
    const root = { objectId: entry.objectId, summary };
    return { root, metadata: file, totals: this.#state.totals, entry };
  }
}

/** What is known of the file at run.root. @throws SOURCE_VANISHED, SOURCE_UNREADABLE */
export function statFileRoot(run: UploadRun): SourceStat {
  const split = splitRoot(run);
  return look(split.run, split.name).stat;
}

/** The run in the directory that the file is in, and its name there. */
export function splitRoot(run: UploadRun): { run: UploadRun; name: Uint8Array } {
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

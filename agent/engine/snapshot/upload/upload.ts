// Uploads one directory tree. The main thread decides who does what and keeps the directories that
// are half done; listing, reading, hashing, sealing and encoding happen in worker threads.

import { abortedError } from '#engine/base/abort.ts';
import { EngineError } from '#engine/base/errors.ts';
import { TASKS_PER_THREAD } from '#engine/workers/tasks.ts';
import { directoryKey, makeRecord } from '#engine/snapshot/source/change-record.ts';
import { ChangeWriter } from './change-writer.ts';
import { depthFault } from '#engine/snapshot/tree-limits.ts';
import {
  childRequest,
  type ChildRequest,
  type Compared,
  compareDirectories,
  type CompareRequest,
} from './compare-directories.ts';
import type { StoredContents } from './file-contents.ts';
import { fileText } from './file-text.ts';
import { Lanes } from './lanes.ts';
import { LargeLinks } from './large-links.ts';
import { type DirectoryRecord, RecordNode } from './record-order.ts';
import { isSourceError, sourceError, sourceIncomplete } from './entry-faults.ts';
import { type FileReading, FileReadings } from './file-readings.ts';
import {
  type DirectoryPlace,
  OpenDirectory,
  type PlacedFile,
  type PlacedPage,
  type TakenChild,
} from './open-directory.ts';
import { failureAt, TotalsBuilder } from './part-totals.ts';
import { resumedObjects } from './resumed-objects.ts';
import { gatherPartialTree } from './partial-tree.ts';
import { type FileOutcome, SharedReading } from './shared-reading.ts';
import { stoppable } from './stoppable.ts';
import type { ChildDirectory, EntryMetadata, UploadRun, WrittenDirectory } from './upload-tasks.ts';
import type { UploadedTree, UploadOptions, UploadParts } from './upload-options.ts';
import { wholeBuffer } from './whole-buffer.ts';
import { type IncompleteReason, type IncompleteTree, withCheckpoints } from './with-checkpoints.ts';
import { type ComparedChild, type Work, WorkQueue } from './work-queue.ts';

/**
 * Stores the tree; durable only after the next flush.
 * @throws SOURCE_NOT_FOUND, SOURCE_UNREADABLE when the root itself cannot be listed
 * @throws ABORTED
 */
export function uploadTree(parts: UploadParts, options: UploadOptions): Promise<UploadedTree> {
  return stoppable(parts.runner, options, () => new Upload(parts, options).run());
}

class Upload {
  readonly #parts: UploadParts;
  readonly #run: UploadRun;
  readonly #options: UploadOptions;
  readonly #queue: WorkQueue;
  readonly #changes: ChangeWriter;
  readonly #links = new LargeLinks();
  readonly #totals = new TotalsBuilder();
  readonly #lanes: Lanes<Work>;
  /** Listed and not written yet. */
  readonly #open = new Set<OpenDirectory>();
  readonly #readings = new FileReadings();
  #root: { written: WrittenDirectory; metadata: EntryMetadata } | undefined;

  constructor(parts: UploadParts, options: UploadOptions) {
    this.#parts = parts;
    parts.onTotals?.(this.#totals, () => this.#readings.bytes);
    this.#options = options;
    this.#run = options.run;
    this.#queue = new WorkQueue(parts.runner.size);
    this.#changes = new ChangeWriter(parts.runner, options.run);
    this.#lanes = new Lanes<Work>({
      next: () => this.#queue.next(),
      run: async work => {
        await this.#do(work);
        await parts.afterTask();
      },
      signal: options.signal,
      isRefused: () => this.#isRefused,
      // Threads that are in the middle of a large file must not go on for nobody.
      onStop: () => void Atomics.store(new Int32Array(this.#run.stop), 0, 1),
    });
  }

  async run(): Promise<UploadedTree> {
    await this.#scanRoot();
    await withCheckpoints(this.#parts.checkpoints, this.#options.signal, {
      work: this.#lanes.run(TASKS_PER_THREAD * this.#parts.runner.size),
      gather: reason => this.#gather(reason),
      onFailure: error => this.#lanes.fail(error),
    });
    // Not on account of what was stopped because of it.
    if (this.#isRefused && !this.#options.signal.aborted) throw sourceIncomplete(this.#totals);
    if (this.#lanes.failure) throw this.#lanes.failure.error;
    if (this.#root === undefined) throw abortedError(this.#options.signal);
    const changes = await this.#changes.finish();
    const { written: root, metadata } = this.#root;
    return { root, metadata, totals: this.#totals, changes };
  }

  /** What is known so far; undefined before the root has been listed and when it is written. */
  async #gather(reason: IncompleteReason): Promise<IncompleteTree | undefined> {
    const root = [...this.#open].find(({ parent }) => parent === undefined);
    if (root === undefined || root.writing) return undefined;
    const files = this.#readings.partials();
    const { directories, transfer } = await gatherPartialTree(this.#open, files);
    const input = { run: this.#run, directories, reason };
    const written = await this.#parts.runner.run('writeCheckpoint', input, { transfer });
    return written.root && { root: written.root, metadata: root.metadata, totals: this.#totals };
  }

  /** Whether something is missing and nothing must be. */
  get #isRefused(): boolean {
    return this.#options.onError === 'fail' && this.#totals.failedCount > 0;
  }

  #do(work: Work): Promise<void> {
    switch (work.kind) {
      case 'write':
        return this.#write(work.directory);
      case 'page':
        return this.#storePage(work.placed);
      case 'file':
        return this.#startFile(work.placed);
      case 'join':
        return this.#join(work.reading);
      case 'children':
        return this.#compareChildren(work.parent, work.children);
      case 'scan':
        return this.#scanChild(work.child);
    }
  }

  async #scanRoot(): Promise<void> {
    const { previousRoot, resumedRoots, selection } = this.#options;
    const previous = previousRoot?.type === 'd' ? previousRoot : undefined;
    const resumed = resumedRoots?.filter(({ type }) => type === 'd');
    const place = { names: [], parent: undefined, position: 0 };
    const request = { place, selection, previous, resumed };
    const [compared] = await compareDirectories(this.#parts, this.#run, [request]);
    if (!this.#isTakenOver(request, compared)) await this.#scan(request, compared);
  }

  async #compareChildren(parent: OpenDirectory, children: readonly TakenChild[]): Promise<void> {
    const requests = children.map(taken => childRequest(parent, taken));
    // All of them are as deep.
    const fault = depthFault(requests[0].place.names);
    if (fault) {
      for (const { place } of requests) this.#childFailed(place, fault);
      return;
    }
    const results = await compareDirectories(this.#parts, this.#run, requests);
    for (const [index, compared] of results.entries()) {
      const request = requests[index];
      if (!this.#isTakenOver(request, compared)) this.#queue.compared.push({ request, compared });
    }
  }

  async #scanChild({ request, compared }: ComparedChild): Promise<void> {
    try {
      await this.#scan(request, compared);
    } catch (error) {
      if (!isSourceError(error)) throw error;
      this.#childFailed(request.place, error);
    }
  }

  /** One that was never open. */
  #childFailed(place: ChildRequest['place'], error: EngineError): void {
    this.#changes.order.finish(new RecordNode(place.parent.order, place.position), undefined);
    this.#childLost(place, error);
  }

  #childLost({ names, parent, position }: ChildRequest['place'], error: EngineError): void {
    const failure = failureAt(this.#run, names, error, 'directory');
    parent.totals.addFailure(failure);
    this.#totals.addFailure(failure);
    this.#childDone(parent, position, undefined);
  }

  async #scan(
    { place, selection, ...earlier }: CompareRequest,
    { known, isDifferent }: Compared,
  ): Promise<void> {
    const { names, parent } = place;
    const { readPrevious, announcePrevious, forgetPrevious } = this.#parts;
    if (parent) await announcePrevious(parent.previousIdsFrom(place.position));
    const previous = earlier.previous && (await readPrevious(earlier.previous.objectId));
    const resumed = earlier.resumed && (await resumedObjects(earlier.resumed, readPrevious));
    const input = { run: this.#run, names, selection, previous, known, resumed };
    const transfer = [previous?.bytes, known].flatMap(wholeBuffer);
    // Where something has changed there is something to read.
    const options = { transfer, isBrief: previous !== undefined && !isDifferent };
    const scanned = await this.#parts.runner.run('scanDirectory', input, options);
    this.#totals.addPart(scanned.totals);
    for (const objectId of scanned.damaged ?? []) await forgetPrevious(objectId);
    const metadata = place.metadata ?? { ...scanned.metadata, previous: earlier.previous };
    if (scanned.written) {
      const { own, entries, special, digest } = scanned.record;
      const record = makeRecord(directoryKey(names), own, [entries, special], digest);
      this.#wholeDone({ ...place, metadata }, record, scanned.written);
      return;
    }
    const directory = new OpenDirectory({ ...place, metadata }, scanned);
    this.#open.add(directory);
    this.#queue.files.push(...directory.place(scanned.pieces));
    this.#queue.pages.push(...directory.placePages(scanned.pages));
    if (directory.hasMoreChildren) this.#queue.push(directory);
    this.#checkComplete(directory);
  }

  /** Takes over a directory without looking at its object, where what is known says it is same. */
  #isTakenOver({ place, previous }: CompareRequest, { same, known }: Compared): boolean {
    if (same === undefined || known === undefined) return false;
    this.#totals.addPart(same.found.totals);
    const metadata = place.metadata ?? { ...same.found.metadata, previous };
    this.#wholeDone({ ...place, metadata }, known, same.written);
    return true;
  }

  /** Of a directory that was never open: all of it was done at once. */
  #wholeDone(
    place: DirectoryPlace & { readonly metadata: ChildDirectory },
    record: DirectoryRecord,
    written: WrittenDirectory,
  ): void {
    this.#changes.order.finish(new RecordNode(place.parent?.order, place.position), record);
    this.#directoryDone(place, written);
  }

  async #storePage({ directory, page, slots }: PlacedPage): Promise<void> {
    const { names, selection } = directory;
    const input = { run: this.#run, names, selection, page };
    const transfer = [page.names, page.types, page.previous, page.stamps].flatMap(wholeBuffer);
    const stored = await this.#parts.runner
      .run('storePage', input, { transfer })
      .catch(sourceError);
    if (stored instanceof EngineError) {
      const failure = directory.failPage(this.#run, stored);
      if (failure) this.#totals.addFailure(failure);
      this.#checkComplete(directory);
      return;
    }
    directory.totals.addPart(stored.totals);
    this.#totals.addPart(stored.totals);
    this.#queue.files.push(...directory.place(stored.pieces, slots));
    if (stored.rest) this.#queue.pages.unshift(...directory.placePages([stored.rest], slots));
    directory.finishPage(slots, stored);
    this.#checkComplete(directory);
  }

  async #startFile(placed: PlacedFile): Promise<void> {
    const claim = this.#links.claim(placed);
    if (claim === 'read') await this.#readFile(placed);
    else if (claim !== 'wait') this.#linkStored(placed, claim);
  }

  async #readFile(placed: PlacedFile, attempt = 1): Promise<void> {
    const { directory, file } = placed;
    const resumed = file.resumed && (await this.#parts.readChunks(file.resumed));
    const address = { run: this.#run, names: directory.names, isAfresh: attempt > 1 };
    const sinceMs = Date.now();
    const open = { placed, attempt, sinceMs, reading: new SharedReading(address, file, resumed) };
    this.#readings.add(open);
    this.#queue.readings.add(open);
    // Others may begin to help at once.
    this.#lanes.wake();
    await this.#join(open);
  }

  async #join(open: FileReading): Promise<void> {
    const { reading } = open;
    try {
      await reading.read(this.#parts.runner, () => this.#betweenShares());
    } finally {
      // Nobody joins a file whose last chunk has been taken.
      this.#queue.readings.delete(open);
    }
    if (reading.takeEnd()) await this.#finishFile(open);
  }

  async #betweenShares(): Promise<void> {
    if (this.#lanes.failure) throw this.#lanes.failure.error;
    await this.#parts.afterTask();
  }

  async #finishFile(open: FileReading): Promise<void> {
    const { placed, reading, attempt, sinceMs } = open;
    if (reading.failure) {
      this.#readings.giveUp(open);
      this.#fileFailed(placed, reading.failure);
      return;
    }
    const finished = await this.#parts.runner.run('finishFile', reading.finished(attempt));
    if (finished.changed) {
      this.#readings.giveUp(open);
      // Other names of it are read by themselves.
      this.#queue.files.push(...this.#links.giveUp(placed));
      await this.#readFile({ ...placed, file: finished.changed }, 2);
      return;
    }
    this.#readings.end(open);
    const { piece, skipped } = finished;
    const isSteady = skipped === undefined && attempt === 1;
    const { resumedBytes } = reading;
    this.#fileStored(placed, finished, piece, { isSteady, skipped, resumedBytes });
    const others = skipped
      ? this.#links.giveUp(placed)
      : this.#links.settle(placed, finished, sinceMs);
    this.#queue.files.push(...others);
  }

  #linkStored(placed: PlacedFile, stored: StoredContents): void {
    const outcome = { isSteady: true, linkedBytes: stored.bytes };
    this.#fileStored(placed, stored, fileText(placed.file, stored), outcome);
  }

  #fileStored(
    placed: PlacedFile,
    { bytes }: StoredContents,
    piece: Uint8Array,
    { isSteady, skipped, resumedBytes = 0, linkedBytes = 0 }: FileOutcome,
  ): void {
    const { directory, file } = placed;
    const totals = new TotalsBuilder();
    totals.addFile(file, bytes);
    totals.readFiles = 1;
    totals.readBytes = bytes - resumedBytes - linkedBytes;
    totals.linkedBytes = linkedBytes;
    if (skipped) totals.addSkipped(skipped);
    directory.totals.addPart(totals.part());
    this.#totals.addPart(totals.part());
    directory.finishFile(placed, piece, isSteady);
    this.#checkComplete(directory);
  }

  #fileFailed(placed: PlacedFile, error: EngineError): void {
    const { directory, file } = placed;
    const failure = failureAt(this.#run, [...directory.names, file.name], error, 'file');
    directory.totals.addFailure(failure);
    this.#totals.addFailure(failure);
    directory.finishFile(placed, undefined, false);
    this.#queue.files.push(...this.#links.giveUp(placed));
    this.#checkComplete(directory);
  }

  async #write(directory: OpenDirectory): Promise<void> {
    this.#changes.order.finish(directory.order, directory.record());
    const unchanged = directory.unchanged();
    if (!unchanged) directory.writing = this.#writeObject(directory);
    const written = unchanged ?? (await directory.writing);
    this.#open.delete(directory);
    if (written instanceof EngineError) {
      const { names, parent, position } = directory;
      if (parent === undefined) throw written;
      this.#childLost({ names, parent, position }, written);
    } else if (written) this.#directoryDone(directory, written);
  }

  async #writeObject(directory: OpenDirectory): Promise<WrittenDirectory | EngineError> {
    const summary = directory.totals.directorySummary(directory.metadata);
    const { extras } = directory;
    const input = { run: this.#run, pieces: directory.pieces(), summary, extras };
    const transfer = input.pieces.flatMap(wholeBuffer);
    const options = { transfer, isBrief: true };
    const written = await this.#parts.runner
      .run('writeDirectory', input, options)
      .catch(sourceError);
    return written instanceof EngineError ? written : { ...written, summary };
  }

  #directoryDone(
    { parent, position, metadata }: Pick<OpenDirectory, 'parent' | 'position' | 'metadata'>,
    written: WrittenDirectory,
  ): void {
    if (parent === undefined) this.#root = { written, metadata };
    else this.#childDone(parent, position, written);
  }

  #childDone(parent: OpenDirectory, position: number, written: WrittenDirectory | undefined): void {
    parent.finishChild(position, written);
    this.#checkComplete(parent);
  }

  #checkComplete(directory: OpenDirectory): void {
    if (directory.isComplete) this.#queue.writes.push(directory);
  }
}

// Carries out one planned section: directories first, then what is in them in the order of the
// packs, then further names of files. Worker threads do the work; here is decided what comes when,
// and what is to be said about it.

import { throwIfAborted } from '#engine/base/abort.ts';
import type { ByteWindow } from '#engine/base/byte-window.ts';
import { deserializeError, isEngineError } from '#engine/base/errors.ts';
import type { ContentSource } from '#engine/content/content-source.ts';
import type { TaskRunner } from '#engine/workers/tasks.ts';
import { chunkRanges, type ChunkRange, fetchOrder, type RangeLimits } from './pack-order.ts';
import { type PackSource, rangeSource } from './pack-source.ts';
import {
  CHUNK_FLAG,
  DIRECTORY_STATE,
  type DirectoryTable,
  ENTRY_ACTION,
  ENTRY_FLAG,
  ENTRY_KIND,
  isMade,
  isKeptDirectory,
  isNewDirectory,
  isPlannedDirectory,
  NO_ROW,
  type SectionTable,
} from './plan-tables.ts';
import { compareTasks } from './compare-tasks.ts';
import { chooseLeads, dropLostLeads, type LeadingName } from './linked-names.ts';
import type { PlanPaths } from './plan-paths.ts';
import type { PlannedSection } from './restore-planner.ts';
import type { RestoreReport } from './restore-report.ts';
import { rowTasks } from './row-tasks.ts';
import { SectionCrew, type TaskPlace } from './section-crew.ts';
import { SingleContents } from './single-contents.ts';
import type {
  CompareOutcome,
  RestoreRun,
  RestoreTasks,
  RowProblem,
  WorkOutcome,
} from './restore-tasks.ts';

export interface SectionParts {
  readonly contents: ContentSource;
  readonly packs: PackSource | undefined;
  /** Of packs that are no files; a range of a file is in its thread, and counted there. */
  readonly window: ByteWindow;
  readonly runner: TaskRunner<RestoreTasks>;
  readonly report: RestoreReport;
  readonly directories: DirectoryTable;
  readonly paths: PlanPaths;
}

const ROWS_PER_TASK = 512;
const EXAMINED_PER_TASK = 256;
const LINKS_PER_TASK = 1024;
const DIRECTORIES_PER_TASK = 512;
/** A request to an object store costs about as long as 64 KiB take to arrive. */
const REMOTE_LIMITS = Object.freeze({
  gapBytesMax: 64 << 10,
  rangeBytesMin: 1 << 20,
  rangeBytesMax: 8 << 20,
  chunksMax: 4096,
});
/** Reading from a file costs little, and short ranges keep all threads busy to the end. */
const LOCAL_LIMITS = Object.freeze({
  gapBytesMax: 16 << 10,
  rangeBytesMax: 2 << 20,
  chunksMax: 1024,
});
export class SectionRun {
  readonly #parts: SectionParts;
  readonly #run: RestoreRun;
  readonly table: SectionTable;
  readonly #section: PlannedSection;
  readonly #crew: SectionCrew;
  readonly #singly: SingleContents;
  /** Names of this section that others become links to. */
  #leads: ReadonlySet<LeadingName>;

  constructor(parts: SectionParts, run: RestoreRun, section: PlannedSection) {
    this.#parts = parts;
    this.#run = run;
    this.#section = section;
    this.#leads = new Set(section.leads);
    this.table = section.table;
    this.#crew = new SectionCrew(parts.runner, run, () => this.table.share(parts.directories));
    const { contents, report } = parts;
    const note = (outcome: WorkOutcome): void => this.#note(outcome);
    this.#singly = new SingleContents({ contents, report, note }, this.#crew, this.table);
  }

  /** Makes the directories and compares the rest with what is there. */
  async prepare(signal: AbortSignal): Promise<void> {
    await this.#makeDirectories(signal);
    this.#dropUnreachable();
    if (this.#run.overwrite === undefined) return;
    await this.#examine(signal);
    this.#leads = chooseLeads(this.table, this.#section);
  }

  /** Ranges that have to be fetched, in order; after prepare(). */
  ranges(): { readonly order: Uint32Array; readonly ranges: readonly ChunkRange[] } {
    const order = this.#order();
    const limits = this.#parts.packs?.localPath ? LOCAL_LIMITS : this.#remoteLimits();
    return { order, ranges: [...chunkRanges(this.table.chunks, order, limits)] };
  }

  /** All lanes have a range at a time, as far as there is room in the window. */
  #remoteLimits(): RangeLimits {
    const { rangeBytesMin, rangeBytesMax } = REMOTE_LIMITS;
    const shareBytes = Math.floor(this.#parts.window.bytesMax / this.#crew.laneCount);
    const bytes = Math.min(rangeBytesMax, Math.max(rangeBytesMin, shareBytes));
    return { ...REMOTE_LIMITS, rangeBytesMax: bytes };
  }

  /** Fetches and writes. */
  async restore(signal: AbortSignal): Promise<void> {
    const { order, ranges } = this.ranges();
    await this.#crew.each(this.#plainTasks(), signal, async (rows, workerIndex) => {
      this.#note(await this.#crew.task('restorePlain', { rows }, { workerIndex }));
    });
    if (this.#parts.packs) {
      using plan = this.#parts.packs.plan?.(
        ranges.map(({ pack, offset, length }) => ({
          packId: this.table.packIds[pack],
          offset,
          length,
        })),
      );
      const { get } = plan ?? this.#parts.packs;
      await this.#crew.each(ranges, signal, (range, workerIndex, rangeSignal) =>
        this.#restoreRange(order, range, get, { workerIndex, signal: rangeSignal }),
      );
    } else {
      await this.#singly.restore(order, { workerIndex: 0, signal });
    }
    await this.#singly.restore(this.#unknownChunks(), { workerIndex: 0, signal });
    await this.#finishWritten(signal);
    dropLostLeads(this.table, this.#leads);
    await this.#makeLinks(signal);
  }

  /** Reads everything that was written again and compares it with what was planned. */
  async verify(signal: AbortSignal): Promise<void> {
    const tasks = rowTasks(this.table.entryCount, ROWS_PER_TASK, () => true);
    await this.#crew.each(tasks, signal, async (rows, workerIndex) => {
      const { problems } = await this.#crew.task('restoreVerify', { rows }, { workerIndex });
      this.#note({ files: 0, bytes: 0, problems });
    });
  }

  /** Removes what the snapshot does not have, or says what it would be. */
  async removeExtra(
    { isDryRun }: { readonly isDryRun: boolean },
    signal: AbortSignal,
  ): Promise<string[]> {
    const { report, paths } = this.#parts;
    const extra: string[] = [];
    const { state } = this.#parts.directories.columns;
    const kept = this.#section.directories.filter(({ row }) => isKeptDirectory(state[row]));
    for (const { row, hasProblems } of kept) {
      if (!hasProblems) continue;
      const found = 'nothing removed, because some of its entries cannot be restored';
      report.differ(paths.ofDirectory(row), [
        { attribute: 'extra', expected: 'only entries of the snapshot', found },
      ]);
    }
    const sound = kept.filter(({ hasProblems }) => !hasProblems);
    for (let from = 0; from < sound.length; from += DIRECTORIES_PER_TASK) {
      throwIfAborted(signal);
      const directories = sound.slice(from, from + DIRECTORIES_PER_TASK);
      const input = { directories, isDryRun };
      const { removed, problems } = await this.#crew.task('restoreExtra', input);
      this.#note({ files: 0, bytes: 0, problems });
      for (const { row, name } of removed) extra.push(paths.join(row, name));
    }
    report.removed += extra.length;
    return extra;
  }

  /** Paths of files that have been begun and not finished. */
  partialFiles(): string[] {
    const { flags, chunksLeft, kind } = this.table.entries;
    const partial: string[] = [];
    for (let row = 0; row < this.table.entryCount; row++) {
      const isBegun = (flags[row] & ENTRY_FLAG.begun) !== 0 && kind[row] === ENTRY_KIND.file;
      const isOpen = chunksLeft[row] > 0 || (flags[row] & ENTRY_FLAG.written) !== 0;
      if (isBegun && isOpen) partial.push(this.#parts.paths.ofEntry(this.table, row));
    }
    return partial;
  }

  #order(): Uint32Array {
    const { entries, chunks, chunkCount } = this.table;
    return fetchOrder(chunks, chunkCount, chunk => isMade(entries.action[chunks.entry[chunk]]));
  }

  async #makeDirectories(signal: AbortSignal): Promise<void> {
    const { directories } = this.#parts;
    const { state, parent } = directories.columns;
    const isPlanned = (row: number): boolean =>
      isPlannedDirectory(state[row]) && parent[row] !== NO_ROW;
    // One after the other, since a directory has to be there before what is in it.
    for (const rows of rowTasks(directories.count, DIRECTORIES_PER_TASK, isPlanned)) {
      throwIfAborted(signal);
      this.#note(await this.#crew.task('restoreDirectories', { rows }));
    }
  }

  /** What is in a directory that cannot be had cannot be had either; one line says so. */
  #dropUnreachable(): void {
    const { state } = this.#parts.directories.columns;
    const { directory, action } = this.table.entries;
    for (let row = 0; row < this.table.entryCount; row++) {
      if (state[directory[row]] === DIRECTORY_STATE.failed) action[row] = ENTRY_ACTION.failed;
    }
  }

  async #examine(signal: AbortSignal): Promise<void> {
    const { report, directories } = this.#parts;
    const { directory, action } = this.table.entries;
    const { state } = directories.columns;
    const isExamined = (row: number): boolean =>
      (action[row] === ENTRY_ACTION.make || action[row] === ENTRY_ACTION.link) &&
      !isNewDirectory(state[directory[row]]);
    const tasks = rowTasks(this.table.entryCount, EXAMINED_PER_TASK, isExamined);
    await this.#crew.each(tasks, signal, async (rows, workerIndex) => {
      const examined = await this.#crew.task('restoreExamine', { rows }, { workerIndex });
      report.filesKept += examined.kept;
      this.#noteCompared(examined);
    });
    await this.#crew.each(compareTasks(this.table), signal, async (chunks, workerIndex) => {
      this.#noteCompared(await this.#crew.task('restoreCompare', { chunks }, { workerIndex }));
    });
  }

  #noteCompared({ presentBytes, problems }: CompareOutcome): void {
    const { report } = this.#parts;
    report.bytesPresent += presentBytes;
    this.#note({ files: 0, bytes: 0, problems });
    report.progress('');
  }

  /** Entries that need nothing from the repository. */
  *#plainTasks(): Generator<Uint32Array> {
    const { action, chunksLeft } = this.table.entries;
    const isPlain = (row: number): boolean =>
      action[row] === ENTRY_ACTION.settle || (isMade(action[row]) && chunksLeft[row] === 0);
    yield* rowTasks(this.table.entryCount, ROWS_PER_TASK, isPlain);
  }

  /** Once for all files that have to be on the disk first. */
  async #finishWritten(signal: AbortSignal): Promise<void> {
    const { flags, action } = this.table.entries;
    const isWritten = (row: number): boolean =>
      (flags[row] & ENTRY_FLAG.written) !== 0 && isMade(action[row]);
    const tasks = [...rowTasks(this.table.entryCount, ROWS_PER_TASK, isWritten)];
    if (tasks.length === 0) return;
    throwIfAborted(signal);
    await this.#crew.task('restoreWriteBack', {});
    await this.#crew.each(tasks, signal, async (rows, workerIndex) => {
      this.#note(await this.#crew.task('restoreFinish', { rows }, { workerIndex }));
      for (const row of rows) Atomics.and(flags, row, ~ENTRY_FLAG.written);
      this.#parts.report.progress('');
    });
  }

  /** Chunks that the index has no place for, and that the target does not have anyway. */
  #unknownChunks(): Uint32Array {
    const { chunks, entries, chunkCount } = this.table;
    const unknown: number[] = [];
    for (let chunk = 0; chunk < chunkCount; chunk++) {
      if ((chunks.flags[chunk] & CHUNK_FLAG.present) !== 0) continue;
      const isWanted = isMade(entries.action[chunks.entry[chunk]]);
      if (chunks.pack[chunk] === NO_ROW && isWanted) unknown.push(chunk);
    }
    return Uint32Array.from(unknown);
  }

  async #restoreRange(
    order: Uint32Array,
    range: ChunkRange,
    get: PackSource['get'],
    { workerIndex, signal }: TaskPlace,
  ): Promise<void> {
    throwIfAborted(signal);
    const { report, packs, window } = this.#parts;
    const { from, to, offset } = range;
    const packId = this.table.packIds[range.pack];
    let damaged: readonly number[] = [];
    const write = async (): Promise<void> => {
      const source = await rangeSource({ localPath: packs?.localPath, get }, packId, range, signal);
      const transfer = 'bytes' in source ? [source.bytes.buffer as ArrayBuffer] : [];
      const chunks = order.slice(from, to);
      const input = { source, packOffset: offset, chunks, isCached: packs?.isCached ?? false };
      const outcome = await this.#crew.task('restoreRange', input, { workerIndex, transfer });
      damaged = outcome.damaged;
      this.#note(outcome);
      report.bytesFetched += range.length;
    };
    try {
      if (packs?.localPath) await write();
      else await window.hold(range.length, signal, write);
    } catch (error) {
      if (!isEngineError(error, ...ELSEWHERE)) throw error;
      // Maintenance may have moved the contents; what is still missing then is damage.
      await this.#singly.restore(order.subarray(from, to), { workerIndex, signal });
    }
    if (damaged.length > 0) {
      await this.#singly.restore(Uint32Array.from(damaged), { workerIndex, signal });
    }
    report.progress('');
  }

  async #makeLinks(signal: AbortSignal): Promise<void> {
    const { report, paths } = this.#parts;
    const { action } = this.table.entries;
    const planned = this.#section.links.filter(({ row }) => action[row] === ENTRY_ACTION.link);
    for (const { lead, directory, name } of planned) {
      if (lead.isOurs) continue;
      const first = paths.join(lead.directory, lead.name);
      const message = `it is another name of ${first}, which could not be restored`;
      report.absent(paths.join(directory, name), { code: 'TARGET_ENTRY_FAILED', message });
    }
    const links = planned
      .filter(({ lead }) => lead.isOurs)
      .map(({ row, lead, directory, name }) => ({
        row,
        fromDirectory: lead.directory,
        fromName: lead.name,
        toDirectory: directory,
        toName: name,
      }));
    for (let from = 0; from < links.length; from += LINKS_PER_TASK) {
      throwIfAborted(signal);
      const part = links.slice(from, from + LINKS_PER_TASK);
      const { failures } = await this.#crew.task('restoreLinks', { links: part });
      report.files += part.length - failures.length;
      for (const [index, failure] of failures) {
        const { toDirectory, toName } = part[index];
        report.absent(paths.join(toDirectory, toName), failure);
      }
    }
  }

  #note({ files, bytes, problems }: WorkOutcome): void {
    const { report } = this.#parts;
    report.files += files;
    report.bytes += bytes;
    for (const problem of problems) this.#noteProblem(problem);
  }

  #noteProblem({ row, isDirectory, differences, failure, isDamage }: RowProblem): void {
    const { report, paths } = this.#parts;
    const path = isDirectory ? paths.ofDirectory(row) : paths.ofEntry(this.table, row);
    report.differ(path, differences);
    if (failure === undefined) return;
    if (isDamage) report.damage(path, deserializeError(failure));
    else report.absent(path, failure);
  }
}

/** A range that cannot be read where the index says it is. */
const ELSEWHERE = [
  'PACK_MISSING',
  'PACK_DAMAGED',
  'STORAGE_BLOB_NOT_FOUND',
  'STORAGE_RANGE_INVALID',
  'STORAGE_BLOB_TRUNCATED',
] as const;

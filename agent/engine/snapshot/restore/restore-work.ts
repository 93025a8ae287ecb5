// One restore, or the description of one: goals, planner, worker threads and report put together.

import { ByteWindow } from '#engine/base/byte-window.ts';
import { EngineError } from '#engine/base/errors.ts';
import { abortedError, throwIfAborted } from '#engine/base/abort.ts';
import { KEEP_ALL } from '#engine/snapshot/target/wanted-attributes.ts';
import { type EntryFilter, entryFilter } from './entry-filter.ts';
import { DIRECTORY_STATE, isKeptDirectory, SectionTable } from './plan-tables.ts';
import type { PlanTotals } from './plan-totals.ts';
import type { RestoreParts, RestoreRequest } from './restore.ts';
import { type OpenGoal, openGoals } from './restore-goals.ts';
import { type PlannedSection, RestorePlanner } from './restore-planner.ts';
import { type RestoreReport, withPartialFiles } from './restore-report.ts';
import type { RestoreRun } from './restore-tasks.ts';
import { rowTasks } from './row-tasks.ts';
import { SectionRun } from './section-run.ts';

export interface WorkOptions {
  readonly report: RestoreReport;
  readonly signal: AbortSignal | undefined;
  readonly isDryRun?: boolean;
}

interface OpenOptions extends WorkOptions {
  readonly filter: EntryFilter | undefined;
}

const DIRECTORIES_PER_TASK = 512;

let nextRunId = 1;

export class RestoreWork {
  readonly goals: readonly OpenGoal[];
  readonly #parts: RestoreParts;
  readonly #request: RestoreRequest;
  readonly #report: RestoreReport;
  readonly #filter: EntryFilter | undefined;
  readonly #planner: RestorePlanner;
  readonly #run: RestoreRun;
  readonly #signal: AbortSignal;
  readonly #failure = new AbortController();
  readonly #window: ByteWindow;
  #current: SectionRun | undefined;

  private constructor(
    parts: RestoreParts,
    request: RestoreRequest,
    goals: readonly OpenGoal[],
    { report, signal, isDryRun = false, filter }: OpenOptions,
  ) {
    this.#parts = parts;
    this.#window = new ByteWindow(parts.memory.restoreWindowBytes);
    this.#request = request;
    this.#report = report;
    this.#filter = filter;
    this.goals = goals;
    this.#signal = signal ? AbortSignal.any([signal, this.#failure.signal]) : this.#failure.signal;
    const { overwrite, delta = false, deleteExtra = false } = request;
    const { sparse = false, verify = false } = request;
    const { repositoryDirectory: own } = parts;
    this.#run = {
      runId: nextRunId++,
      targets: goals.map(({ directory }) => bytesOf(directory)),
      overwrite: overwrite ?? (delta ? 'always' : undefined),
      isDelta: delta,
      isRemovingExtra: deleteExtra,
      repositoryDirectory: own === undefined ? undefined : bytesOf(own),
      isSparse: sparse,
      isVerified: verify,
      isDryRun,
      policy: { ...KEEP_ALL, selinux: false, ...request.policy },
      isNativeAllowed: parts.isNativeAllowed ?? true,
      stop: new SharedArrayBuffer(4),
    };
    this.#planner = new RestorePlanner(
      { ...parts, report },
      {
        targets: goals.map(({ directory }) => directory),
        filter,
        sectionBytesMax: parts.memory.restorePlanBytes,
        mayBeTaken: this.#run.overwrite !== undefined,
        signal: this.#signal,
      },
    );
  }

  /** @throws USAGE for a glob that can match nothing, and what openGoals() throws */
  static async open(
    parts: RestoreParts,
    request: RestoreRequest,
    options: WorkOptions,
  ): Promise<RestoreWork> {
    throwIfAborted(options.signal);
    const { snapshot, target, further = [], overwrite, delta = false } = request;
    const { deleteExtra = false, include = [], exclude = [] } = request;
    if (deleteExtra && include.length + exclude.length > 0) {
      const text = 'removing what is extra was refused: a selection leaves out what is not extra';
      throw new EngineError('USAGE', `${text}; restore everything, or remove nothing`);
    }
    const filter = entryFilter(include, exclude);
    const goals = await openGoals(parts, [{ snapshot, target }, ...further], {
      mustBeEmpty: overwrite === undefined && !delta,
      isRemovingExtra: deleteExtra,
      isOverwriting: overwrite === undefined ? delta : overwrite !== 'never',
      repositoryDirectory: parts.repositoryDirectory,
      isNativeAllowed: parts.isNativeAllowed ?? true,
      isLeft: overwrite === 'never' || isSelecting(request),
      isDryRun: options.isDryRun ?? false,
      signal: options.signal,
    });
    return new RestoreWork(parts, request, goals, { ...options, filter });
  }

  /** Runs `work`; however it ends, the threads keep nothing of this restore. */
  async attempt(work: () => Promise<void>): Promise<void> {
    const stop = new Int32Array(this.#run.stop);
    const onAbort = (): void => void Atomics.store(stop, 0, 1);
    this.#signal.addEventListener('abort', onAbort, { once: true });
    try {
      if (this.#signal.aborted) onAbort();
      await this.#plantGoals();
      await work();
    } catch (error) {
      const isOwn = this.#signal.aborted && !this.#failure.signal.aborted;
      onAbort();
      const cause = isOwn ? abortedError(this.#signal) : error;
      throw withPartialFiles(cause, this.#current?.partialFiles() ?? []);
    } finally {
      this.#signal.removeEventListener('abort', onAbort);
      const { runId } = this.#run;
      await this.#parts.runner.broadcast('endRestore', { runId }).catch(() => undefined);
    }
  }

  /** Restores all sections, then gives directories their attributes. */
  async carryOut(): Promise<void> {
    const { deleteExtra = false, verify = false } = this.#request;
    const signal = this.#signal;
    for await (const section of this.#planned()) {
      this.#report.phase = 'restore';
      await section.prepare(signal);
      if (deleteExtra) await section.removeExtra({ isDryRun: false }, signal);
      await section.restore(signal);
      if (!verify) continue;
      this.#report.phase = 'verify';
      await section.verify(signal);
    }
    this.#tellUnmatched();
    await this.#settleDirectories();
  }

  /** Plans all sections and writes nothing. */
  async describe(totals: PlanTotals): Promise<void> {
    for await (const section of this.#planned()) {
      await section.prepare(this.#signal);
      if (this.#request.deleteExtra) {
        totals.addRemoved(await section.removeExtra({ isDryRun: true }, this.#signal));
      }
      totals.addEntries(section.table);
      totals.addRanges(section.table, section.ranges().ranges);
    }
    this.#tellUnmatched();
    totals.directories = this.#ownDirectories().length;
  }

  /** A glob may be mistyped, and what it was meant for is missed when it is too late. */
  #tellUnmatched(): void {
    // What could not be read may have held what is missing.
    if (this.#filter === undefined || this.#report.damagedCount > 0) return;
    for (const { text, mayBeExcluded } of this.#filter.unmatched()) {
      const where = mayBeExcluded ? ' outside of what is excluded' : '';
      const found = `nothing matches it${where}`;
      this.#report.differ('', [{ attribute: 'selection', expected: text, found }]);
    }
  }

  async #plantGoals(): Promise<void> {
    const { directories } = this.#planner;
    for (const [target, { entry, storedName, isNew }] of this.goals.entries()) {
      if (entry.type !== 'd') {
        const row = await this.#planner.addSingle(entry, target, storedName);
        if (isNew) directories.columns.state[row] = DIRECTORY_STATE.foreignNew;
        continue;
      }
      const row = this.#planner.addTree(entry, target);
      // One that was there is empty, or may have been: whoever may write to it does so meanwhile.
      const known = isSelecting(this.#request) ? DIRECTORY_STATE.foreign : DIRECTORY_STATE.kept;
      directories.columns.state[row] = isNew ? DIRECTORY_STATE.made : known;
    }
  }

  async *#planned(): AsyncGenerator<SectionRun> {
    for (;;) {
      const section = await this.#planner.nextSection();
      if (section === undefined) return;
      yield this.#begin(section);
    }
  }

  #begin(section: PlannedSection): SectionRun {
    const { bytes } = section.table.entries;
    for (let row = 0; row < section.table.entryCount; row++) this.#report.bytesTotal += bytes[row];
    const { directories, paths } = this.#planner;
    const { contents, packs, runner } = this.#parts;
    const window = this.#window;
    const parts = { contents, packs, window, runner, report: this.#report, directories, paths };
    this.#current = new SectionRun(parts, this.#run, section);
    return this.#current;
  }

  /** Rows of directories that are there and are given the snapshot's attributes. */
  #ownDirectories(): number[] {
    const { columns, count } = this.#planner.directories;
    const isKeptOurs = this.#run.overwrite !== 'never';
    const rows: number[] = [];
    for (let row = 0; row < count; row++) {
      const state = columns.state[row];
      const isOurs = isKeptOurs && isKeptDirectory(state);
      if (isOurs || state === DIRECTORY_STATE.made) rows.push(row);
    }
    return rows;
  }

  /** Children before parents: a parent's mode may forbid to enter it. */
  async #settleDirectories(): Promise<void> {
    const { runner } = this.#parts;
    const { directories, paths } = this.#planner;
    const rows = this.#ownDirectories().reverse();
    const { runId } = this.#run;
    const section = new SectionTable(1).share(directories);
    const options = { workerIndex: 0 };
    await runner.run('restoreEnter', { run: this.#run, section }, options);
    for (const part of rowTasks(rows.length, DIRECTORIES_PER_TASK, () => true)) {
      throwIfAborted(this.#signal);
      const input = { runId, rows: part.map(index => rows[index]) };
      const { problems } = await runner.run('restoreSettle', input, options);
      this.#report.directories += part.length;
      for (const { row, differences, failure } of problems) {
        this.#report.differ(paths.ofDirectory(row), differences);
        if (failure) this.#report.absent(paths.ofDirectory(row), failure);
      }
    }
    const { unseen } = await runner.run('restoreWriteBack', { runId }, options);
    // Files may have inherited some, and what the snapshot has of them is not there.
    const found = 'unknown: only native calls see it, and there are none here';
    for (const attribute of unseen) {
      this.#report.differ('', [{ attribute, expected: 'as in the snapshot', found }]);
    }
    this.#report.progress('');
  }
}

/** Memory of its own, which other threads may be given. */
function bytesOf(path: string): Uint8Array {
  return new Uint8Array(Buffer.from(path));
}

/** Whether only some of a tree is wanted, and directories may be no more than the way to it. */
function isSelecting({ include = [] }: RestoreRequest): boolean {
  return include.length > 0;
}

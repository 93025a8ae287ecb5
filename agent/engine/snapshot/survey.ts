// A dry run: the walk of a backup, with the same selection and the same comparison, that stores
// nothing. Only the directories on the way to where it is are in memory.

import { throwIfAborted } from '#engine/base/abort.ts';
import { TASKS_PER_THREAD } from '#engine/workers/tasks.ts';
import { BackupProgress } from './backup-progress.ts';
import { type BackupPlan, planBackup } from './backup-plan.ts';
import { type SourceKind, sourceKindOf } from './backup-source.ts';
import type { BackupOptions, BackupRequest } from './backup.ts';
import { readDirectoryObject } from './earlier-objects.ts';
import type { BackupParts } from './publish-snapshot.ts';
import { STATE } from './source/change-record.ts';
import { enterDirectory, type Selection } from './source/selection.ts';
import { joinPath } from './source/source-handle.ts';
import { printablePath } from './source/source-name.ts';
import { TreeReader } from './tree.ts';
import { openDeviceRoot } from './upload/device-root.ts';
import { isSourceError } from './upload/entry-faults.ts';
import { statFileRoot } from './upload/file-root.ts';
import { fileState, knownFile } from './upload/known-file.ts';
import { previousIds } from './upload/open-directory.ts';
import { resumedObjects } from './upload/resumed-objects.ts';
import { Lanes } from './upload/lanes.ts';
import { stoppable } from './upload/stoppable.ts';
import {
  addCounts,
  addFile,
  addUnreadable,
  emptyCounts,
  EXCLUSION_CLASSES,
  type ExcludedCount,
  type ExclusionClass,
  type FileCount,
  type SurveyCounts,
} from './upload/survey-tasks.ts';
import type {
  ChildDirectory,
  EarlierChild,
  PreviousObject,
  SkippedEntry,
} from './upload/upload-tasks.ts';

export interface SurveyOutcome {
  readonly source: { readonly user: string; readonly host: string; readonly path: string };
  /** Snapshots that it was compared with. */
  readonly parentIds: readonly string[];
  readonly files: {
    readonly new: FileCount;
    readonly changed: FileCount;
    readonly unchanged: FileCount;
  };
  readonly links: number;
  readonly directories: number;
  readonly others: number;
  /** Those that occur. */
  readonly excluded: readonly (ExcludedCount & { readonly by: ExclusionClass })[];
  /** What could not be read; the first 10,000. */
  readonly unreadable: readonly SkippedEntry[];
  readonly unreadableCount: number;
  /**
   * Bytes of new and changed files: no more than this has to be sent for them, and less where data
   * is there already or shrinks. Directories come on top.
   */
  readonly bytesToUploadMax: number;
  readonly durationMs: number;
}

/**
 * Says what a backup would do. The repository may be opened for reading only.
 * @throws what a backup throws before it stores anything
 */
export async function surveyBackup(
  parts: BackupParts,
  request: BackupRequest,
  { signal = new AbortController().signal, onProgress }: BackupOptions = {},
): Promise<SurveyOutcome> {
  throwIfAborted(signal);
  const { contents } = parts;
  const startTimeNs = contents.clock.nowNanoseconds();
  const kind = await sourceKindOf(request.path);
  const plan = await planBackup(parts, request, startTimeNs, signal);
  using progress = new BackupProgress(contents.control, contents.clock, onProgress);
  const counts = await SURVEYS[kind](parts, plan, signal);
  const { host, userName, path } = plan.source;
  const { links, directories, others, unreadable, unreadableCount } = counts;
  return {
    source: { user: userName, host, path },
    parentIds: plan.parentIds,
    files: { new: counts.new, changed: counts.changed, unchanged: counts.unchanged },
    links,
    directories,
    others,
    excluded: excludedOf(counts),
    unreadable,
    unreadableCount,
    bytesToUploadMax: counts.new.bytes + counts.changed.bytes,
    durationMs: progress.totals().durationMs,
  };
}

function excludedOf({ excluded }: SurveyCounts): SurveyOutcome['excluded'] {
  return EXCLUSION_CLASSES.map(by => ({ by, ...excluded[by] })).filter(
    ({ files, directories }) => files + directories > 0,
  );
}

type SurveyOf = (
  parts: BackupParts,
  plan: BackupPlan,
  signal: AbortSignal,
) => Promise<SurveyCounts>;

const SURVEYS: Readonly<Record<SourceKind, SurveyOf>> = Object.freeze({
  directory: surveyTree,
  file: async (_parts, plan) => await surveyFile(plan),
  device: async (_parts, plan) => await surveyDevice(plan),
});

/** All of it is read each time; which chunks are new nobody knows before. */
async function surveyDevice({ upload }: BackupPlan): Promise<SurveyCounts> {
  const { run, previousRoot } = upload;
  await using device = await openDeviceRoot(run);
  const counts = emptyCounts();
  addFile(previousRoot === undefined ? counts.new : counts.changed, device.bytes);
  return counts;
}

async function surveyFile({ upload, known: changes }: BackupPlan): Promise<SurveyCounts> {
  const { run, previousRoot, resumedRoots = [] } = upload;
  const counts = emptyCounts();
  const stat = statFileRoot(run);
  const known = await knownFile(changes);
  const isKnown = fileState(previousRoot, known, stat, run.changes) !== STATE.changed;
  const hasParent = previousRoot !== undefined || resumedRoots.length > 0;
  const state = hasParent ? counts.changed : counts.new;
  addFile(isKnown ? counts.unchanged : state, stat.size);
  return counts;
}

async function surveyTree(
  parts: BackupParts,
  plan: BackupPlan,
  signal: AbortSignal,
): Promise<SurveyCounts> {
  const { pool } = parts.contents;
  const { run } = plan.upload;
  return await stoppable(pool, { run, signal }, () => new Survey(parts, plan, signal).run());
}

/** A directory whose children are being surveyed. */
interface Level {
  readonly names: readonly Uint8Array[];
  readonly selection: Selection;
  readonly children: readonly ChildDirectory[];
  next: number;
}

class Survey {
  readonly #parts: BackupParts;
  readonly #plan: BackupPlan;
  readonly #signal: AbortSignal;
  readonly #earlier: TreeReader;
  readonly #counts = emptyCounts();
  readonly #levels: Level[] = [];

  constructor(parts: BackupParts, plan: BackupPlan, signal: AbortSignal) {
    this.#parts = parts;
    this.#plan = plan;
    this.#signal = signal;
    this.#earlier = new TreeReader(parts.contents.reader);
  }

  async run(): Promise<SurveyCounts> {
    const { selection, previousRoot, resumedRoots } = this.#plan.upload;
    const previous = previousRoot?.type === 'd' ? previousRoot : undefined;
    const resumed = resumedRoots?.filter(({ type }) => type === 'd');
    await this.#survey([], selection, { previous, resumed });
    const lanes = new Lanes({
      next: () => this.#take(),
      run: ({ level, child }) => this.#child(level, child),
      signal: this.#signal,
    });
    await lanes.run(TASKS_PER_THREAD * this.#parts.contents.pool.size);
    if (lanes.failure) throw lanes.failure.error;
    return this.#counts;
  }

  /** Depth first, so that few levels are open at a time. */
  #take(): { level: Level; child: ChildDirectory } | undefined {
    for (;;) {
      const level = this.#levels.at(-1);
      if (level === undefined) return undefined;
      if (level.next < level.children.length) return { level, child: level.children[level.next++] };
      this.#levels.pop();
    }
  }

  async #child(level: Level, child: ChildDirectory): Promise<void> {
    const names = [...level.names, child.name];
    const signal = this.#signal;
    try {
      await this.#earlier.announce(previousIds(level.children, level.next - 1), { signal });
      await this.#survey(names, enterDirectory(level.selection, child.name), child);
    } catch (error) {
      if (!isSourceError(error)) throw error;
      const path = printablePath(names.reduce(joinPath, this.#plan.upload.run.root));
      addUnreadable(this.#counts, { path, code: error.code, message: error.message });
    }
  }

  async #survey(
    names: readonly Uint8Array[],
    selection: Selection,
    earlier: EarlierChild,
  ): Promise<void> {
    const { contents } = this.#parts;
    const { upload, known: changes } = this.#plan;
    const read = (objectId: string): Promise<PreviousObject | undefined> =>
      readDirectoryObject(this.#earlier, objectId, this.#signal);
    const previous = earlier.previous && (await read(earlier.previous.objectId));
    const known = previous && (await changes?.find(names));
    const resumed = earlier.resumed && (await resumedObjects(earlier.resumed, read));
    const input = { run: upload.run, names, selection, previous, known, resumed };
    const found = await contents.pool.run('surveyDirectory', input);
    addCounts(this.#counts, found.counts);
    if (found.children.length === 0) return;
    this.#levels.push({ names, selection: found.selection, children: found.children, next: 0 });
  }
}

// What one worker thread holds for one dry run, and the task itself: one directory, listed and
// compared as a backup would. Files that would be read are opened, to see whether they may be.

import { isEngineError, type EngineError } from '#engine/base/errors.ts';
import type { ContentThread } from '#engine/workers/content-thread.ts';
import { COUNTER } from '#engine/workers/run-control.ts';
import type { TaskReply } from '#engine/workers/tasks.ts';
import { wrapModificationTime } from '#engine/snapshot/source/change-detection.ts';
import { STATE } from '#engine/snapshot/source/change-record.ts';
import { type GitRuleList, openRules } from '#engine/snapshot/source/git-rules.ts';
import { openSourceFileSystem } from '#engine/snapshot/source/open-source-file-system.ts';
import { type EntryVisitor, scanDirectory } from '#engine/snapshot/source/scan-directory.ts';
import type { Exclusion } from '#engine/snapshot/source/selection.ts';
import {
  entryPath,
  type SourceDirectory,
  type SourceFileSystem,
} from '#engine/snapshot/source/source-file-system.ts';
import { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { printablePath } from '#engine/snapshot/source/source-name.ts';
import { ENTRY_TYPE, SourceStat } from '#engine/snapshot/source/source-stat.ts';
import { DirectoryHandles } from './directory-handles.ts';
import { stopped } from './entry-faults.ts';
import { metadataOf } from './entry-metadata.ts';
import { PreviousEntries } from './previous-entries.ts';
import { addFile, addUnreadable, classOf, emptyCounts, type SurveyOutput } from './survey-tasks.ts';
import type { ChildDirectory, ScanInput, UploadRun } from './upload-tasks.ts';

const NONE = -1;

export class SurveyThread implements Disposable {
  readonly thread: ContentThread;
  readonly fileSystem: SourceFileSystem;
  readonly handles: DirectoryHandles;
  readonly excludes: readonly GitRuleList[];
  /** Scratch: names of the directory at hand, and metadata of it and of one entry. */
  readonly listing = new SourceListing();
  readonly directoryStat = new SourceStat();
  readonly stat = new SourceStat();
  readonly previous = new PreviousEntries();
  readonly run: UploadRun;
  readonly #stop: Int32Array;

  constructor(thread: ContentThread, run: UploadRun) {
    this.thread = thread;
    this.run = run;
    this.#stop = new Int32Array(run.stop);
    this.fileSystem = openSourceFileSystem({ native: run.isNativeAllowed });
    this.excludes = openRules(run.excludes);
    this.handles = new DirectoryHandles(this.fileSystem, run.root);
  }

  get isStopped(): boolean {
    return Atomics.load(this.#stop, 0) === 1 || this.thread.control.isStopped;
  }

  [Symbol.dispose](): void {
    this.handles[Symbol.dispose]();
  }
}

export function surveyTask(survey: SurveyThread, input: ScanInput): TaskReply<SurveyOutput> {
  const directory = survey.handles.at(input.names);
  const { fileSystem, directoryStat, listing, stat, excludes } = survey;
  fileSystem.statOpen(directory, directoryStat);
  survey.previous.begin(input.previous, input.known, input.resumed);
  const scan = new DirectorySurvey(survey, directory);
  const request = { fileSystem, directory, directoryStat, listing, stat, excludes };
  const scanned = scanDirectory({ ...request, selection: input.selection }, scan);
  scan.counts.directories += 1;
  if (scanned.isCache) scan.counts.excluded['cache directory'].directories += 1;
  survey.thread.counters[COUNTER.directories] += 1;
  const { children, counts } = scan;
  return { output: { selection: scanned.selection, children, counts } };
}

class DirectorySurvey implements EntryVisitor {
  readonly counts = emptyCounts();
  readonly children: ChildDirectory[] = [];
  readonly #survey: SurveyThread;
  readonly #directory: SourceDirectory;

  constructor(survey: SurveyThread, directory: SourceDirectory) {
    this.#survey = survey;
    this.#directory = directory;
  }

  readonly visit = (index: number, stat: SourceStat | undefined): void => {
    if (this.#survey.isStopped) throw stopped();
    // No file is said to be opened anyway, so there is always a stat.
    if (stat === undefined) return;
    wrapModificationTime(stat);
    const { previous, listing } = this.#survey;
    const position = previous.find(listing, index);
    if (stat.type === ENTRY_TYPE.directory) this.#addChild(index, stat, position);
    else if (stat.type === ENTRY_TYPE.symlink) this.counts.links += 1;
    else if (stat.type === ENTRY_TYPE.file) this.#addFile(index, stat, position);
    else this.counts.others += 1;
  };

  readonly exclude = (index: number, exclusion: Exclusion): void => {
    const count = this.counts.excluded[classOf(exclusion)];
    if (this.#survey.listing.typeAt(index) === ENTRY_TYPE.directory) {
      count.directories += 1;
      return;
    }
    count.files += 1;
    if (exclusion.reason !== 'ignored') count.bytes += this.#survey.stat.size;
  };

  readonly fail = (index: number, error: EngineError): void => {
    const { code, message } = error;
    const path = printablePath(entryPath(this.#directory, this.#survey.listing, index));
    addUnreadable(this.counts, { path, code, message });
  };

  #addFile(index: number, stat: SourceStat, position: number): void {
    const { fileSystem, listing, previous, thread } = this.#survey;
    thread.counters[COUNTER.files] += 1;
    if (this.#isUnchanged(position, stat)) {
      addFile(this.counts.unchanged, stat.size);
      return;
    }
    try {
      fileSystem.openFile(this.#directory, listing, index)[Symbol.dispose]();
    } catch (error) {
      if (!isEngineError(error) || error.code === 'LIMIT_EXCEEDED') throw error;
      this.fail(index, error);
      return;
    }
    const isKnown = position !== NONE && previous.isFile(position);
    addFile(isKnown ? this.counts.changed : this.counts.new, stat.size);
  }

  #isUnchanged(position: number, stat: SourceStat): boolean {
    const { previous, run } = this.#survey;
    if (position === NONE || !previous.isUnchanged(position, stat)) return false;
    return previous.stateOf(position, stat, run.changes) !== STATE.changed;
  }

  #addChild(index: number, stat: SourceStat, position: number): void {
    const name = this.#survey.listing.nameAt(index).slice();
    const earlier = this.#survey.previous.childAt(position, name);
    this.children.push({ ...metadataOf(name, stat), bytes: 0, ...earlier });
  }
}

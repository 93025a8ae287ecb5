// Sums over the entries of a directory, in the form of kopia's directory summaries and snapshot
// statistics (snapshot/snapshotfs/dir_manifest_builder.go, snapshot/stats.go).

import type { DirSummary, FailedEntry } from '#engine/format/directory.ts';
import { firstFailedEntries } from '#engine/format/directory.ts';
import type { EngineError } from '#engine/base/errors.ts';
import type { Exclusion } from '#engine/snapshot/source/selection.ts';
import { joinPath } from '#engine/snapshot/source/source-handle.ts';
import { nameText, printablePath } from '#engine/snapshot/source/source-name.ts';
import { ENTRY_TYPE, type SourceStat } from '#engine/snapshot/source/source-stat.ts';
import { errorHandlingAt, type FailedKind, isIgnored } from './error-handling.ts';
import type { EntryMetadata, PartTotals, SkippedEntry, UploadRun } from './upload-tasks.ts';

/** More skipped entries than this of one run are counted and not listed. */
export const SKIPPED_LISTED_MAX = 10_000;

/** When there are this many failed entries, those that the summary will not name are dropped. */
const FAILED_KEPT_MAX = 1024;

export interface Failure {
  /** For people. */
  readonly path: string;
  /** From the root of the snapshot, for the directory summary. */
  readonly storedPath: string;
  readonly error: EngineError;
  /** Counted as ignored by policy, and no reason to call the snapshot failed. */
  readonly isIgnored: boolean;
  /** With all that is in it. */
  readonly isDirectory: boolean;
}

/** The failure of the entry that `names` lead to from the root. */
export function failureAt(
  { root, errorRules }: Pick<UploadRun, 'root' | 'errorRules'>,
  names: readonly Uint8Array[],
  error: EngineError,
  kind: FailedKind,
): Failure {
  const path = printablePath(names.reduce(joinPath, root));
  const storedPath = names.map(name => nameText(name)).join('/');
  const handling = errorHandlingAt(errorRules, storedPath);
  const isDirectory = kind === 'directory';
  return { path, storedPath, error, isIgnored: isIgnored(handling, kind), isDirectory };
}

export class TotalsBuilder {
  readFiles = 0;
  readBytes = 0;
  linkedBytes = 0;
  cachedCount = 0;
  cachedBytes = 0;
  excludedFiles = 0;
  excludedBytes = 0;
  excludedDirectories = 0;
  skippedCount = 0;
  failedDirectoryCount = 0;
  readonly skipped: SkippedEntry[] = [];
  #bytes = 0;
  #files = 0;
  #symlinks = 0;
  #directories = 0;
  #entryCount = 0;
  // kopia begins with 1970, so a directory of older files is as late as that.
  #maxSeconds = 0;
  #maxNanoseconds = 0;
  #failedCount = 0;
  #ignoredErrorCount = 0;
  #failedEntries: FailedEntry[] = [];

  /** Entries that are missing and that no policy wants passed over. */
  get failedCount(): number {
    return this.#failedCount;
  }

  get ignoredErrorCount(): number {
    return this.#ignoredErrorCount;
  }

  /** The first of those that are missing. */
  get failedEntries(): readonly FailedEntry[] {
    return firstFailedEntries(this.#failedEntries);
  }

  get entryCount(): number {
    return this.#entryCount;
  }

  /** Whether everything that should be stored was, as it is. */
  get isFlawless(): boolean {
    return this.#failedCount + this.#ignoredErrorCount + this.skippedCount === 0;
  }

  /** `stat` counts only where the exclusion came from looking at the entry. */
  addExcluded(isDirectory: boolean, { reason }: Exclusion, stat: SourceStat): void {
    if (isDirectory) {
      this.excludedDirectories += 1;
      return;
    }
    this.excludedFiles += 1;
    if (reason !== 'ignored') this.excludedBytes += stat.size;
  }

  /** A file or link that is as it was. */
  addTakenOver(stat: SourceStat): void {
    this.cachedCount += 1;
    this.cachedBytes += stat.size;
    if (stat.type === ENTRY_TYPE.symlink) this.addSymlink(stat);
    else this.addFile(stat, stat.size);
  }

  addFile(metadata: Pick<EntryMetadata, 'mtimeSeconds' | 'mtimeNanoseconds'>, bytes: number): void {
    this.#files += 1;
    this.#bytes += bytes;
    this.#addEntryTime(metadata);
  }

  addSymlink(metadata: Pick<EntryMetadata, 'mtimeSeconds' | 'mtimeNanoseconds'>): void {
    this.#symlinks += 1;
    this.#addEntryTime(metadata);
  }

  addDirectory(metadata: EntryMetadata, summary: DirSummary): void {
    this.#addEntryTime(metadata);
    this.#addSummary(summary);
  }

  /** Adds what other tasks found in the same directory. */
  addPart(totals: PartTotals): void {
    this.readFiles += totals.readFiles;
    this.readBytes += totals.readBytes;
    this.linkedBytes += totals.linkedBytes;
    this.cachedCount += totals.cachedCount;
    this.cachedBytes += totals.cachedBytes;
    this.excludedFiles += totals.excludedFiles;
    this.excludedBytes += totals.excludedBytes;
    this.excludedDirectories += totals.excludedDirectories;
    this.skippedCount += totals.skippedCount;
    this.failedDirectoryCount += totals.failedDirectoryCount;
    const room = SKIPPED_LISTED_MAX - this.skipped.length;
    this.skipped.push(...totals.skipped.slice(0, room));
    this.#addSummary(totals.summary);
    this.#entryCount += totals.entryCount;
  }

  /**
   * What has vanished is named and is no failure: the snapshot is as the source has become. kopia
   * leaves it out without a word.
   */
  addFailure({ path, storedPath, error, isIgnored, isDirectory }: Failure): void {
    const { code, message } = error;
    const skipped = { path, code, message };
    if (code === 'SOURCE_VANISHED') {
      this.addSkipped(skipped);
      return;
    }
    if (isIgnored) this.#ignoredErrorCount += 1;
    else this.#failedCount += 1;
    if (isDirectory) this.failedDirectoryCount += 1;
    this.#addFailedEntries([{ path: storedPath, error: message }]);
    this.addSkipped(isDirectory ? { ...skipped, isDirectory } : skipped);
  }

  addSkipped(entry: SkippedEntry): void {
    this.skippedCount += 1;
    if (this.skipped.length < SKIPPED_LISTED_MAX) this.skipped.push(entry);
  }

  /** The totals so far as a part of a directory: without the directory itself. */
  part(): PartTotals {
    return {
      summary: this.#summary(0, { mtimeSeconds: 0, mtimeNanoseconds: 0 }),
      entryCount: this.#entryCount,
      readFiles: this.readFiles,
      readBytes: this.readBytes,
      linkedBytes: this.linkedBytes,
      cachedCount: this.cachedCount,
      cachedBytes: this.cachedBytes,
      excludedFiles: this.excludedFiles,
      excludedBytes: this.excludedBytes,
      excludedDirectories: this.excludedDirectories,
      skipped: this.skipped,
      skippedCount: this.skippedCount,
      failedDirectoryCount: this.failedDirectoryCount,
    };
  }

  /** The summary of the finished directory; its own time counts only when it is empty. */
  directorySummary(own: Pick<EntryMetadata, 'mtimeSeconds' | 'mtimeNanoseconds'>): DirSummary {
    return this.#summary(1, own);
  }

  #summary(
    ownDirectories: number,
    own: Pick<EntryMetadata, 'mtimeSeconds' | 'mtimeNanoseconds'>,
  ): DirSummary {
    const isEmpty = this.#entryCount === 0;
    return {
      bytes: this.#bytes,
      files: this.#files,
      symlinks: this.#symlinks,
      directories: this.#directories + ownDirectories,
      maxTimeSeconds: isEmpty ? own.mtimeSeconds : this.#maxSeconds,
      maxTimeNanoseconds: isEmpty ? own.mtimeNanoseconds : this.#maxNanoseconds,
      incomplete: '',
      failedCount: this.#failedCount,
      ignoredErrorCount: this.#ignoredErrorCount,
      failedEntries: firstFailedEntries(this.#failedEntries),
    };
  }

  #addSummary(summary: DirSummary): void {
    this.#bytes += summary.bytes;
    this.#files += summary.files;
    this.#symlinks += summary.symlinks;
    this.#directories += summary.directories;
    this.#failedCount += summary.failedCount;
    this.#ignoredErrorCount += summary.ignoredErrorCount;
    this.#addFailedEntries(summary.failedEntries);
    this.#addTime(summary.maxTimeSeconds, summary.maxTimeNanoseconds);
  }

  #addFailedEntries(entries: readonly FailedEntry[]): void {
    this.#failedEntries.push(...entries);
    if (this.#failedEntries.length < FAILED_KEPT_MAX) return;
    this.#failedEntries = firstFailedEntries(this.#failedEntries);
  }

  #addEntryTime(metadata: Pick<EntryMetadata, 'mtimeSeconds' | 'mtimeNanoseconds'>): void {
    this.#entryCount += 1;
    this.#addTime(metadata.mtimeSeconds, metadata.mtimeNanoseconds);
  }

  #addTime(seconds: number, nanoseconds: number): void {
    const isLater =
      seconds > this.#maxSeconds ||
      (seconds === this.#maxSeconds && nanoseconds > this.#maxNanoseconds);
    if (!isLater) return;
    this.#maxSeconds = seconds;
    this.#maxNanoseconds = nanoseconds;
  }
}

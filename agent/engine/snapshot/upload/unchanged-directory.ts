// A directory of which nothing has changed, told by what is known beside the parent snapshot alone:
// its object there is neither fetched nor opened. Most directories of most backups are like that.
// Whatever is in doubt goes the long way (directory-tasks.ts).

import { COUNTER } from '#engine/workers/run-control.ts';
import type { TaskReply } from '#engine/workers/tasks.ts';
import { wrapModificationTime } from '#engine/snapshot/source/change-detection.ts';
import {
  HEADER_WORDS,
  KnownRecord,
  STAMP_WORDS,
  STATE,
  stampState,
} from '#engine/snapshot/source/change-record.ts';
import {
  CACHE_TAG_NAME,
  type EntryVisitor,
  listDirectory,
  type ScannedDirectory,
  type ScanRequest,
  visitListed,
} from '#engine/snapshot/source/scan-directory.ts';
import type { EntriesDigest } from '#engine/snapshot/source/entries-digest.ts';
import { hasName } from '#engine/snapshot/source/entry-rows.ts';
import type { GitRuleList } from '#engine/snapshot/source/git-rules.ts';
import { NameRules } from '#engine/snapshot/source/name-rules.ts';
import {
  type Exclusion,
  gitIgnoreFileNames,
  isUnrestricted,
  type Selection,
} from '#engine/snapshot/source/selection.ts';
import { ENTRY_TYPE, type SourceStat } from '#engine/snapshot/source/source-stat.ts';
import { metadataOf } from './entry-metadata.ts';
import type { SeenDirectory } from './look-ahead-walk.ts';
import { TotalsBuilder } from './part-totals.ts';
import { isSourceError, stopped } from './entry-faults.ts';
import type { ComparedDirectory, CompareInput, CompareOutput, PartTotals } from './upload-tasks.ts';
import type { UploadThread } from './upload-thread.ts';

const NO_NAME = new Uint8Array(0);
/** Ends the visit at the first entry that is not what it was. */
const DIFFERENT = new Error('different');

/** What each directory adds to the totals where everything is as it was, else undefined. */
export function compareTask(
  upload: UploadThread,
  { directories }: CompareInput,
): TaskReply<readonly (CompareOutput | undefined)[]> {
  return { output: directories.map(directory => compareOrFail(upload, directory)) };
}

/** One that cannot be looked at differs: its scan meets the same, and says so. */
function compareOrFail(
  upload: UploadThread,
  directory: ComparedDirectory,
): CompareOutput | undefined {
  if (upload.isStopped) throw stopped();
  try {
    return compareDirectory(upload, directory);
  } catch (error) {
    if (isSourceError(error)) return undefined;
    throw error;
  }
}

function compareDirectory(
  upload: UploadThread,
  { names, selection, known }: ComparedDirectory,
): CompareOutput | undefined {
  const record = new KnownRecord(known);
  const directory = upload.handles.at(names);
  const { fileSystem, directoryStat, listing, stat, excludes, run } = upload;
  fileSystem.statOpen(directory, directoryStat);
  const isKnown = (stat: SourceStat) => record.ownState(stat, run.changes) === STATE.same;
  if (!isKnown(directoryStat)) return undefined;
  wrapModificationTime(directoryStat);
  const seen = upload.ahead?.take(names);
  // Another directory may have taken its place, and names may have come and gone.
  if (
    seen?.stat.isOnDeviceOf(directoryStat) &&
    isKnown(seen.stat) &&
    storesAll(seen.rows, selection, excludes)
  ) {
    return compareSeen(upload, record, seen);
  }
  const request = { fileSystem, directory, directoryStat, listing, stat, excludes, selection };
  const scanned = listDirectory(request);
  const comparison = new Comparison(upload, record);
  if (!comparison.isSame(request, scanned)) return undefined;
  return takenOver(upload, directoryStat, comparison.totals.part());
}

/** Whether nothing is left out of a directory with these entries, and none of them has rules. */
function storesAll(
  rows: Uint8Array,
  selection: Selection,
  excludes: readonly GitRuleList[],
): boolean {
  const { ignoreFileNames, skipsCacheDirectories } = selection;
  const rules = new NameRules(selection, excludes);
  if (!isUnrestricted(selection) || !rules.isEmpty) return false;
  const names = [...ignoreFileNames, ...gitIgnoreFileNames(selection)];
  const special = [...names.map(name => Buffer.from(name)), CACHE_TAG_NAME];
  return !hasName(rows, skipsCacheDirectories ? special : special.slice(0, -1));
}

/** The same for a directory whose entries have been looked at before. */
function compareSeen(
  upload: UploadThread,
  record: KnownRecord,
  { stat, rows, totals }: SeenDirectory,
): CompareOutput | undefined {
  if (record.count !== totals.entryCount) return undefined;
  // Stamps are in the rows, and a record with a digest has none that is uncertain.
  upload.digest.addRows(rows);
  return hasDigest(record, upload.digest) ? takenOver(upload, stat, totals) : undefined;
}

function takenOver(upload: UploadThread, stat: SourceStat, totals: PartTotals): CompareOutput {
  const { counters } = upload.thread;
  counters[COUNTER.directories] += 1;
  counters[COUNTER.filesReused] += totals.cachedCount;
  return { metadata: metadataOf(NO_NAME, stat), totals };
}

/** Compares entry by entry, and ends at the first that is not what it was. */
class Comparison implements EntryVisitor {
  readonly totals = new TotalsBuilder();
  readonly #upload: UploadThread;
  readonly #record: KnownRecord;
  #count = 0;

  constructor(upload: UploadThread, record: KnownRecord) {
    this.#upload = upload;
    this.#record = record;
    upload.digest.clear();
  }

  readonly visit = (index: number, stat: SourceStat | undefined): void => {
    const { digest, listing, run } = this.#upload;
    const at = HEADER_WORDS + this.#count * STAMP_WORDS;
    if (stat === undefined || this.#count === this.#record.count) throw DIFFERENT;
    if (stat.type !== ENTRY_TYPE.file && stat.type !== ENTRY_TYPE.symlink) throw DIFFERENT;
    if (stampState(this.#record.words, at, stat, run.changes) !== STATE.same) throw DIFFERENT;
    this.#count += 1;
    wrapModificationTime(stat);
    digest.add(listing, index, stat);
    this.totals.addTakenOver(stat);
  };

  readonly exclude = (index: number, exclusion: Exclusion): void => {
    const { listing, stat } = this.#upload;
    const isDirectory = listing.typeAt(index) === ENTRY_TYPE.directory;
    this.totals.addExcluded(isDirectory, exclusion, stat);
  };

  readonly fail = (): never => {
    throw DIFFERENT;
  };

  isSame(request: ScanRequest, scanned: ScannedDirectory): boolean {
    if (request.listing.order.length < this.#record.count) return false;
    try {
      visitListed(request, scanned, this);
    } catch (error) {
      if (error === DIFFERENT) return false;
      throw error;
    }
    return this.#count === this.#record.count && hasDigest(this.#record, this.#upload.digest);
  }
}

function hasDigest(record: KnownRecord, digest: EntriesDigest): boolean {
  const before = record.digest;
  const found = digest.finish();
  return before !== undefined && found !== undefined && equalWords(before, found);
}

function equalWords(a: Uint32Array, b: Uint32Array): boolean {
  return a.length === b.length && a.every((word, index) => word === b[index]);
}

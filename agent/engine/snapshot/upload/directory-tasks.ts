// Listing directories and storing what is in them, as tasks of a worker thread. A directory without
// children and without large files is finished in one go; a very large one is handed back in pages,
// so that other threads can take their share.

import { isEngineError, type EngineError } from '#engine/base/errors.ts';
import type { DirSummary } from '#engine/format/directory.ts';
import type { DirectoryExtras, EntryExtras } from '#engine/format/entry-extras.ts';
import { COUNTER } from '#engine/workers/run-control.ts';
import type { TaskReply } from '#engine/workers/tasks.ts';
import { wrapModificationTime } from '#engine/snapshot/source/change-detection.ts';
import {
  isDigestUsed,
  OWN_STAMP,
  STATE,
  StampBuilder,
} from '#engine/snapshot/source/change-record.ts';
import {
  type EntryVisitor,
  listDirectory,
  visitListed,
} from '#engine/snapshot/source/scan-directory.ts';
import {
  exclusionByStat,
  type Exclusion,
  isUnrestricted,
  type Selection,
} from '#engine/snapshot/source/selection.ts';
import type { SourceDirectory } from '#engine/snapshot/source/source-file-system.ts';
import { printablePath } from '#engine/snapshot/source/source-name.ts';
import { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { ENTRY_TYPE, type SourceStat } from '#engine/snapshot/source/source-stat.ts';
import { directoryExtraText, writeDirectoryObject } from './directory-object.ts';
import {
  attributeExtras,
  joinExtras,
  nameExtras,
  timeExtras,
  unreadableAttributes,
} from './entry-attributes.ts';
import { metadataOf } from './entry-metadata.ts';
import { EntryStore } from './entry-store.ts';
import { reusable } from './open-directory.ts';
import { PageBuilder } from './page-builder.ts';
import { TotalsBuilder } from './part-totals.ts';
import { PieceBuilder, textBuffers } from './piece-builder.ts';
import type { PreviousEntries } from './previous-entries.ts';
import { openPrevious } from './previous-object.ts';
import { isSpecial, SpecialEntries } from './special-entries.ts';
import { TaskTime } from './task-time.ts';
import type {
  ChildDirectory,
  DirectoryPage,
  PageInput,
  PageOutput,
  PreviousObject,
  ScanInput,
  ScanOutput,
  WrittenDirectory,
} from './upload-tasks.ts';
import type { UploadThread } from './upload-thread.ts';

/** The files and links of a directory with more entries than this are handed back in pages. */
const PAGED_ABOVE_ENTRIES = 4096;
const EMPTY = new Uint8Array(0);
const NONE = -1;

export function scanTask(upload: UploadThread, input: ScanInput): TaskReply<ScanOutput> {
  const directory = upload.handles.at(input.names);
  const { fileSystem, directoryStat, listing, stat, excludes } = upload;
  const seenMs = Date.now();
  fileSystem.statOpen(directory, directoryStat);
  wrapModificationTime(directoryStat);
  const { selection } = input;
  const request = { fileSystem, directory, directoryStat, listing, stat, excludes, selection };
  const scanned = listDirectory(request);
  upload.thread.counters[COUNTER.directories] += 1;
  const scan = new DirectoryScan(upload, directory, input, seenMs);
  visitListed(request, scanned, scan);
  const output = scan.finish(scanned.selection);
  return { output, transfer: [...textBuffers(output.pieces), ...pageBuffers(output)] };
}

function pageBuffers({ pages }: ScanOutput): ArrayBuffer[] {
  return pages.flatMap(({ names, types, previous, stamps }) => [
    names.buffer,
    types.buffer,
    previous.buffer,
    ...(stamps ? [stamps.buffer] : []),
  ]);
}

/** What becomes of the entries of one directory. */
class DirectoryScan implements EntryVisitor {
  readonly #upload: UploadThread;
  readonly #input: ScanInput;
  readonly #previous: PreviousEntries;
  readonly #totals = new TotalsBuilder();
  readonly #pieces: PieceBuilder;
  readonly #pages: PageBuilder;
  readonly #children: ChildDirectory[] = [];
  readonly #store: EntryStore;
  readonly #special: SpecialEntries;
  readonly #own = new StampBuilder();
  readonly #extras: DirectoryExtras;
  readonly #time: TaskTime;
  /** Whether no file is left out by what it is. */
  readonly #isFree: boolean;
  #damaged: string[] | undefined;
  #isOverdue = false;
  #lastIndex = NONE;
  #lastFound = NONE;

  constructor(upload: UploadThread, directory: SourceDirectory, input: ScanInput, seenMs: number) {
    const { listing: names, previous, stamps, specialStamps, digest } = upload;
    const { selection } = input;
    const totals = this.#totals;
    this.#upload = upload;
    const resumed = input.resumed?.flatMap(object => this.#opened(object) ?? []);
    previous.begin(this.#opened(input.previous), input.known, resumed);
    stamps.clear();
    specialStamps.clear();
    digest.clear();
    if (!isDigestUsed(upload.run.changes)) digest.spoil();
    this.#input = input;
    this.#previous = previous;
    this.#pieces = new PieceBuilder(previous.table, upload.gathered);
    this.#pages = new PageBuilder(names, previous);
    const common = { upload, directory, totals, previous, seenMs };
    this.#store = new EntryStore({ ...common, names, selection, stamps, digest });
    this.#special = new SpecialEntries({ ...common, stamps: specialStamps });
    this.#extras = { self: this.#self(directory, seenMs), special: this.#special.list };
    this.#time = new TaskTime(upload.run.taskMsMax);
    this.#isFree = isUnrestricted(selection);
  }

  // A file that cannot be taken over is opened anyway, and then looked at by its handle, unless
  // that look may leave it out: what is not wanted need not be readable. Pages look themselves.
  readonly isOpenedAnyway = (index: number): boolean =>
    this.#isPaged || (this.#isFree && this.#positionOf(index) === NONE);

  readonly visit = (index: number, stat: SourceStat | undefined): void => {
    if (stat?.type === ENTRY_TYPE.directory) this.#addChild(index, stat);
    else if (stat !== undefined && isSpecial(stat.type)) this.#addSpecial(index, stat);
    else if (this.#isPaged || this.#isOver()) this.#addToPage(index);
    else if (stat === undefined) this.#pieces.add(this.#store.storeUnseen(index));
    else this.#pieces.add(this.#store.store(index, stat, this.#positionOf(index)));
  };

  readonly exclude = (index: number, exclusion: Exclusion): void => {
    const isDirectory = this.#upload.listing.types[index] === ENTRY_TYPE.directory;
    this.#totals.addExcluded(isDirectory, exclusion, this.#upload.stat);
  };

  readonly fail = (index: number, error: EngineError): void => this.#store.fail(index, error);

  finish(selection: Selection): ScanOutput {
    const { directoryStat, stamps, specialStamps, digest } = this.#upload;
    const { table, object } = this.#previous;
    const pages = this.#pages.finish();
    const isUnchanged = this.#store.isUnchanged && this.#totals.isFlawless;
    const isComplete = this.#children.length === 0 && pages.length === 0 && this.#pieces.isComplete;
    const record = {
      own: this.#own.words(),
      entries: stamps.words(),
      special: specialStamps.words(),
      digest: digest.finish(),
    };
    return {
      metadata: metadataOf(EMPTY, directoryStat),
      selection,
      children: this.#children,
      pieces: isComplete ? [] : this.#pieces.finish(),
      pages,
      totals: this.#totals.part(),
      isUnchanged,
      extras: this.#extras,
      record,
      previousCount: table.count,
      previousExtra: table.extraText,
      // The main thread knows the parent's object alone.
      previousSummary:
        object?.objectId === this.#input.previous?.objectId ? table.summary : undefined,
      damaged: this.#damaged,
      written: isComplete ? this.#write(isUnchanged) : undefined,
    };
  }

  #opened(object: PreviousObject | undefined): PreviousObject | undefined {
    const opened = openPrevious(this.#upload.thread, object);
    if (object && opened === undefined) (this.#damaged ??= []).push(object.objectId);
    return opened;
  }

  #write(isUnchanged: boolean): WrittenDirectory {
    const { object, table } = this.#previous;
    const { summary, count, extraText } = table;
    const isSame =
      isUnchanged &&
      count === this.#totals.entryCount &&
      directoryExtraText(this.#extras) === extraText;
    const reused = isSame ? reusable(object, summary) : undefined;
    if (reused) return reused;
    const written: DirSummary = this.#totals.directorySummary({
      mtimeSeconds: this.#upload.directoryStat.mtimeSeconds,
      mtimeNanoseconds: this.#upload.directoryStat.mtimeNanoseconds,
    });
    const entries = this.#pieces.whole();
    const pieces = entries.length === 0 ? [] : [entries];
    const objectId = writeDirectoryObject(this.#upload, pieces, written, this.#extras);
    return { objectId, summary: written };
  }

  /** The attributes of the directory itself. */
  #self(directory: SourceDirectory, seenMs: number): EntryExtras | undefined {
    const { fileSystem, directoryStat, run } = this.#upload;
    const { known } = this.#previous;
    const state = known?.ownState(directoryStat, run.changes);
    if (known && state === STATE.same && !run.changes.forceHash) {
      this.#own.addAgain(known.words, OWN_STAMP);
      return this.#previous.self;
    }
    const found = fileSystem.attributesOf(directory, directoryStat);
    if (found && found.unreadable.length > 0) {
      const path = printablePath(directory.path);
      this.#totals.addSkipped(unreadableAttributes(path, found.unreadable));
      this.#own.addUnknown();
    } else {
      this.#own.add(directoryStat, seenMs);
    }
    return joinExtras(timeExtras(directoryStat), attributeExtras(found));
  }

  get #isPaged(): boolean {
    return this.#isOverdue || this.#upload.listing.count > PAGED_ABOVE_ENTRIES;
  }

  /** Once there are pages, everything that follows is in them. */
  #isOver(): boolean {
    this.#isOverdue = this.#time.isOver(this.#totals.readBytes);
    return this.#isOverdue;
  }

  /** Asked twice for most entries, and the search behind it moves on each time. */
  #positionOf(index: number): number {
    if (this.#lastIndex !== index) {
      this.#lastIndex = index;
      this.#lastFound = this.#previous.find(this.#upload.listing, index);
    }
    return this.#lastFound;
  }

  #addSpecial(index: number, stat: SourceStat): void {
    this.#upload.digest.spoil();
    this.#special.add(index, stat);
  }

  #addToPage(index: number): void {
    this.#upload.digest.spoil();
    this.#pages.add(index, this.#positionOf(index));
  }

  #addChild(index: number, stat: SourceStat): void {
    this.#upload.digest.spoil();
    wrapModificationTime(stat);
    const name = this.#upload.listing.nameAt(index);
    const metadata = metadataOf(name.slice(), stat, nameExtras(name));
    const earlier = this.#previous.childAt(this.#positionOf(index), name);
    this.#children.push({ ...metadata, bytes: 0, ...earlier });
  }
}

export function pageTask(upload: UploadThread, input: PageInput): TaskReply<PageOutput> {
  const directory = upload.handles.at(input.names);
  const { directoryStat, fileSystem, stat, previous, stamps } = upload;
  const seenMs = Date.now();
  fileSystem.statOpen(directory, directoryStat);
  const names = namesOf(input.page);
  previous.beginPage(input.page);
  stamps.clear();
  const totals = new TotalsBuilder();
  const pieces = new PieceBuilder(previous.table, upload.gathered);
  const { selection } = input;
  const common = { upload, directory, names, selection, totals };
  const store = new EntryStore({ ...common, previous, stamps, seenMs });
  const time = new TaskTime(upload.run.taskMsMax);
  const isFree = isUnrestricted(selection);
  let index = 0;
  // At least one each time, so that it comes to an end.
  for (; index < names.count && (index === 0 || !time.isOver(totals.readBytes)); index++) {
    const position = previous.find(names, index);
    if (isFree && position === NONE && names.types[index] === ENTRY_TYPE.file) {
      // Opened anyway, and then looked at by its handle.
      pieces.add(store.storeUnseen(index));
      continue;
    }
    try {
      fileSystem.statAt(directory, names, index, stat);
    } catch (error) {
      if (!isEngineError(error, 'SOURCE_VANISHED', 'SOURCE_UNREADABLE')) throw error;
      store.fail(index, error);
      continue;
    }
    const exclusion = exclusionByStat(selection, stat, directoryStat);
    if (exclusion !== undefined) totals.addExcluded(false, exclusion, stat);
    else pieces.add(store.store(index, stat, position));
  }
  const finished = pieces.finish();
  const isUnchanged = store.isUnchanged && totals.isFlawless;
  const done = { pieces: finished, totals: totals.part(), isUnchanged, stamps: stamps.words() };
  const rest = index === names.count ? undefined : restOf(input.page, index);
  return { output: { ...done, rest }, transfer: textBuffers(finished) };
}

/** Entries of the parent snapshot stay: they are found by name. */
function restOf(page: DirectoryPage, index: number): DirectoryPage {
  let start = 0;
  for (let name = 0; name < index; name++) start = page.names.indexOf(0, start) + 1;
  return { ...page, names: page.names.slice(start), types: page.types.slice(index) };
}

function namesOf({ names: bytes, types }: DirectoryPage): SourceListing {
  const names = new SourceListing();
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(0, start);
    names.add(bytes.subarray(start, end), types[names.count]);
    start = end + 1;
  }
  return names;
}

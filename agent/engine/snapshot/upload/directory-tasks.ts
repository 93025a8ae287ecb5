// Listing directories and storing what is in them, as tasks of a worker thread. A directory without
// children and without large files is finished in one go; a very large one is handed back in pages,
// so that other threads can take their share.

import { isUtf8 } from 'node:buffer';
import { isEngineError, type EngineError } from '#engine/base/errors.ts';
import type { DirEntry, DirSummary } from '#engine/format/directory.ts';
import type { DirectoryExtras, EntryExtras } from '#engine/format/entry-extras.ts';
import { COUNTER } from '#engine/workers/run-control.ts';
import type { TaskReply } from '#engine/workers/tasks.ts';
import { ParentEntries, wrapModificationTime } from '#engine/snapshot/source/change-detection.ts';
import { type EntryVisitor, scanDirectory } from '#engine/snapshot/source/scan-directory.ts';
import {
  exclusionByStat,
  type Exclusion,
  type Selection,
} from '#engine/snapshot/source/selection.ts';
import type { SourceDirectory } from '#engine/snapshot/source/source-file-system.ts';
import { printablePath } from '#engine/snapshot/source/source-name.ts';
import { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { ENTRY_TYPE, type SourceStat } from '#engine/snapshot/source/source-stat.ts';
import { directoryExtraText, writeDirectoryText } from './directory-object.ts';
import { attributeExtras, unreadableAttributes } from './entry-attributes.ts';
import { EntryStore, metadataOf } from './entry-store.ts';
import { reusable } from './open-directory.ts';
import { PageBuilder } from './page-builder.ts';
import { TotalsBuilder } from './part-totals.ts';
import { PieceBuilder, textBuffers } from './piece-builder.ts';
import { readPrevious, type PreviousDirectory } from './previous-directory.ts';
import type {
  ChildDirectory,
  PageInput,
  PageOutput,
  ScanInput,
  ScanOutput,
  WrittenDirectory,
} from './upload-tasks.ts';
import type { UploadThread } from './upload-thread.ts';

/** The files and links of a directory with more entries than this are handed back in pages. */
const PAGED_ABOVE_ENTRIES = 4096;
const EMPTY = new Uint8Array(0);

export function scanTask(upload: UploadThread, input: ScanInput): TaskReply<ScanOutput> {
  const directory = upload.handles.at(input.names);
  const { fileSystem, directoryStat, listing, stat, excludes } = upload;
  fileSystem.statOpen(directory, directoryStat);
  wrapModificationTime(directoryStat);
  const scan = new DirectoryScan(upload, directory, input);
  const request = { fileSystem, directory, directoryStat, listing, stat, excludes };
  const scanned = scanDirectory({ ...request, selection: input.selection }, scan);
  upload.thread.counters[COUNTER.directories] += 1;
  const output = scan.finish(scanned.selection);
  return { output, transfer: textBuffers(output.pieces) };
}

/** What becomes of the entries of one directory. */
class DirectoryScan implements EntryVisitor {
  readonly #upload: UploadThread;
  readonly #input: ScanInput;
  readonly #previous: PreviousDirectory;
  readonly #totals = new TotalsBuilder();
  readonly #pieces = new PieceBuilder();
  readonly #pages = new PageBuilder();
  readonly #children: ChildDirectory[] = [];
  readonly #store: EntryStore;
  readonly #extras: DirectoryExtras;
  #lastIndex = -1;
  #lastFound: DirEntry | undefined;

  constructor(upload: UploadThread, directory: SourceDirectory, input: ScanInput) {
    const { listing: names } = upload;
    const { selection } = input;
    this.#upload = upload;
    this.#input = input;
    this.#previous = readPrevious(input.previous);
    this.#store = new EntryStore({ upload, directory, names, selection, totals: this.#totals });
    this.#extras = { self: this.#selfExtras(directory), special: [] };
  }

  // A file that cannot be taken over is opened anyway, and then looked at by its handle.
  readonly isOpenedAnyway = (index: number): boolean =>
    this.#isPaged || this.#previousOf(index) === undefined;

  readonly visit = (index: number, stat: SourceStat | undefined): void => {
    if (!isUtf8(this.#upload.listing.nameAt(index))) this.#store.noteChangedName(index);
    if (stat?.type === ENTRY_TYPE.directory) this.#addChild(index, stat);
    else if (this.#isPaged) this.#pages.add(this.#nameOf(index), this.#previousOf(index));
    else if (stat === undefined) this.#pieces.add(this.#store.storeUnseen(index));
    else this.#pieces.add(this.#store.store(index, stat, this.#previousOf(index)));
  };

  readonly exclude = (index: number, exclusion: Exclusion): void => {
    const isDirectory = this.#upload.listing.types[index] === ENTRY_TYPE.directory;
    this.#totals.addExcluded(isDirectory, exclusion, this.#upload.stat);
  };

  readonly fail = (index: number, error: EngineError): void => this.#store.fail(index, error);

  finish(selection: Selection): ScanOutput {
    const metadata = metadataOf(EMPTY, this.#upload.directoryStat);
    const pages = this.#pages.finish();
    const isUnchanged = this.#store.isUnchanged && this.#totals.isFlawless;
    const isComplete = this.#children.length === 0 && pages.length === 0 && this.#pieces.isComplete;
    return {
      metadata,
      selection,
      children: this.#children,
      pieces: isComplete ? [] : this.#pieces.finish(),
      pages,
      totals: this.#totals.part(),
      isUnchanged,
      extras: this.#extras,
      previousCount: this.#previous.entries.count,
      previousExtra: this.#previous.extra,
      previousSummary: this.#previous.summary,
      written: isComplete ? this.#write(isUnchanged) : undefined,
    };
  }

  #write(isUnchanged: boolean): WrittenDirectory {
    const { summary, entries, extra } = this.#previous;
    const { previous } = this.#input;
    const isSame =
      isUnchanged &&
      entries.count === this.#totals.entryCount &&
      directoryExtraText(this.#extras) === extra;
    const reused = isSame ? reusable(previous, summary) : undefined;
    if (reused) return reused;
    const written: DirSummary = this.#totals.directorySummary({
      mtimeSeconds: this.#upload.directoryStat.mtimeSeconds,
      mtimeNanoseconds: this.#upload.directoryStat.mtimeNanoseconds,
    });
    const objectId = writeDirectoryText(this.#upload, this.#pieces.text(), written, this.#extras);
    return { objectId, summary: written };
  }

  #selfExtras(directory: SourceDirectory): EntryExtras | undefined {
    const { fileSystem, directoryStat } = this.#upload;
    const found = fileSystem.attributesOf(directory, directoryStat);
    if (found && found.unreadable.length > 0) {
      const path = printablePath(directory.path);
      this.#totals.addSkipped(unreadableAttributes(path, found.unreadable));
    }
    return attributeExtras(found);
  }

  get #isPaged(): boolean {
    return this.#upload.listing.count > PAGED_ABOVE_ENTRIES;
  }

  #nameOf(index: number): Uint8Array {
    return this.#upload.listing.nameAt(index).slice();
  }

  /** Asked twice for most entries, and the search behind it moves on each time. */
  #previousOf(index: number): DirEntry | undefined {
    if (this.#lastIndex !== index) {
      this.#lastIndex = index;
      this.#lastFound = this.#previous.entries.find(this.#upload.listing, index);
    }
    return this.#lastFound;
  }

  #addChild(index: number, stat: SourceStat): void {
    wrapModificationTime(stat);
    const found = this.#previousOf(index);
    const previous = found?.type === 'd' ? found : undefined;
    this.#children.push({ ...metadataOf(this.#nameOf(index), stat), bytes: 0, previous });
  }
}

export function pageTask(upload: UploadThread, input: PageInput): TaskReply<PageOutput> {
  const directory = upload.handles.at(input.names);
  const { directoryStat, fileSystem, stat } = upload;
  fileSystem.statOpen(directory, directoryStat);
  const names = new SourceListing();
  for (const name of input.page.names) names.add(name, ENTRY_TYPE.file);
  const previous = new ParentEntries(input.page.previous);
  const totals = new TotalsBuilder();
  const pieces = new PieceBuilder();
  const { selection } = input;
  const store = new EntryStore({ upload, directory, names, selection, totals });
  for (let index = 0; index < names.count; index++) {
    try {
      fileSystem.statAt(directory, names, index, stat);
    } catch (error) {
      if (!isEngineError(error, 'SOURCE_VANISHED', 'SOURCE_UNREADABLE')) throw error;
      store.fail(index, error);
      continue;
    }
    const exclusion = exclusionByStat(selection, stat, directoryStat);
    if (exclusion !== undefined) totals.addExcluded(false, exclusion, stat);
    else pieces.add(store.store(index, stat, previous.find(names, index)));
  }
  const finished = pieces.finish();
  const isUnchanged = store.isUnchanged && totals.isFlawless;
  const output = { pieces: finished, totals: totals.part(), isUnchanged };
  return { output, transfer: textBuffers(finished) };
}

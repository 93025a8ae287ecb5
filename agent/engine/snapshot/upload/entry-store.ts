// Stores one file or link and gives the text of its entry; the same for a whole directory and for a
// page of a large one. What the parent snapshot holds is taken over where kopia's rule and what is
// known beside the snapshot agree (docs/change-detection.md).

import { type EngineError, isEngineError } from '#engine/base/errors.ts';
import { encodeEntry } from '#engine/format/directory.ts';
import { encodeExtras, type EntryExtras } from '#engine/format/entry-extras.ts';
import { COUNTER } from '#engine/workers/run-control.ts';
import { wrapModificationTime } from '#engine/snapshot/source/change-detection.ts';
import { STATE, type StampBuilder } from '#engine/snapshot/source/change-record.ts';
import type { EntriesDigest } from '#engine/snapshot/source/entries-digest.ts';
import { exclusionByStat, type Selection } from '#engine/snapshot/source/selection.ts';
import {
  entryPath,
  type SourceDirectory,
  type SourceFile,
} from '#engine/snapshot/source/source-file-system.ts';
import type { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { printablePath } from '#engine/snapshot/source/source-name.ts';
import { ENTRY_TYPE, type SourceStat } from '#engine/snapshot/source/source-stat.ts';
import {
  attributeExtras,
  type FileLook,
  joinExtras,
  lookAtFile,
  nameExtras,
  timeExtras,
  unreadableAttributes,
} from './entry-attributes.ts';
import {
  changedWhileRead,
  isSourceError,
  isSteady,
  stopped,
  unsupportedType,
} from './entry-faults.ts';
import { largeFileOf } from './entry-metadata.ts';
import type { FailedKind } from './error-handling.ts';
import { storeContents } from './file-contents.ts';
import { linkGroupOf } from './linked-files.ts';
import { failureAt, type TotalsBuilder } from './part-totals.ts';
import { resumable } from './partial-file.ts';
import type { PreviousEntries } from './previous-entries.ts';
import type { LargeFile } from './upload-tasks.ts';
import type { UploadThread } from './upload-thread.ts';

/** Files up to this long are read by the thread that lists them; longer ones by several. */
export const INLINE_FILE_BYTES_MAX = 1024 * 1024;

export interface EntryStoreParts {
  readonly upload: UploadThread;
  readonly directory: SourceDirectory;
  readonly names: SourceListing;
  readonly selection: Selection;
  readonly totals: TotalsBuilder;
  readonly previous: PreviousEntries;
  /** Gets a stamp for each entry that is stored. */
  readonly stamps: StampBuilder;
  /** Gets the entries of a whole directory. */
  readonly digest?: EntriesDigest;
  /** Date.now() before anything was looked at. */
  readonly seenMs: number;
}

/**
 * The text of an entry, in memory that the next one overwrites; the position of one whose text is
 * that of the parent snapshot; a file that has to be read by itself; or nothing to store.
 */
export type StoredEntry = Uint8Array | number | LargeFile | undefined;

const NONE = -1;
const NOTHING: readonly string[] = Object.freeze([]);

/** Which entry: of the listing, as it was seen, and in the parent's table. */
interface Place {
  readonly index: number;
  readonly stat: SourceStat;
  readonly position: number;
}

interface StoredObject {
  readonly objectId: string;
  readonly bytes: number;
  readonly extras: EntryExtras | undefined;
}

export class EntryStore {
  /** Whether everything so far has the text that the parent snapshot has for it. */
  isUnchanged = true;
  readonly #parts: EntryStoreParts;

  constructor(parts: EntryStoreParts) {
    this.#parts = parts;
  }

  /**
   * Stores a file or link that has been looked at. What goes wrong is counted, not thrown.
   * @param position in the parent's table, or -1
   */
  store(index: number, stat: SourceStat, position: number): StoredEntry {
    if (this.#parts.upload.isStopped) throw stopped();
    wrapModificationTime(stat);
    let state: number = STATE.changed;
    if (position !== NONE && this.#parts.previous.isUnchanged(position, stat)) {
      state = this.#stateOf(position, stat);
      if (state === STATE.same) return this.#takeOver(index, position, stat);
    }
    return this.#guard(index, () => {
      if (state === STATE.unknown) return this.#lookAgain(index, stat, position);
      if (stat.type === ENTRY_TYPE.file) return this.#openAndStore(index, position, false);
      if (stat.type === ENTRY_TYPE.symlink) return this.#storeLink(index, stat, position);
      throw unsupportedType(stat.type, this.#pathOf(index));
    });
  }

  /** Stores a file that nobody has looked at yet. */
  storeUnseen(index: number): StoredEntry {
    return this.#guard(index, () => this.#openAndStore(index, NONE, false));
  }

  /** Counts an entry that could not be stored; of a type that a policy passes over, it names it. */
  fail(index: number, error: EngineError): void {
    const { upload, directory, names, totals } = this.#parts;
    const { code, message } = error;
    this.isUnchanged = false;
    const namesToEntry = [...directory.namesBelowRoot(), names.nameAt(index)];
    const failure = failureAt(upload.run, namesToEntry, error, kindOf(names, index, error));
    if (failure.isIgnored && code === 'SOURCE_TYPE_UNSUPPORTED')
      totals.addSkipped({ path: failure.path, code, message });
    else totals.addFailure(failure);
  }

  #guard(index: number, store: () => StoredEntry): StoredEntry {
    if (this.#parts.upload.isStopped) throw stopped();
    try {
      const stored = store();
      if (typeof stored !== 'number') this.isUnchanged = false;
      return stored;
    } catch (error) {
      if (!isSourceError(error)) throw error;
      this.isUnchanged = false;
      this.fail(index, error);
      return undefined;
    }
  }

  #stateOf(position: number, stat: SourceStat): number {
    const { upload, previous } = this.#parts;
    const { changes } = upload.run;
    const state = previous.stateOf(position, stat, changes);
    // A new name of an old file shows in the change time alone.
    const isBlind = changes.ignoreCtime && stat.linkCount > 1;
    return state === STATE.same && isBlind ? STATE.unknown : state;
  }

  /** Uses the entry of the parent snapshot as it stands. */
  #takeOver(index: number, position: number, stat: SourceStat): number {
    this.#countCached(stat);
    this.#parts.digest?.add(this.#parts.names, index, stat);
    // Not what was seen now: a change that is to be ignored is not to be forgotten.
    this.#stampAgain(position);
    return position;
  }

  /** The next backup knows of it what this one knew; false when that is nothing. */
  #stampAgain(position: number): boolean {
    const { stamps, previous } = this.#parts;
    if (previous.stamps === undefined) return false;
    stamps.addAgain(previous.stamps, previous.stampAt(position));
    return true;
  }

  #countCached(stat: SourceStat): void {
    const { totals, upload } = this.#parts;
    totals.addTakenOver(stat);
    upload.thread.counters[COUNTER.filesReused] += 1;
  }

  /** Uses the content of the parent snapshot and looks for attributes. */
  #lookAgain(index: number, stat: SourceStat, position: number): StoredEntry {
    if (stat.type !== ENTRY_TYPE.file) {
      return this.#keepContent({ index, stat, position }, this.#lookAt(index, stat));
    }
    try {
      return this.#openAndStore(index, position, true);
    } catch (error) {
      const hasChanged = !this.#parts.previous.isUnchanged(position, stat);
      if (hasChanged || !isEngineError(error, 'SOURCE_UNREADABLE')) throw error;
      // Whoever may not read it can still tell that it has not changed.
      this.#stampKept({ index, stat, position }, [`all: ${String(error.details.errno)}`]);
      this.#countCached(stat);
      return position;
    }
  }

  #keepContent(place: Place, look: FileLook): StoredEntry {
    const { index, stat, position } = place;
    const objectId = this.#parts.previous.table.objectIdAt(position);
    this.#countCached(stat);
    const extras = this.#extrasOf(index, stat, look.extras);
    this.#stampKept(place, look.unreadable);
    return this.#entry(place, { objectId, bytes: stat.size, extras });
  }

  #storeLink(index: number, stat: SourceStat, position: number): StoredEntry {
    const { upload, directory, names, totals } = this.#parts;
    const target = upload.fileSystem.readLink(directory, names, index);
    const look = this.#lookAt(index, stat);
    const objectId = upload.objects.write(target, { prefix: 0 });
    totals.addSymlink(stat);
    const extras = this.#extrasOf(index, stat, look.extras);
    this.#stamp(index, stat, look.unreadable);
    return this.#entry({ index, stat, position }, { objectId, bytes: target.length, extras });
  }

  /** @param keepsContent whether the content is old as long as kopia's rule says so */
  #openAndStore(index: number, position: number, keepsContent: boolean): StoredEntry {
    const { upload, directory, names } = this.#parts;
    const file = upload.fileSystem.openFile(directory, names, index);
    // Not by `using`: what the build makes of it was a tenth of all garbage of many small files.
    try {
      return this.#storeOpen(file, index, position, keepsContent);
    } finally {
      file[Symbol.dispose]();
    }
  }

  #storeOpen(
    file: SourceFile,
    index: number,
    position: number,
    keepsContent: boolean,
  ): StoredEntry {
    const { upload, selection, totals, previous } = this.#parts;
    const { stat, fileSystem } = upload;
    fileSystem.statOpen(file, stat);
    wrapModificationTime(stat);
    if (stat.type !== ENTRY_TYPE.file) throw unsupportedType(stat.type, this.#pathOf(index));
    const exclusion = exclusionByStat(selection, stat, upload.directoryStat);
    if (exclusion !== undefined) {
      totals.excludedFiles += 1;
      totals.excludedBytes += stat.size;
      return undefined;
    }
    if (keepsContent && previous.isUnchanged(position, stat)) {
      return this.#keepContent({ index, stat, position }, lookAtFile(upload, file, stat));
    }
    const linked = stat.linkCount > 1 ? upload.linked.find(stat) : undefined;
    if (linked) {
      const extras = this.#extrasOf(index, stat, linked.attributes);
      this.#stamp(index, stat, NOTHING);
      totals.linkedBytes += linked.bytes;
      return this.#countFile({ index, stat, position }, { ...linked, extras });
    }
    if (stat.size > INLINE_FILE_BYTES_MAX) return this.#handBack(index, stat, file);
    return this.#readAndStore({ index, stat, position }, file);
  }

  #handBack(index: number, stat: SourceStat, file: SourceFile): LargeFile {
    const { upload, names, stamps } = this.#parts;
    const look = lookAtFile(upload, file, stat);
    const extras = this.#extrasOf(index, stat, look.extras);
    this.#stamp(index, stat, look.unreadable);
    const name = names.nameAt(index).slice();
    const large = largeFileOf(name, stat, { extras, stampIndex: stamps.count - 1 });
    const resumed = this.#resumed(index, stat);
    return resumed === undefined ? large : { ...large, resumed };
  }

  /** What an earlier run has read of the file and need not be read again. */
  #resumed(index: number, stat: SourceStat): LargeFile['resumed'] {
    const { names, previous, upload } = this.#parts;
    if (previous.partials.size === 0) return undefined;
    const partial = previous.partials.get(names.textAt(index));
    return partial && resumable(partial, stat, upload.run.changes);
  }

  /** Reads it; once more when it changes meanwhile. */
  #readAndStore(place: Place, file: SourceFile): StoredEntry {
    const { upload, totals, names, stamps, seenMs } = this.#parts;
    const { index, stat } = place;
    const { statAfter } = upload;
    for (let attempt = 1; ; attempt++) {
      const { extras: attributes, unreadable } = lookAtFile(upload, file, stat);
      const { objectId, bytes } = storeContents(upload, {
        name: () => names.textAt(index),
        file,
        fileBytes: stat.size,
        holes: attributes?.holes,
      });
      upload.fileSystem.statOpen(file, statAfter);
      wrapModificationTime(statAfter);
      const isWhole = bytes === stat.size && isSteady(stat, statAfter);
      if (!isWhole && attempt === 1) {
        Object.assign(stat, statAfter);
        continue;
      }
      this.#stamp(index, stat, unreadable);
      if (!isWhole) {
        totals.addSkipped(changedWhileRead(this.#pathOf(index), stat.size, bytes));
        stamps.markLastRacy();
      } else if (stat.linkCount > 1 && unreadable.length === 0) {
        upload.linked.add(stat, { objectId, bytes, attributes }, seenMs);
      }
      const extras = this.#extrasOf(index, stat, attributes);
      totals.readBytes += bytes;
      return this.#countFile(place, { objectId, bytes, extras });
    }
  }

  #countFile(place: Place, stored: StoredObject): StoredEntry {
    const { totals, upload } = this.#parts;
    totals.readFiles += 1;
    totals.addFile(place.stat, stored.bytes);
    upload.thread.counters[COUNTER.files] += 1;
    return this.#entry(place, stored);
  }

  /** The text of an entry, or its position where the parent snapshot has the same. */
  #entry({ index, stat, position }: Place, { objectId, bytes, extras }: StoredObject): StoredEntry {
    const { names, previous, upload } = this.#parts;
    const { entryText } = upload;
    const entry = {
      type: stat.type === ENTRY_TYPE.symlink ? 's' : 'f',
      mode: stat.permissions,
      bytes,
      mtimeSeconds: stat.mtimeSeconds,
      mtimeNanoseconds: stat.mtimeNanoseconds,
      uid: stat.uid,
      gid: stat.gid,
      objectId,
    };
    entryText.clear();
    if (extras !== undefined || !entryText.addPlain(entry, names.placeOf(index))) {
      const extra = extras && encodeExtras(extras);
      entryText.addText(encodeEntry({ ...entry, name: '', extra }, names.literalAt(index)));
    }
    const text = entryText.view;
    return position !== NONE && previous.hasText(position, text) ? position : text;
  }

  #extrasOf(
    index: number,
    stat: SourceStat,
    attributes: EntryExtras | undefined,
  ): EntryExtras | undefined {
    const { upload, names } = this.#parts;
    const name = names.isAsciiAt(index) ? undefined : nameExtras(names.nameAt(index));
    const linkGroup = linkGroupOf(stat, upload.rootStat);
    const link = linkGroup === undefined ? undefined : { linkGroup };
    return joinExtras(name, link, timeExtras(stat), attributes);
  }

  /** What is found of an entry that is not to be opened. */
  #lookAt(index: number, stat: SourceStat): FileLook {
    const { upload, directory, names } = this.#parts;
    const found = upload.fileSystem.attributesAt(directory, names, index, stat);
    return { extras: attributeExtras(found), unreadable: found?.unreadable ?? NOTHING };
  }

  /** Notes what the next backup can know of an entry. */
  #stamp(index: number, stat: SourceStat, unreadable: readonly string[]): void {
    const { stamps, seenMs } = this.#parts;
    stamps.add(stat, seenMs);
    this.#noteLook(index, stat, unreadable);
  }

  /** The same of one whose content is old: with what is ignored, what the last one knew. */
  #stampKept({ index, stat, position }: Place, unreadable: readonly string[]): void {
    const { stamps, upload, seenMs } = this.#parts;
    const { ignoreCtime, ignoreInode } = upload.run.changes;
    const isKept = (ignoreCtime || ignoreInode) && this.#stampAgain(position);
    if (!isKept) stamps.add(stat, seenMs);
    this.#noteLook(index, stat, unreadable);
  }

  /** Marks the stamp where attributes are missing: what it says of the content stays true. */
  #noteLook(index: number, stat: SourceStat, unreadable: readonly string[]): void {
    const { stamps, digest, names, totals } = this.#parts;
    if (unreadable.length === 0) {
      digest?.add(names, index, stat);
      return;
    }
    stamps.markLastToLookAgain();
    totals.addSkipped(unreadableAttributes(this.#pathOf(index), unreadable));
  }

  #pathOf(index: number): string {
    return printablePath(entryPath(this.#parts.directory, this.#parts.names, index));
  }
}

function kindOf(names: SourceListing, index: number, { code }: EngineError): FailedKind {
  if (code === 'SOURCE_TYPE_UNSUPPORTED') return 'unknown type';
  return names.typeAt(index) === ENTRY_TYPE.directory ? 'directory' : 'file';
}

// Stores one file or link and gives the text of its entry; the same for a whole directory, for a
// page of a large one, and for a file that is the root of a snapshot.

import { EngineError, isEngineError } from '#engine/base/errors.ts';
import type { Compressor } from '#engine/compress/compressors.ts';
import { type DirEntry, encodeEntry, encodeExtra } from '#engine/format/directory.ts';
import { encodeExtras, type EntryExtras } from '#engine/format/entry-extras.ts';
import { goNameText } from '#engine/format/go-name.ts';
import type { ExtraFields } from '#engine/format/json-fields.ts';
import type { IndirectEntry } from '#engine/format/indirect.ts';
import { CHUNK_OFFSET } from '#engine/object/object-writer.ts';
import { COUNTER } from '#engine/workers/run-control.ts';
import { isUnchanged, wrapModificationTime } from '#engine/snapshot/source/change-detection.ts';
import type { SourceAttributes } from '#engine/snapshot/source/source-attributes.ts';
import { exclusionByStat, type Selection } from '#engine/snapshot/source/selection.ts';
import {
  entryPath,
  type SourceDirectory,
  type SourceFile,
} from '#engine/snapshot/source/source-file-system.ts';
import type { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { printablePath } from '#engine/snapshot/source/source-name.ts';
import { ENTRY_TYPE, entryTypeName, type SourceStat } from '#engine/snapshot/source/source-stat.ts';
import { readChunk } from './chunk-reader.ts';
import { attributeExtras, unreadableAttributes } from './entry-attributes.ts';
import { failureAt, type TotalsBuilder } from './part-totals.ts';
import type { EntryMetadata, LargeFile } from './upload-tasks.ts';
import type { UploadThread } from './upload-thread.ts';

/** Files up to this long are read by the thread that lists them; longer ones by several. */
export const INLINE_FILE_BYTES_MAX = 1024 * 1024;

export interface EntryStoreParts {
  readonly upload: UploadThread;
  readonly directory: SourceDirectory;
  readonly names: SourceListing;
  readonly selection: Selection;
  readonly totals: TotalsBuilder;
}

/** The text of an entry, a file that has to be read by itself, or nothing to store. */
export type StoredEntry = string | LargeFile | undefined;

interface StoredObject {
  readonly objectId: string;
  readonly bytes: number;
  readonly extra: ExtraFields | undefined;
}

export class EntryStore {
  /** Whether everything so far was taken over from the parent snapshot. */
  isUnchanged = true;
  readonly #parts: EntryStoreParts;

  constructor(parts: EntryStoreParts) {
    this.#parts = parts;
  }

  /** Stores a file or link that has been looked at. What goes wrong is counted, not thrown. */
  store(index: number, stat: SourceStat, previous: DirEntry | undefined): StoredEntry {
    return this.#guard(index, () => {
      wrapModificationTime(stat);
      if (previous !== undefined && isUnchanged(previous, stat)) {
        if (stat.type === ENTRY_TYPE.file) return this.#openUnchanged(index, stat, previous);
        return this.#takeOver(index, stat, previous, this.#extraAt(index, stat));
      }
      if (stat.type === ENTRY_TYPE.file) return this.#openAndStore(index);
      this.isUnchanged = false;
      if (stat.type === ENTRY_TYPE.symlink) return this.#storeLink(index, stat);
      throw unsupportedType(stat.type, this.#pathOf(index));
    });
  }

  /** Stores a file that nobody has looked at yet. */
  storeUnseen(index: number): StoredEntry {
    return this.#guard(index, () => this.#openAndStore(index));
  }

  /** Reports a name that kopia's directories, which are JSON, cannot hold. */
  noteChangedName(index: number): void {
    const path = this.#pathOf(index);
    const message =
      `${path} has a name that is not UTF-8; each byte that is none is stored as U+FFFD, ` +
      'rename it to get it back as it was';
    this.#parts.totals.addSkipped({ path, code: 'SOURCE_NAME_CHANGED', message });
  }

  /** Counts an entry that could not be stored. */
  fail(index: number, error: EngineError): void {
    const { upload, directory, names, totals } = this.#parts;
    this.isUnchanged = false;
    const namesToEntry = [...directory.namesBelowRoot(), names.nameAt(index)];
    totals.addFailure(failureAt(upload.run.root, namesToEntry, error));
  }

  #guard(index: number, store: () => StoredEntry): StoredEntry {
    if (this.#parts.upload.isStopped) throw stopped();
    try {
      return store();
    } catch (error) {
      if (!isSourceError(error)) throw error;
      this.isUnchanged = false;
      if (error.code === 'SOURCE_TYPE_UNSUPPORTED') {
        const { code, message } = error;
        this.#parts.totals.addSkipped({ path: this.#pathOf(index), code, message });
      } else {
        this.fail(index, error);
      }
      return undefined;
    }
  }

  #takeOver(
    index: number,
    stat: SourceStat,
    previous: DirEntry,
    extra: ExtraFields | undefined,
  ): string {
    const { totals, upload } = this.#parts;
    this.isUnchanged &&= extraText(previous.extra) === extraText(extra);
    totals.cachedCount += 1;
    totals.cachedBytes += stat.size;
    upload.thread.counters[COUNTER.filesReused] += 1;
    if (stat.type === ENTRY_TYPE.symlink) totals.addSymlink(stat);
    else totals.addFile(stat, stat.size);
    return this.#encode(index, stat, { objectId: previous.objectId, bytes: stat.size, extra });
  }

  /** Opens a file whose content can be taken over, for its attributes. */
  #openUnchanged(index: number, stat: SourceStat, previous: DirEntry): StoredEntry {
    try {
      return this.#openAndStore(index, previous);
    } catch (error) {
      if (!isEngineError(error, 'SOURCE_UNREADABLE')) throw error;
      // Whoever may not read it can still tell that it has not changed.
      const { totals } = this.#parts;
      const unreadable = [`all: ${String(error.details.errno)}`];
      totals.addSkipped(unreadableAttributes(this.#pathOf(index), unreadable));
      return this.#takeOver(index, stat, previous, previous.extra);
    }
  }

  #extrasOf(index: number, file: SourceFile, stat: SourceStat): EntryExtras | undefined {
    return this.#toExtras(index, this.#parts.upload.fileSystem.attributesOf(file, stat));
  }

  #extraAt(index: number, stat: SourceStat): ExtraFields | undefined {
    const { upload, directory, names } = this.#parts;
    const found = upload.fileSystem.attributesAt(directory, names, index, stat);
    const extras = this.#toExtras(index, found);
    return extras && encodeExtras(extras);
  }

  #toExtras(index: number, found: SourceAttributes | undefined): EntryExtras | undefined {
    if (found === undefined) return undefined;
    const { unreadable } = found;
    if (unreadable.length > 0) {
      this.#parts.totals.addSkipped(unreadableAttributes(this.#pathOf(index), unreadable));
    }
    return attributeExtras(found);
  }

  #storeLink(index: number, stat: SourceStat): string {
    const { upload, directory, names, totals } = this.#parts;
    const target = upload.fileSystem.readLink(directory, names, index);
    const objectId = upload.objects.write(target, { prefix: 0 });
    const extra = this.#extraAt(index, stat);
    totals.addSymlink(stat);
    return this.#encode(index, stat, { objectId, bytes: target.length, extra });
  }

  /** `previous` is the parent's entry where it was the same a moment ago. */
  #openAndStore(index: number, previous?: DirEntry): StoredEntry {
    const { upload, directory, names, selection, totals } = this.#parts;
    const { stat, fileSystem } = upload;
    using file = fileSystem.openFile(directory, names, index);
    fileSystem.statOpen(file, stat);
    wrapModificationTime(stat);
    if (stat.type !== ENTRY_TYPE.file) throw unsupportedType(stat.type, this.#pathOf(index));
    const exclusion = exclusionByStat(selection, stat, upload.directoryStat);
    if (exclusion !== undefined) {
      totals.excludedFiles += 1;
      totals.excludedBytes += stat.size;
      return undefined;
    }
    const extras = this.#extrasOf(index, file, stat);
    if (previous && isUnchanged(previous, stat)) {
      return this.#takeOver(index, stat, previous, extras && encodeExtras(extras));
    }
    this.isUnchanged = false;
    if (stat.size > INLINE_FILE_BYTES_MAX) {
      return metadataOf(names.nameAt(index).slice(), stat, extras);
    }
    const { objectId, bytes } = this.#storeFile(index, file, stat.size);
    totals.readFiles += 1;
    totals.readBytes += bytes;
    totals.addFile(stat, bytes);
    upload.thread.counters[COUNTER.files] += 1;
    if (bytes !== stat.size) {
      totals.addSkipped(changedWhileRead(this.#pathOf(index), stat.size, bytes));
    }
    return this.#encode(index, stat, { objectId, bytes, extra: extras && encodeExtras(extras) });
  }

  #storeFile(
    index: number,
    file: SourceFile,
    fileBytes: number,
  ): { objectId: string; bytes: number } {
    const { upload } = this.#parts;
    const { splitter, contents, objects } = upload;
    const chunks: IndirectEntry[] = [];
    let compressor: Compressor | undefined;
    let bytes = 0;
    for (;;) {
      const place = { start: bytes, limit: Number.MAX_SAFE_INTEGER, fileBytes };
      const chunk = readChunk(upload.fileSystem, file, splitter, place);
      if (chunk.length === 0 && bytes > 0) break;
      const { arena } = splitter;
      if (bytes === 0 && upload.run.compression.kind !== 'none') {
        const named = { name: this.#parts.names.textAt(index), bytes: fileBytes };
        const start = { arena, offset: CHUNK_OFFSET };
        compressor = upload.compression.choose(named, start, chunk.length);
      }
      contents.write(0, { arena, offset: CHUNK_OFFSET }, chunk.length, compressor);
      chunks.push({ start: bytes, length: chunk.length, objectId: objects.contentId() });
      bytes += chunk.length;
      upload.thread.counters[COUNTER.bytesRead] += chunk.length;
      if (chunk.isLast || chunk.length === 0) break;
    }
    return { objectId: objects.writeList(chunks, 0), bytes };
  }

  #encode(index: number, stat: SourceStat, { objectId, bytes, extra }: StoredObject): string {
    const literal = goNameText(this.#parts.names.nameAt(index));
    return encodeEntry(
      {
        name: '',
        type: stat.type === ENTRY_TYPE.symlink ? 's' : 'f',
        mode: stat.permissions,
        bytes,
        mtimeSeconds: stat.mtimeSeconds,
        mtimeNanoseconds: stat.mtimeNanoseconds,
        uid: stat.uid,
        gid: stat.gid,
        objectId,
        extra,
      },
      literal,
    );
  }

  #pathOf(index: number): string {
    return printablePath(entryPath(this.#parts.directory, this.#parts.names, index));
  }
}

/** The metadata of an entry, kept beyond the next look. `name` is taken over. */
export function metadataOf(
  name: Uint8Array,
  stat: SourceStat,
  extras?: EntryExtras,
): EntryMetadata {
  return {
    name,
    mode: stat.permissions,
    uid: stat.uid,
    gid: stat.gid,
    bytes: stat.size,
    mtimeSeconds: stat.mtimeSeconds,
    mtimeNanoseconds: stat.mtimeNanoseconds,
    extras,
  };
}

export function changedWhileRead(
  path: string,
  expectedBytes: number,
  bytes: number,
): { path: string; code: string; message: string } {
  const message =
    `${path} was written to while it was read (${expectedBytes} bytes before, ${bytes} ` +
    'read); what is stored may mix old and new, back it up again or freeze the writer';
  return { path, code: 'SOURCE_CHANGED', message };
}

export function stopped(): EngineError {
  return new EngineError('ABORTED', 'the operation was cancelled');
}

function extraText(extra: DirEntry['extra']): string {
  return extra === undefined ? '' : encodeExtra(extra);
}

function isSourceError(error: unknown): error is EngineError {
  return isEngineError(
    error,
    'SOURCE_VANISHED',
    'SOURCE_CHANGED',
    'SOURCE_UNREADABLE',
    'SOURCE_TYPE_UNSUPPORTED',
  );
}

function unsupportedType(type: number, path: string): EngineError {
  return new EngineError(
    'SOURCE_TYPE_UNSUPPORTED',
    `${path} is a ${entryTypeName(type)}, which is not stored`,
  );
}

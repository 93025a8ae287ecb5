// Gathers the chunks of many files, large and small, and fetches them together: each content once,
// in the order of the packs, straight to the places where it belongs. The walk fills one window
// while the one before is being written, so two of them bound what is in memory besides readMany's
// own.

import { throwIfAborted } from '#engine/base/abort.ts';
import type { ContentSource } from '#engine/content/content-source.ts';
import { chunkBytes } from '#engine/object/chunk-reading.ts';
import type { ObjectChunk, ObjectReader } from '#engine/object/object-reader.ts';
import { readEach } from '#engine/snapshot/damage.ts';
import type { Attributes } from './attributes.ts';
import type { RestoreReport } from './restore-report.ts';
import { SmallFiles } from './small-files.ts';
import type { Target, TargetDirectory } from './target.ts';

/** Bytes of files, each content counted once for each place where it goes. */
const WINDOW_BYTES = 64 << 20;
const WINDOW_CHUNKS = 4096;
/** Files of several chunks that may be open for a window. */
const WINDOW_OPEN_FILES = 128;
/** Up to here a file of one chunk travels with others in one message. */
const SMALL_FILE_BYTES = 1 << 20;
/** Chunks on their way to the target's thread. */
const WRITES_AHEAD = 4;

export interface RestoredFile {
  readonly path: string;
  readonly name: string;
  readonly directory: TargetDirectory;
  readonly attributes: Attributes;
}

/** A file that is written chunk by chunk. */
interface OpenFile {
  readonly file: RestoredFile;
  readonly objectId: string;
  readonly bytes: number;
  readonly fd: number;
  /** Chunks that have been added and not been written, and one while more may be added. */
  waiting: number;
  isDamaged: boolean;
}

interface Destination {
  readonly chunk: ObjectChunk;
  readonly objectId: string;
  /** A file that is this chunk alone, or one that is open. */
  readonly to: { readonly small: RestoredFile } | { readonly open: OpenFile };
}

class Window {
  readonly destinations = new Map<string, Destination[]>();
  readonly openFiles = new Set<OpenFile>();
  bytes = 0;
  chunks = 0;

  add(destination: Destination): void {
    const { chunk, to } = destination;
    const others = this.destinations.get(chunk.contentId);
    if (others) others.push(destination);
    else this.destinations.set(chunk.contentId, [destination]);
    if ('open' in to) this.openFiles.add(to.open);
    this.bytes += chunk.bytes;
    this.chunks++;
  }

  get isFull(): boolean {
    return (
      this.bytes >= WINDOW_BYTES ||
      this.chunks >= WINDOW_CHUNKS ||
      this.openFiles.size >= WINDOW_OPEN_FILES
    );
  }
}

export interface FileWriterParts {
  readonly contents: ContentSource;
  readonly target: Target;
  readonly report: RestoreReport;
  readonly signal: AbortSignal | undefined;
}

export class FileWriter {
  readonly #parts: FileWriterParts;
  #window = new Window();
  #writing: Promise<void> = Promise.resolve();
  readonly #open = new Set<OpenFile>();

  constructor(parts: FileWriterParts) {
    this.#parts = parts;
  }

  /** Paths of files that have been begun and not finished. */
  get partialFiles(): string[] {
    return [...this.#open].map(({ file }) => file.path);
  }

  /**
   * Takes a file whose object has been opened; it is written now or by a later add or drain.
   * @throws what ends the restore
   */
  async add(file: RestoredFile, reader: ObjectReader): Promise<void> {
    const chunk = await this.#onlyChunk(file, reader);
    if (chunk === 'damaged') return;
    if (chunk) {
      file.directory.users++;
      await this.#addChunk({ chunk, objectId: reader.objectId, to: { small: file } });
      return;
    }
    await this.#addLarge(file, reader);
  }

  /** Writes everything that was added. */
  async drain(): Promise<void> {
    await this.#flush();
    await this.#writing;
  }

  /** Waits until nothing is being written; for the end of a restore that has failed. */
  async settle(): Promise<void> {
    await this.#writing.catch(() => undefined);
  }

  /** The chunk that a small file consists of, undefined when it is large or has several. */
  async #onlyChunk(
    { path }: RestoredFile,
    reader: ObjectReader,
  ): Promise<ObjectChunk | 'damaged' | undefined> {
    if (reader.bytes > SMALL_FILE_BYTES) return undefined;
    const { report, signal } = this.#parts;
    let only: ObjectChunk | undefined;
    try {
      for await (const chunk of reader.chunks({ signal })) {
        if (only) return undefined;
        only = chunk;
      }
      return only;
    } catch (error) {
      report.damage(path, error);
      return 'damaged';
    }
  }

  async #addLarge(file: RestoredFile, reader: ObjectReader): Promise<void> {
    const { target, report, signal } = this.#parts;
    const { objectId, bytes } = reader;
    const fd = await target.create({ ...file, bytes });
    if (fd === undefined) return;
    file.directory.users++;
    const open: OpenFile = { file, objectId, bytes, fd, waiting: 1, isDamaged: false };
    this.#open.add(open);
    try {
      for await (const chunk of reader.chunks({ signal })) {
        open.waiting++;
        await this.#addChunk({ chunk, objectId, to: { open } });
      }
    } catch (error) {
      this.#spoil(open, error);
    }
    await this.#wrote(open);
    report.progress(file.path);
  }

  async #addChunk(destination: Destination): Promise<void> {
    throwIfAborted(this.#parts.signal);
    this.#window.add(destination);
    if (this.#window.isFull) await this.#flush();
  }

  /** Waits for the window before this one and begins to write this one. */
  async #flush(): Promise<void> {
    const window = this.#window;
    this.#window = new Window();
    await this.#writing;
    this.#writing = this.#write(window);
    // A failure is thrown by whoever waits for it next, and that is certain to happen.
    this.#writing.catch(() => undefined);
  }

  async #write({ destinations }: Window): Promise<void> {
    const { contents, report, signal } = this.#parts;
    const writes = new Set<Promise<void>>();
    const small = new SmallFiles(this.#parts);
    const receiver = {
      content: async (contentId: string, stored: Uint8Array): Promise<void> => {
        throwIfAborted(signal);
        report.bytesFetched += contents.find(contentId)?.packedBytes ?? 0;
        const places = destinations.get(contentId) ?? [];
        for (const [index, destination] of places.entries()) {
          // What is sent to the thread is gone here, so all but the last get copies.
          const bytes = index < places.length - 1 ? stored.slice() : stored;
          await this.#place(destination, bytes, { small, writes });
        }
      },
      failure: (contentId: string, error: Error): void => {
        for (const destination of destinations.get(contentId) ?? []) {
          const given = this.#giveUp(destination, error);
          given.catch(() => undefined);
          writes.add(given);
        }
      },
    };
    try {
      await readEach(contents, destinations.keys(), receiver, { signal });
      await small.flush();
    } finally {
      await Promise.allSettled(writes);
    }
    await Promise.all(writes);
  }

  async #place(
    destination: Destination,
    stored: Uint8Array,
    { small, writes }: { small: SmallFiles; writes: Set<Promise<void>> },
  ): Promise<void> {
    const { objectId, chunk, to } = destination;
    let bytes: Uint8Array;
    try {
      bytes = chunkBytes(objectId, chunk, stored);
    } catch (error) {
      await this.#giveUp(destination, error);
      return;
    }
    if ('small' in to) {
      await small.add(to.small, bytes);
      return;
    }
    const write = this.#writeChunk(to.open, chunk.offset, bytes);
    write.catch(() => undefined);
    writes.add(write);
    if (writes.size >= WRITES_AHEAD) {
      await Promise.all(writes);
      writes.clear();
    }
  }

  async #writeChunk(open: OpenFile, offset: number, bytes: Uint8Array): Promise<void> {
    const { target, report } = this.#parts;
    const { length } = bytes;
    await target.write(open.fd, open.file.name, offset, bytes);
    report.bytes += length;
    report.progress(open.file.path);
    await this.#wrote(open);
  }

  async #giveUp({ to }: Destination, error: unknown): Promise<void> {
    if ('open' in to) {
      this.#spoil(to.open, error);
      await this.#wrote(to.open);
      return;
    }
    this.#parts.report.damage(to.small.path, error);
    await this.#parts.target.release(to.small.directory);
  }

  #spoil(open: OpenFile, error: unknown): void {
    // One line for a file is enough, however many of its chunks are lost.
    if (!open.isDamaged) this.#parts.report.damage(open.file.path, error);
    open.isDamaged = true;
  }

  async #wrote(open: OpenFile): Promise<void> {
    if (--open.waiting > 0) return;
    const { target, report } = this.#parts;
    const { file, fd, bytes, isDamaged } = open;
    const attributes = isDamaged ? undefined : file.attributes;
    await target.finish(file.path, { fd, name: file.name, bytes, attributes });
    this.#open.delete(open);
    if (!isDamaged) report.files++;
    await target.release(file.directory);
  }
}

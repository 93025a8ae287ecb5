// What one worker thread holds for one upload.

import type { Arena } from '#engine/base/arena.ts';
import { createSplitter, splitterAlgorithm } from '#engine/chunk/splitters.ts';
import type { Splitter } from '#engine/chunk/splitter.ts';
import { type Compressor, compressorByName } from '#engine/compress/compressors.ts';
import { EntryBytes } from '#engine/format/entry-bytes.ts';
import { CHUNK_MARGIN_BYTES, ObjectWriter } from '#engine/object/object-writer.ts';
import { requireWriting } from '#engine/workers/content-tasks.ts';
import type { ContentThread } from '#engine/workers/content-thread.ts';
import type { ContentWriter } from '#engine/workers/content-writer.ts';
import { openRules, type GitRuleList } from '#engine/snapshot/source/git-rules.ts';
import { openSourceFileSystem } from '#engine/snapshot/source/open-source-file-system.ts';
import type { SourceFileSystem } from '#engine/snapshot/source/source-file-system.ts';
import { StampBuilder } from '#engine/snapshot/source/change-record.ts';
import { EntriesDigest } from '#engine/snapshot/source/entries-digest.ts';
import { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { SourceStat } from '#engine/snapshot/source/source-stat.ts';
import { DEVICE_MARGIN_BYTES } from './device-chunk.ts';
import { DirectoryHandles } from './directory-handles.ts';
import { LinkedFiles } from './linked-files.ts';
import type { LookAhead } from './look-ahead.ts';
import { PreviousEntries } from './previous-entries.ts';
import { CompressionChoice } from './file-compression.ts';
import { ZeroChunks } from './zero-chunks.ts';
import type { UploadRun } from './upload-tasks.ts';

export class UploadThread implements Disposable {
  readonly run: UploadRun;
  readonly thread: ContentThread;
  readonly fileSystem: SourceFileSystem;
  readonly handles: DirectoryHandles;
  readonly contents: ContentWriter;
  readonly objects: ObjectWriter;
  readonly splitter: Splitter;
  readonly compression: CompressionChoice;
  readonly directoryCompressor: Compressor | undefined;
  readonly excludes: readonly GitRuleList[];
  /** Scratch: names of the directory at hand, and metadata of it and of one entry. */
  readonly listing = new SourceListing();
  readonly directoryStat = new SourceStat();
  readonly stat = new SourceStat();
  readonly statAfter = new SourceStat();
  /** Texts of one entry, and of what is at hand of a directory. */
  readonly entryText = new EntryBytes();
  readonly gathered = new EntryBytes();
  readonly stamps = new StampBuilder();
  readonly specialStamps = new StampBuilder();
  readonly digest: EntriesDigest;
  readonly previous = new PreviousEntries();
  /** Files with several names that this thread has stored. */
  readonly linked = new LinkedFiles();
  readonly rootStat = new SourceStat();
  /** What this thread has seen of the source before there was a run. */
  readonly ahead: LookAhead | undefined;
  changesArena: Arena | undefined;
  readonly #zeros: ZeroChunks;
  readonly #stop: Int32Array;

  constructor(thread: ContentThread, run: UploadRun, ahead?: LookAhead) {
    this.thread = thread;
    this.ahead = ahead;
    this.run = run;
    this.contents = requireWriting(thread).contents;
    this.digest = new EntriesDigest(thread.hash);
    this.#stop = new Int32Array(run.stop);
    this.excludes = openRules(run.excludes);
    this.fileSystem = openSourceFileSystem({ native: run.isNativeAllowed });
    this.compression = new CompressionChoice(run.compression);
    this.directoryCompressor = metadataCompressor(run.metadataCompression);
    this.splitter = this.#createSplitter(run.fileSplitter);
    const objectSplitter =
      run.repositorySplitter === run.fileSplitter
        ? this.splitter
        : this.#createSplitter(run.repositorySplitter);
    this.objects = new ObjectWriter(this.contents, objectSplitter, this.directoryCompressor);
    this.#zeros = new ZeroChunks(this.splitter);
    this.handles = new DirectoryHandles(this.fileSystem, run.root);
    this.fileSystem.statOpen(this.handles.at([]), this.rootStat);
  }

  /** Whether this run, or all work of the repository, is to end now. */
  get isStopped(): boolean {
    return Atomics.load(this.#stop, 0) === 1 || this.thread.control.isStopped;
  }

  /** Where the splitter of files cuts zeros. */
  readonly zeroCut = (): number => this.#zeros.cut;

  /** Stores zeros of a hole; returns the id of the content. */
  storeZeros(length: number): string {
    const { compressor } = this.compression;
    const idText = (): string => this.objects.contentId();
    return this.#zeros.store(this.contents, length, { compressor, idText });
  }

  [Symbol.dispose](): void {
    this.handles[Symbol.dispose]();
    this.ahead?.forget();
  }

  #createSplitter(name: string): Splitter {
    const { maxBytes } = splitterAlgorithm(name);
    const arenaBytes = maxBytes + CHUNK_MARGIN_BYTES + DEVICE_MARGIN_BYTES;
    return createSplitter(name, arenaBytes, { native: this.run.isNativeAllowed });
  }
}

function metadataCompressor(name: string): Compressor | undefined {
  if (name === 'none' || name === '') return undefined;
  return compressorByName(name) ?? compressorByName('zstd-fastest');
}

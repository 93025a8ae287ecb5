// One large file while threads read it. They share it by a token (chunk-token.ts) and come back
// every few seconds with the chunks that they have read, so that a checkpoint knows of them.

import type { EngineError } from '#engine/base/errors.ts';
import type { TaskRunner } from '#engine/workers/tasks.ts';
import { ChunkToken } from './chunk-token.ts';
import { isSourceError } from './entry-faults.ts';
import { type FileIdentity, isListed, isSameIdentity } from './partial-file.ts';
import type { UntouchedRun } from './untouched-chunks.ts';
import type {
  FileAddress,
  FileChunks,
  FinishFileInput,
  LargeFile,
  PartialFileInput,
  SkippedEntry,
  UploadTasks,
} from './upload-tasks.ts';

/** How the reading of a large file went. */
export interface FileOutcome {
  readonly isSteady: boolean;
  readonly skipped?: SkippedEntry;
  readonly resumedBytes?: number;
  /** All of them, when another name of it was read. */
  readonly linkedBytes?: number;
}

export class SharedReading {
  /** How many are reading it now. */
  readers = 0;
  #isEnded = false;
  failure: EngineError | undefined;
  /** Bytes of chunks that have come back, holes with them. */
  readBytes = 0;
  readonly file: LargeFile;
  /** Bytes at the start that an earlier run has read. */
  readonly resumedBytes: number;
  readonly #address: FileAddress;
  readonly #token = ChunkToken.create();
  readonly #chunks: FileChunks[] = [];
  /** Chunks of the parent that nobody has read. */
  readonly passed: UntouchedRun[] = [];
  #identity: FileIdentity | undefined;
  #isSteady = true;
  /** Unlike #isSteady, whether it is young or not. */
  #isOneFile = true;

  /** @param resumed the chunks of an earlier run, if the file need not be read from its start */
  constructor(address: FileAddress, file: LargeFile, resumed?: FileChunks) {
    this.#address = address;
    this.file = file;
    this.resumedBytes = resumed === undefined ? 0 : (file.resumed?.bytes ?? 0);
    if (resumed === undefined) return;
    this.#chunks.push(resumed);
    this.#token.nextOffset = this.resumedBytes;
  }

  /** Whether the last chunk has been taken, or a thread has failed. */
  get isDone(): boolean {
    return this.#token.isDone;
  }

  /**
   * Reads along until nothing is left. Errors of the source become `failure`.
   * @param between called after every few seconds
   */
  async read(runner: TaskRunner<UploadTasks>, between: () => Promise<void>): Promise<void> {
    const input = { ...this.#address, file: this.file, token: this.#token.shared };
    const kind = this.#address.device === undefined ? 'readFile' : 'readDevice';
    this.readers += 1;
    try {
      while (this.failure === undefined) {
        const { identity, chunks, passed = [] } = await runner.run(kind, input);
        this.passed.push(...passed);
        this.#note(identity);
        this.#take(chunks);
        if (this.isDone) return;
        await between();
      }
    } catch (error) {
      if (!isSourceError(error)) throw error;
      this.failure ??= error;
    } finally {
      this.readers -= 1;
    }
  }

  /** True for one of its readers, the last: two that hear of a failure at once end it but once. */
  takeEnd(): boolean {
    if (this.readers > 0 || this.#isEnded) return false;
    this.#isEnded = true;
    return true;
  }

  /** What is known of a file that is read to its end. */
  finished(attempt: number): FinishFileInput {
    const { file } = this;
    const isOneFile = this.#isOneFile;
    return { ...this.#address, file, chunks: this.#chunks, attempt, isOneFile };
  }

  /** What a checkpoint can keep so far. */
  get partial(): PartialFileInput | undefined {
    if (this.#chunks.length === 0) return undefined;
    const isResumable = this.#isSteady && this.#identity?.isSettled === true;
    const identity = isResumable ? this.#identity : undefined;
    return { file: this.file, chunks: [...this.#chunks], identity };
  }

  #take(chunks: FileChunks): void {
    if (chunks.starts.length > 0) this.#chunks.push(chunks);
    for (const length of chunks.lengths) this.readBytes += length;
  }

  #note(identity: FileIdentity): void {
    this.#identity ??= identity;
    const isAsListed = isListed(identity, this.file, this.#address.run.changes);
    if (!isAsListed) this.#isOneFile = false;
    const isSame = isSameIdentity(this.#identity, identity) && isAsListed;
    if (!isSame || !identity.isSettled) this.#isSteady = false;
  }
}

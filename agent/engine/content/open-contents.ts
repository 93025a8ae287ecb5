// Puts together what the contents of one repository need: format, index, reader, worker threads,
// and, unless it is opened for reading only, the writing side. Everything that lasts is given back
// by close().

import { availableParallelism } from 'node:os';
import { type Clock, systemClock } from '#engine/base/clock.ts';
import { EngineError } from '#engine/base/errors.ts';
import { defaultMemoryBytes } from '#engine/base/memory-budget.ts';
import { type MemoryPlan, memoryPlan } from '#engine/base/memory-plan.ts';
import { PressureWatch } from '#engine/base/pressure.ts';
import { splitterAlgorithm } from '#engine/chunk/splitters.ts';
import { createCipher } from '#engine/cipher/ciphers.ts';
import { SEAL_BYTES } from '#engine/cipher/content-cipher.ts';
import { hasEcc } from '#engine/format/ecc.ts';
import { createHash } from '#engine/hash/hashes.ts';
import { readOnly } from '#engine/storage/readonly.ts';
import { retaining } from '#engine/storage/retaining.ts';
import type { Storage } from '#engine/storage/storage.ts';
import { ContentOpener } from '#engine/workers/content-opener.ts';
import type { ContentTasks } from '#engine/workers/content-tasks.ts';
import type { ContentThreadSeed } from '#engine/workers/content-thread.ts';
import { IndexOpener } from '#engine/workers/index-opener.ts';
import { PACK_TAIL_BYTES_MAX } from '#engine/workers/pack-writer.ts';
import { WorkerPool } from '#engine/workers/pool.ts';
import { WaitingThread } from '#engine/workers/thread.ts';
import { RunControl } from '#engine/workers/run-control.ts';
import { ContentReader } from './content-reader.ts';
import { ContentWriting } from './content-writing.ts';
import { FormatWatch } from './format-watch.ts';
import { IndexBlobs } from './index-blobs.ts';
import { IndexSet } from './index-set.ts';
import { PackDesk } from './pack-desk.ts';
import { loadRepositoryFormat, type RepositoryFormat, writeObstacle } from './repository-format.ts';
import { SessionMarkers, type SessionOwner } from './session-markers.ts';
import { type OnWarning, Tidying } from './tidying.ts';

export interface OpenContentsOptions {
  readonly password: string;
  /** Module that the worker threads run (see workers/serve.ts). */
  readonly threadEntry: URL;
  /** Worker threads; as many as there are cores by default. */
  readonly threads?: number;
  /** What this process may take; by default what its control group allows. */
  readonly memoryBytes?: number;
  /** False keeps all threads busy however short of memory or disks the machine is. */
  readonly isPressureHeeded?: boolean;
  readonly isReadOnly?: boolean;
  /** The storage for everything but the format, which says what that is. */
  readonly storageFor?: (format: RepositoryFormat) => Storage;
  /**
   * Starts a thread while the key is derived, for work that will need one anyway. One is enough
   * when nothing has changed, and a second takes 16 MiB.
   */
  readonly startsThread?: boolean;
  /** In place of that one that has been started before; it is taken over. */
  readonly waiting?: WaitingThread;
  /** What that thread does until there is something else to do, for its module to know. */
  readonly threadErrand?: unknown;
  /** Stands in session markers, for people who wonder who is writing. */
  readonly owner?: SessionOwner;
  readonly clock?: Clock;
  /** Told of what went wrong without harm; each kind of thing once. */
  readonly onWarning?: OnWarning;
  /** False makes everything use the slow paths; tests compare the two. */
  readonly isNativeAllowed?: boolean;
  readonly signal?: AbortSignal;
}

const THREADS_MAX = 64;
/** No splitter of kopia makes longer chunks, and neither do ours. */
const CONTENT_BYTES_MAX = 16 * 1024 * 1024;
export class OpenContents<Tasks extends ContentTasks> {
  readonly storage: Storage;
  /** As it was when it was opened. */
  readonly format: RepositoryFormat;
  readonly formatWatch: FormatWatch;
  readonly index: IndexSet;
  readonly reader: ContentReader;
  readonly pool: WorkerPool<Tasks>;
  readonly control: RunControl;
  readonly clock: Clock;
  /** What the memory budget comes to. */
  readonly memory: MemoryPlan;
  /** Whether fast paths through native code may be used. */
  readonly isNativeAllowed: boolean;
  /** Tells the caller of what went wrong without harm. */
  readonly warn: OnWarning;
  readonly #writing: ContentWriting | undefined;
  readonly #pressure: PressureWatch | undefined;
  /** What others on the machine leave of the threads, and those who share it in this process. */
  #busyShare = 1;
  #busyMax = THREADS_MAX;
  readonly #obstacle: string | undefined;

  private constructor(
    storage: Storage,
    format: RepositoryFormat,
    options: Omit<OpenContentsOptions, 'password'>,
    waiting?: WaitingThread,
  ) {
    const { config, cipherSecret } = format;
    const native = options.isNativeAllowed ?? true;
    this.isNativeAllowed = native;
    this.warn = options.onWarning ?? (() => undefined);
    const hash = createHash(config.hash, config.secret, { native });
    const cipher = createCipher(config.encryption, cipherSecret, { native });
    const eccOverheadPercent = hasEcc(config) ? config.eccOverheadPercent : 0;
    this.memory = memoryPlan(options.memoryBytes ?? defaultMemoryBytes(), {
      threads: Math.min(options.threads ?? availableParallelism(), THREADS_MAX),
      chunkBytesMax: splitterAlgorithm(config.splitter).maxBytes,
      packBytes: config.maxPackBytes,
      arePacksInMemory: storage.stage === undefined,
    });
    const { threads } = this.memory;
    this.format = format;
    this.clock = options.clock ?? systemClock;
    this.#obstacle = options.isReadOnly ? 'it was opened for reading only' : writeObstacle(config);
    const formatWatch = new FormatWatch(storage, this.clock, format);
    this.formatWatch = formatWatch;
    this.storage =
      this.#obstacle === undefined
        ? retaining(storage, () => formatWatch.retention, this.clock)
        : readOnly(storage);
    this.control = RunControl.create(threads);
    const seed = (workerIndex: number): ContentThreadSeed => ({
      workerIndex,
      hash: { name: config.hash, secret: config.secret },
      cipher: { name: config.encryption, secret: cipherSecret },
      eccOverheadPercent,
      isNativeAllowed: native,
      control: this.control.shared,
      writing: this.#writing?.seed(),
    });
    this.pool = new WorkerPool<Tasks>({
      entry: options.threadEntry,
      size: threads,
      waiting,
      seed: workerIndex => {
        const data = seed(workerIndex);
        return { data, transfer: data.writing ? [data.writing.tickets.port] : [] };
      },
    });
    if (options.isPressureHeeded ?? true) {
      this.#pressure = new PressureWatch(share => {
        this.#busyShare = share;
        this.#limitBusy();
      });
    }
    const blobs = new IndexBlobs(
      {
        storage: this.storage,
        opener: new IndexOpener(hash, cipher, { eccOverheadPercent }),
        clock: this.clock,
      },
      { hasEpochs: config.epochParameters.isEnabled },
    );
    this.index = new IndexSet(
      { blobs, clock: this.clock, runner: this.pool },
      {
        hashBytes: hash.digestBytes,
        contentOverheadBytes: SEAL_BYTES,
      },
    );
    this.reader = new ContentReader(
      {
        storage: this.storage,
        opener: new ContentOpener(hash, cipher, { eccOverheadPercent, isNativeAllowed: native }),
        runner: this.pool,
        index: () => this.index.view,
        refresh: signal => this.index.refreshForMissing(signal),
      },
      this.memory,
    );
    if (this.#obstacle !== undefined) return;
    const owner = options.owner ?? { user: 'stevedore', host: 'localhost' };
    const tidying = new Tidying(this.storage, this.warn);
    const crypto = { hash, cipher };
    const markers = new SessionMarkers(this.storage, crypto, this.clock, { owner, tidying });
    const desk = new PackDesk(this.storage, markers, {
      packCountMax: 2 * threads + this.memory.packsInFlight,
      packBufferBytes: config.maxPackBytes + CONTENT_BYTES_MAX + PACK_TAIL_BYTES_MAX,
      nowMs: () => this.clock.monotonic(),
      onFailure: () => this.control.stop(),
    });
    this.#writing = new ContentWriting(
      {
        storage: this.storage,
        clock: this.clock,
        runner: this.pool,
        formatWatch,
        blobs,
        index: this.index,
        desk,
        markers,
        tidying,
      },
      {
        keyBytes: 1 + hash.digestBytes,
        packBytesMax: config.maxPackBytes,
        formatVersion: config.version,
        refreshFrequencyNs: config.epochParameters.refreshFrequencyNs,
        sessionContentsMax: this.memory.sessionContentsMax,
      },
    );
  }

  /**
   * Opens the repository in `storage`, which is not closed by close(), and loads its index.
   * @throws whatever loadRepositoryFormat and IndexSet.refresh throw
   */
  static async open<Tasks extends ContentTasks>(
    storage: Storage,
    options: OpenContentsOptions,
  ): Promise<OpenContents<Tasks>> {
    const { password, clock, signal } = options;
    const { threadEntry, startsThread } = options;
    const waiting =
      options.waiting ?? (startsThread ? WaitingThread.begin(threadEntry) : undefined);
    if (options.threadErrand !== undefined) waiting?.send(options.threadErrand);
    try {
      const format = await loadRepositoryFormat(storage, { password, clock, signal });
      const place = options.storageFor?.(format) ?? storage;
      return await OpenContents.openWith(place, format, options, waiting);
    } catch (error) {
      waiting?.close();
      throw error;
    }
  }

  /**
   * The same with a format that was loaded before, which saves deriving the key of the password.
   * @throws whatever IndexSet.refresh throws
   */
  static async openWith<Tasks extends ContentTasks>(
    storage: Storage,
    format: RepositoryFormat,
    options: Omit<OpenContentsOptions, 'password' | 'storageFor'>,
    waiting?: WaitingThread,
  ): Promise<OpenContents<Tasks>> {
    const contents = new OpenContents<Tasks>(storage, format, options, waiting);
    try {
      await contents.index.refresh(options.signal);
    } catch (error) {
      // A large index is loaded by a worker thread.
      await contents.close();
      throw error;
    }
    return contents;
  }

  /**
   * The writing side.
   * @throws REPOSITORY_WRITE_UNSUPPORTED when the format is one that we only read
   */
  get writing(): ContentWriting {
    if (this.#writing) return this.#writing;
    throw new EngineError(
      'REPOSITORY_WRITE_UNSUPPORTED',
      `cannot write to ${this.storage.displayName}: ${this.#obstacle ?? 'unknown'}; ` +
        `write with kopia, or upgrade the repository's format with it`,
    );
  }

  /** After which nothing is written any more, or nothing done by threads. */
  get failure(): EngineError | undefined {
    return this.#writing?.failure ?? this.pool.failure;
  }

  /** Ends the threads. What was not flushed is given up and leaves no file behind. */
  async close(): Promise<void> {
    this.#pressure?.[Symbol.dispose]();
    this.control.stop();
    await this.pool.close();
    await this.#writing?.abandon(new EngineError('ABORTED', 'the repository was closed'));
  }

  /**
   * Gives tasks to so many threads at most from now on. Those of a restore are not concerned: each
   * thread has files of its own to finish.
   */
  limitThreads(count: number): void {
    this.#busyMax = count;
    this.#limitBusy();
  }

  #limitBusy(): void {
    this.pool.limitBusy(this.#busyShare * Math.min(this.#busyMax, this.pool.size));
  }
}

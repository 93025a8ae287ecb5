// The writing side of an open repository: the way by which what the workers have packed becomes
// part of the repository.
//
// Order of durability, which everything else relies on: session marker, packs, index blobs, removal
// of the marker. Nothing is visible before its index blob is, and an index blob never names a pack
// that is not durable (kopia-format.md 6.7, DESIGN.md section 6).

import { throwIfAborted } from '#engine/base/abort.ts';
import type { Clock } from '#engine/base/clock.ts';
import { releaseBuffer } from '#engine/base/release-buffer.ts';
import { EngineError, isEngineError } from '#engine/base/errors.ts';
import { PendingContents } from '#engine/index/pending.ts';
import type { Storage } from '#engine/storage/storage.ts';
import type { ContentTasks } from '#engine/workers/content-tasks.ts';
import type { SharedKnownContents, WritingSeed } from '#engine/workers/content-thread.ts';
import { openTicketLine } from '#engine/workers/pack-tickets.ts';
import type { TaskRunner } from '#engine/workers/tasks.ts';
import type { FormatWatch } from './format-watch.ts';
import { commitIndex } from './index-commit.ts';
import type { IndexBlobs } from './index-blobs.ts';
import type { IndexSet } from './index-set.ts';
import type { ClosedSession, PackDesk } from './pack-desk.ts';
import type { SessionMarkers } from './session-markers.ts';
import type { Tidying } from './tidying.ts';

export interface WritableParts {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly runner: TaskRunner<ContentTasks>;
  readonly formatWatch: FormatWatch;
  readonly blobs: IndexBlobs;
  readonly index: IndexSet;
  readonly desk: PackDesk;
  readonly markers: SessionMarkers;
  readonly tidying: Tidying;
}

export interface WritableOptions {
  readonly keyBytes: number;
  readonly packBytesMax: number;
  readonly formatVersion: number;
  readonly refreshFrequencyNs: bigint;
  /** A flush is due when so many contents wait for it, which bounds the memory for their rows. */
  readonly sessionContentsMax: number;
}

/** A flush is due when the session is this old: kopia's flushPackIndexTimeout. */
const SESSION_AGE_MS_MAX = 10 * 60 * 1000;

/** The writing side of an open repository. */
export class ContentWriting {
  readonly #parts: WritableParts;
  readonly #options: WritableOptions;
  #pending: PendingContents;
  #flushing: Promise<void> = Promise.resolve();
  /** Revision of the index that the workers were told of last. */
  #sharedRevision = 0;

  constructor(parts: WritableParts, options: WritableOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#pending = PendingContents.create({ keyBytes: options.keyBytes });
  }

  /** What a worker thread that is being started needs in order to write. */
  seed(): WritingSeed {
    const { packBytesMax, formatVersion } = this.#options;
    const tickets = openTicketLine(this.#parts.desk);
    return { tickets, known: this.#known(), packBytesMax, formatVersion };
  }

  /** The first failure, after which everything is refused. */
  get failure(): EngineError | undefined {
    return this.#parts.desk.failure;
  }

  /** Whether enough has gathered, or waited long enough, that it should be flushed. */
  get isFlushDue(): boolean {
    const { sessionAgeMs, pendingContentCount } = this.#parts.desk;
    const { sessionContentsMax } = this.#options;
    return sessionAgeMs > SESSION_AGE_MS_MAX || pendingContentCount > sessionContentsMax;
  }

  /**
   * Runs work that writes. Work that is cancelled because a pack could not be stored ends with that
   * failure; after one, everything is refused, since contents may be taken for stored that are not.
   * @param signal the caller's own, whose cancelling is no such failure
   * @throws the code of the failure, and whatever `work` throws
   */
  async attempt<Result>(
    signal: AbortSignal | undefined,
    work: () => Promise<Result>,
  ): Promise<Result> {
    const { desk, storage } = this.#parts;
    if (desk.failure) throw earlierFailure(desk.failure, storage.displayName);
    try {
      return await work();
    } catch (error) {
      const isStopped = isEngineError(error, 'ABORTED') && !signal?.aborted;
      throw isStopped ? (desk.failure ?? error) : error;
    }
  }

  /**
   * Makes durable and visible what the workers had written when the call began. Flushes run one
   * after the other; other contents may be written meanwhile and belong to the next. A flush that
   * has begun belongs to all who write: `signal` is looked at before, and only abandon() ends it.
   */
  async flush(signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    const flushed = this.#flushing.then(() => this.#flush());
    this.#flushing = flushed.catch(() => undefined);
    await flushed;
  }

  /**
   * To be called before a run and between its tasks: flushes when that is due, reads the format and
   * the index again when they are old, and tells the workers what is in it. What maintenance has
   * removed meanwhile must not be taken for stored, nor a lock be overlooked.
   * @throws whatever FormatWatch.look and IndexSet.refresh throw
   */
  async keepUp(signal?: AbortSignal): Promise<void> {
    const { formatWatch, index } = this.#parts;
    await formatWatch.look(signal);
    if (this.isFlushDue) await this.flush(signal);
    if (!index.isFresh) await index.refresh(signal);
    if (this.#sharedRevision !== index.revision) await this.#shareKnown();
  }

  /** Gives up what has not been flushed and removes the files that were staged for it. */
  async abandon(error: unknown): Promise<void> {
    this.#parts.desk.fail(error);
    await this.#flushing;
    await this.#parts.desk.discardStaged();
  }

  async #flush(): Promise<void> {
    const { desk, runner, markers } = this.#parts;
    try {
      const session = await desk.closeSession(() => runner.broadcast('finishPacks', undefined));
      if (session === undefined) return;
      await this.#publish(session);
      await markers.remove(session.marker, desk.signal);
    } catch (error) {
      desk.fail(error);
      throw desk.failure ?? error;
    }
  }

  async #publish({ rows, marker }: ClosedSession): Promise<void> {
    if (rows.length === 0) return;
    const { runner, storage, blobs, clock, index, desk, tidying } = this.#parts;
    const { refreshFrequencyNs } = this.#options;
    const transfer = rows.flatMap(list => [
      list.keys,
      list.words,
      ...[list.packs.bytes, list.packs.ends].filter(buffer => buffer instanceof ArrayBuffer),
    ]);
    const { files, plain } = await runner.run('sealIndex', { rows }, { transfer });
    const parts = { storage, blobs, clock, refreshFrequencyNs, tidying };
    const blobIds = await commitIndex(parts, files, marker.sessionId, desk.signal);
    for (const { sealed } of files) releaseBuffer(sealed.buffer);
    index.adopt(blobIds, plain);
    for (const file of plain) releaseBuffer(file.buffer);
    // What was claimed is in the index now, from which others may remove it; a claim that stayed
    // would then stand for a content that is gone. Claims of the next session that are lost with
    // them only let a content be stored twice.
    this.#pending = PendingContents.create({ keyBytes: this.#options.keyBytes });
    await this.#shareKnown();
  }

  async #shareKnown(): Promise<void> {
    const { runner, index } = this.#parts;
    this.#sharedRevision = index.revision;
    await runner.broadcast('adoptKnown', this.#known());
  }

  #known(): SharedKnownContents {
    return { index: this.#parts.index.view.share(), pending: this.#pending.share() };
  }
}

function earlierFailure(failure: EngineError, displayName: string): EngineError {
  return new EngineError(
    failure.code,
    `cannot go on writing to ${displayName}, since an earlier write failed ` +
      `(${failure.message}); open the repository again`,
    { cause: failure, retryable: failure.retryable, details: failure.details },
  );
}

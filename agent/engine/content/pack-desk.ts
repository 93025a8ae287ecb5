// Gives out pack tickets to the worker threads and makes durable what comes back. One desk serves
// one repository that is open for writing. Packs belong to sessions: a session begins with the
// first ticket after a flush and ends with the next flush, and its marker is durable before any of
// its packs can exist (kopia-format.md 7).

import { randomBytes } from 'node:crypto';
import { EngineError, messageOf } from '#engine/base/errors.ts';
import { packBlobId } from '#engine/format/blob-names.ts';
import type { TransferredRows } from '#engine/index/rows.ts';
import type { StagedBlob, Storage } from '#engine/storage/storage.ts';
import type {
  FinishedPack,
  PackKind,
  PackTicket,
  TicketOffice,
} from '#engine/workers/pack-tickets.ts';
import type { SessionMarker, SessionMarkers } from './session-markers.ts';

/** Packs of one session, all durable. */
export interface ClosedSession {
  readonly marker: SessionMarker;
  readonly rows: readonly TransferredRows[];
}

interface Session {
  readonly marker: Promise<SessionMarker>;
  readonly startedMs: number;
  readonly rows: TransferredRows[];
  /** Packs with a ticket that are not durable yet. */
  openCount: number;
  contentCount: number;
  waiter: (() => void) | undefined;
}

interface Issued {
  readonly session: Session;
  readonly staged: StagedBlob | undefined;
}

export interface PackDeskOptions {
  /** Most packs that may be open or on their way to the storage at once. */
  readonly packCountMax: number;
  /** Room for the longest pack there can be. */
  readonly packBufferBytes: number;
  readonly nowMs: () => number;
  /** Called once, on the first failure; nothing that is claimed to be stored can be relied on. */
  readonly onFailure: (error: unknown) => void;
}

export class PackDesk implements TicketOffice {
  readonly #storage: Storage;
  readonly #markers: SessionMarkers;
  readonly #options: PackDeskOptions;
  readonly #issued = new Map<string, Issued>();
  readonly #freeBuffers: ArrayBuffer[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #closing = new Set<Session>();
  readonly #abort = new AbortController();
  #session: Session | undefined;
  /** What has been begun for the workers and has not ended. */
  readonly #underWay = new Set<Promise<unknown>>();
  #outCount = 0;
  #failure: EngineError | undefined;

  constructor(storage: Storage, markers: SessionMarkers, options: PackDeskOptions) {
    this.#storage = storage;
    this.#markers = markers;
    this.#options = options;
  }

  /** Contents in the packs of the current session that have been finished. */
  get pendingContentCount(): number {
    return this.#session?.contentCount ?? 0;
  }

  /** How long the current session has been open; 0 when there is none. */
  get sessionAgeMs(): number {
    return this.#session ? this.#options.nowMs() - this.#session.startedMs : 0;
  }

  /** Fires when something has failed or everything was given up. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The first failure, after which nothing is written any more. */
  get failure(): EngineError | undefined {
    return this.#failure;
  }

  grant(kind: PackKind): Promise<PackTicket> {
    return this.#track(this.#grant(kind));
  }

  async #grant(kind: PackKind): Promise<PackTicket> {
    this.#throwIfFailed();
    const session = (this.#session ??= this.#begin());
    session.openCount += 1;
    try {
      const marker = await session.marker;
      await this.#takeRoom();
      const packId = packBlobId(kind, randomBytes(16), marker.sessionId);
      const staged = await this.#storage.stage?.(packId, { signal: this.#abort.signal });
      this.#issued.set(packId, { session, staged });
      this.#throwIfFailed();
      if (staged) return { packId, kind, stagedPath: staged.path };
      const buffer = this.#freeBuffers.pop() ?? new ArrayBuffer(this.#options.packBufferBytes);
      return { packId, kind, buffer };
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }

  accept(pack: FinishedPack): void {
    void this.#track(this.#store(pack).catch((error: unknown) => this.fail(error)));
  }

  /**
   * Waits until every pack of the current session is durable and begins a new session for what
   * comes next. The caller must have made the workers finish their packs after the call began.
   */
  async closeSession(finishPacks: () => Promise<unknown>): Promise<ClosedSession | undefined> {
    const session = this.#session;
    this.#session = undefined;
    await finishPacks();
    this.#throwIfFailed();
    if (session === undefined) return undefined;
    this.#closing.add(session);
    if (session.openCount > 0) await new Promise<void>(resolve => (session.waiter = resolve));
    this.#closing.delete(session);
    this.#throwIfFailed();
    return { marker: await session.marker, rows: session.rows };
  }

  /**
   * Ends everything: no more tickets, staged files removed. The first error is the one reported.
   */
  fail(error: unknown): void {
    if (this.#failure) return;
    this.#failure =
      error instanceof EngineError
        ? error
        : new EngineError(
            'INTERNAL',
            `writing to ${this.#storage.displayName} failed: ${messageOf(error)}`,
            { cause: error },
          );
    this.#abort.abort(this.#failure);
    for (const wake of this.#waiting.splice(0)) wake();
    for (const session of this.#closing) session.waiter?.();
    this.#options.onFailure(this.#failure);
  }

  /** Waits for what is under way and removes the files of packs that were never finished. */
  async discardStaged(): Promise<void> {
    await Promise.allSettled(this.#underWay);
    const staged = [...this.#issued.values()].flatMap(issued => issued.staged ?? []);
    this.#issued.clear();
    await Promise.allSettled(staged.map(blob => blob.discard()));
  }

  #begin(): Session {
    const marker = this.#markers.write(this.#abort.signal);
    // The failure surfaces in grant(), which awaits the same promise.
    marker.catch(() => undefined);
    return {
      marker,
      startedMs: this.#options.nowMs(),
      rows: [],
      openCount: 0,
      contentCount: 0,
      waiter: undefined,
    };
  }

  async #store({ packId, bytes, rows, buffer }: FinishedPack): Promise<void> {
    const issued = this.#issued.get(packId);
    if (!issued) throw new EngineError('INTERNAL', `pack ${packId} was never given out`);
    const { session, staged } = issued;
    const signal = this.#abort.signal;
    if (rows) {
      session.rows.push(rows);
      session.contentCount += rows.count;
    }
    if (bytes === 0) await staged?.discard();
    else if (staged) await staged.commit({ signal });
    else if (buffer)
      await this.#storage.put(packId, [new Uint8Array(buffer, 0, bytes)], { signal });
    if (buffer) this.#freeBuffers.push(buffer);
    this.#issued.delete(packId);
    this.#giveRoom();
    session.openCount -= 1;
    if (session.openCount === 0) session.waiter?.();
  }

  async #takeRoom(): Promise<void> {
    while (this.#outCount >= this.#options.packCountMax) {
      await new Promise<void>(resolve => this.#waiting.push(resolve));
      this.#throwIfFailed();
    }
    this.#outCount += 1;
  }

  #giveRoom(): void {
    this.#outCount -= 1;
    this.#waiting.shift()?.();
  }

  #throwIfFailed(): void {
    if (this.#failure) throw this.#failure;
  }

  async #track<Result>(work: Promise<Result>): Promise<Result> {
    this.#underWay.add(work);
    try {
      return await work;
    } finally {
      this.#underWay.delete(work);
    }
  }
}

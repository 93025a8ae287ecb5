// Things that are costly to open, are used by several at a time, and are few: counted while they
// are used, kept open for a while afterwards, closed when another one needs their place. What is
// opened here knows nothing of it.

import { abortable, abortedError, throwIfAborted } from '#engine/base/abort.ts';
import type { Clock } from '#engine/base/clock.ts';
import { settlesWithin } from '#engine/base/settles-within.ts';

export interface LeaseTableParts<Thing extends AsyncDisposable> {
  readonly clock: Clock;
  /** Told when closing one has failed, which nobody waits for. */
  readonly onCloseFailure: (error: unknown) => void;
  /** How many may be open at once. */
  readonly countMax: number;
  /** How long one stays open that nobody uses. */
  readonly idleMs: number;
  /** Told when the last one was closed since nobody used it, not to make room for another. */
  readonly onRest?: () => void;
  /** Told which are in use, whenever that may have changed. */
  readonly onUse?: (things: readonly Thing[]) => void;
  /** Told when the number of those that do not close has changed. */
  readonly onLeftBehind?: (count: number) => void;
  /** Makes a thing that was there before as good as new. */
  readonly refresh: (thing: Thing, signal?: AbortSignal) => Promise<void>;
  /** False for good once it is broken or outdated: it is not handed out any more. */
  readonly isUsable: (thing: Thing) => boolean;
}

export interface Lease<Thing> extends AsyncDisposable {
  readonly thing: Thing;
  /** Closes it now, whoever uses it, and waits for nothing. */
  abandon(): void;
  /** It was closed by another one who used it. */
  readonly isLost: boolean;
}

/**
 * How long closing may take until the place is free for another. A thread that is held in the
 * kernel, by an NFS server that is gone, cannot be ended.
 */
export const CLOSE_MS_MAX = 30_000;

/** One that was closed by another user, or broken by one, each time. */
const ATTEMPTS_MAX = 3;

interface Entry<Thing> {
  readonly key: string;
  readonly opening: Promise<Thing>;
  /** As soon as it is open. */
  thing: Thing | undefined;
  users: number;
  isDiscarded: boolean;
  /** Ends the wait after which an idle one is closed. */
  idle: AbortController | undefined;
  closing: Promise<void> | undefined;
}

export class LeaseTable<Thing extends AsyncDisposable> implements AsyncDisposable {
  readonly #parts: LeaseTableParts<Thing>;
  readonly #entries = new Set<Entry<Thing>>();
  /** Not closed in time: as many as may be open, beyond which places stay taken. */
  readonly #leftBehind = new Set<Entry<Thing>>();
  /** Woken when a place becomes free. */
  #waiting = Promise.withResolvers<void>();
  #isClosed = false;

  constructor(parts: LeaseTableParts<Thing>) {
    this.#parts = parts;
  }

  /** Opened and not closed yet. */
  get count(): number {
    return this.#entries.size;
  }

  /** Those that could not be closed, and still hold threads and memory. */
  get leftBehindCount(): number {
    return this.#leftBehind.size;
  }

  /**
   * The thing of that key, opened by `open` where there is none. Opening goes on when one who waits
   * for it gives up: others may wait, too.
   * @throws what `open` and `refresh` throw, ABORTED
   */
  async acquire(
    key: string,
    open: () => Promise<Thing>,
    signal?: AbortSignal,
  ): Promise<Lease<Thing>> {
    for (let attempt = 1; ; attempt++) {
      throwIfAborted(signal);
      const known = this.#take(key);
      const entry = known ?? (await this.#add(key, open, signal));
      try {
        const thing = await abortable(entry.opening, signal);
        if (known) await this.#refresh(entry, thing, signal);
        // Refreshing may have found that another one is needed.
        const isGood = !known || this.#parts.isUsable(thing) || attempt === ATTEMPTS_MAX;
        if (isGood) return this.#lease(entry, thing);
      } catch (error) {
        // Another user has found that it hangs, and had it closed, or has broken it.
        const isLost = known !== undefined && this.#isBroken(entry) && !signal?.aborted;
        await this.#release(entry);
        if (!isLost || this.#isClosed || attempt === ATTEMPTS_MAX) throw error;
        continue;
      }
      await this.#release(entry);
    }
  }

  /** Closes all, whoever uses them. @returns whether that was done in time */
  async close(withinMs: number): Promise<boolean> {
    this.#isClosed = true;
    this.#wake();
    const closing = Promise.all([...this.#entries].map(entry => this.#close(entry)));
    return await settlesWithin(closing, withinMs, this.#parts.clock);
  }

  /** Closes all, and waits for that as long as for one. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close(CLOSE_MS_MAX);
  }

  /** What cannot be brought up to date is opened anew by whoever comes next. */
  async #refresh(entry: Entry<Thing>, thing: Thing, signal?: AbortSignal): Promise<void> {
    try {
      await this.#parts.refresh(thing, signal);
    } catch (error) {
      if (!signal?.aborted) entry.isDiscarded = true;
      throw error;
    }
  }

  #isBroken({ closing, thing }: Entry<Thing>): boolean {
    return closing !== undefined || (thing !== undefined && !this.#parts.isUsable(thing));
  }

  /** Whoever asks for its key from now on gets another one. */
  #isOver(entry: Entry<Thing>): boolean {
    return entry.isDiscarded || this.#isBroken(entry);
  }

  /** Counted as used from here on: nobody may close it in between. */
  #take(key: string): Entry<Thing> | undefined {
    const found = [...this.#entries].find(entry => entry.key === key && !this.#isOver(entry));
    if (found === undefined) return undefined;
    found.users += 1;
    found.idle?.abort();
    return found;
  }

  async #add(
    key: string,
    open: () => Promise<Thing>,
    signal: AbortSignal | undefined,
  ): Promise<Entry<Thing>> {
    while (this.#entries.size >= this.#parts.countMax && !this.#isClosed) {
      await this.#makeRoom(signal);
      // Meanwhile somebody may have opened the same.
      const same = this.#take(key);
      if (same) return same;
    }
    if (this.#isClosed) throw abortedError(AbortSignal.abort());
    const opening = open();
    const state = { users: 1, isDiscarded: false, idle: undefined, closing: undefined };
    const entry: Entry<Thing> = { key, opening, thing: undefined, ...state };
    this.#entries.add(entry);
    opening.then(
      thing => {
        entry.thing = thing;
      },
      () => {
        this.#entries.delete(entry);
        this.#wake();
      },
    );
    return entry;
  }

  async #makeRoom(signal: AbortSignal | undefined): Promise<void> {
    const idle = [...this.#entries].find(({ users, closing }) => users === 0 && !closing);
    if (idle) await abortable(this.#close(idle), signal);
    else await abortable(this.#waiting.promise, signal);
    throwIfAborted(signal);
  }

  #lease(entry: Entry<Thing>, thing: Thing): Lease<Thing> {
    let isGiven = true;
    let isAbandoned = false;
    this.#tellOfUse();
    return {
      thing,
      abandon: () => {
        isAbandoned = true;
        void this.#close(entry);
      },
      get isLost() {
        return entry.closing !== undefined && !isAbandoned;
      },
      [Symbol.asyncDispose]: async () => {
        if (!isGiven) return;
        isGiven = false;
        await this.#release(entry);
      },
    };
  }

  async #release(entry: Entry<Thing>): Promise<void> {
    entry.users -= 1;
    if (entry.users === 0) this.#tellOfUse();
    // Whoever has abandoned it waits for nothing.
    if (entry.users > 0 || entry.closing !== undefined || !this.#entries.has(entry)) return;
    if (this.#isOver(entry)) {
      await this.#close(entry);
      return;
    }
    // The one that was used last is taken last when room is needed.
    this.#entries.delete(entry);
    this.#entries.add(entry);
    entry.idle = new AbortController();
    void this.#closeWhenIdle(entry, entry.idle.signal);
    this.#wake();
  }

  async #closeWhenIdle(entry: Entry<Thing>, signal: AbortSignal): Promise<void> {
    try {
      await this.#parts.clock.sleep(this.#parts.idleMs, signal);
    } catch {
      return; // It is used again, or closed.
    }
    if (entry.users > 0) return;
    await this.#close(entry);
    if (this.#entries.size === 0) this.#parts.onRest?.();
  }

  #close(entry: Entry<Thing>): Promise<void> {
    entry.isDiscarded = true;
    entry.idle?.abort();
    if (entry.closing !== undefined) return entry.closing;
    entry.closing = this.#dispose(entry);
    this.#tellOfUse();
    return entry.closing;
  }

  #tellOfUse(): void {
    const inUse = [...this.#entries].filter(({ users, closing }) => users > 0 && !closing);
    this.#parts.onUse?.(inUse.flatMap(({ thing }) => (thing === undefined ? [] : [thing])));
  }

  async #dispose(entry: Entry<Thing>): Promise<void> {
    const closing = this.#disposeThing(entry);
    const isLate = !(await settlesWithin(closing, CLOSE_MS_MAX, this.#parts.clock));
    if (isLate && this.#leftBehind.size < this.#parts.countMax) {
      this.#leftBehind.add(entry);
      this.#parts.onLeftBehind?.(this.#leftBehind.size);
      void closing.then(() => {
        this.#leftBehind.delete(entry);
        this.#parts.onLeftBehind?.(this.#leftBehind.size);
      });
    } else if (isLate) {
      // What does not close still takes memory, and as much of it is lost as may be.
      await closing;
    }
    this.#entries.delete(entry);
    this.#wake();
  }

  async #disposeThing(entry: Entry<Thing>): Promise<void> {
    try {
      await (await entry.opening)[Symbol.asyncDispose]();
    } catch (error) {
      this.#parts.onCloseFailure(error);
    }
  }

  #wake(): void {
    this.#waiting.resolve();
    this.#waiting = Promise.withResolvers<void>();
  }
}

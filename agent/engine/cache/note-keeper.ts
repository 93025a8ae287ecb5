// Keeps the notes of the directory that is attached: knows from them how long repositories were not
// visited, lets time go by for them, and writes down what the next life and `cache info` want to
// know. Nothing here fails a read: without a file there are no notes.

import type { Clock } from '#engine/base/clock.ts';
import { settlesWithin } from '#engine/base/settles-within.ts';
import type { Account, Accounts } from './accounts.ts';
import type { CacheStatistics } from './cache-statistics.ts';
import { NotesFile } from './notes-file.ts';
import type { CacheNotes, CacheTotals, Moment, Shrink } from './notes-format.ts';
import { type Boot, pauseMs } from './repository-age.ts';

export interface NoteKeeperParts {
  readonly clock: Clock;
  readonly readBoot: () => Boot;
  readonly statistics: CacheStatistics;
  /** Told of errors of the disk; the notes are given up until the directory is attached anew. */
  readonly onError: (error: unknown) => void;
}

/** What the cache itself adds. */
export type NotedState = Omit<CacheNotes, 'at' | 'totals' | 'repositories'>;

/** Where something has changed, the notes are written this often. */
export const NOTES_INTERVAL_MS = 5000;
/** And else, so that a life that ends with kill -9 is as old as it was. */
const IDLE_INTERVAL_MS = 10 * 60 * 1000;
/** Closing waits this long for a disk that takes its time. */
const CLOSE_WAIT_MS = 1000;
const NO_TOTALS: CacheTotals = Object.freeze({ hits: 0, hitBytes: 0, misses: 0, missBytes: 0 });

export class NoteKeeper {
  readonly #parts: NoteKeeperParts;
  #file: NotesFile | undefined;
  #accounts: Accounts | undefined;
  /** Totals are these and what the statistics have gained since. */
  #earlier = NO_TOTALS;
  #earlierShrink: Shrink | undefined;
  #statisticsThen = NO_TOTALS;
  #agedAtMs: number;
  #wroteAtMs = Number.NEGATIVE_INFINITY;
  #wrote = '';

  constructor(parts: NoteKeeperParts) {
    this.#parts = parts;
    this.#agedAtMs = parts.clock.monotonic();
  }

  /** Before the entries of the directory are known. */
  attach(directory: string, accounts: Accounts): void {
    this.#accounts = accounts;
    this.#agedAtMs = this.#parts.clock.monotonic();
    this.#statisticsThen = totalsOf(this.#parts.statistics);
    this.#earlier = NO_TOTALS;
    this.#earlierShrink = undefined;
    this.#wrote = '';
    try {
      this.#file = NotesFile.open(directory);
    } catch (error) {
      this.#parts.onError(error);
      return;
    }
    const { found } = this.#file;
    if (found === undefined) return;
    this.#earlier = found.totals;
    this.#earlierShrink = found.lastShrink;
    accounts.recall(found.repositories, pauseMs(found.at, this.#now()));
  }

  /** Time goes by. Gives those that became orphans by it. */
  age(unvisitedMsMax: number): readonly Account[] {
    const nowMs = this.#parts.clock.monotonic();
    const passedMs = Math.max(0, nowMs - this.#agedAtMs);
    this.#agedAtMs = nowMs;
    return this.#accounts?.age(passedMs, unvisitedMsMax) ?? [];
  }

  /** Writes in the background, if it is time to. */
  note(stateNow: () => NotedState, isRecovered: boolean): void {
    if (this.#file === undefined || this.#file.isBusy) return;
    const sinceMs = this.#parts.clock.monotonic() - this.#wroteAtMs;
    if (sinceMs < NOTES_INTERVAL_MS) return;
    const state = stateNow();
    const isNew = this.#fingerprint(state) !== this.#wrote;
    if (isNew || sinceMs >= IDLE_INTERVAL_MS) void this.#write(state, isRecovered);
  }

  /** A last time, then the file is closed. */
  async close(state: NotedState, isRecovered: boolean): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    const work = file.settled().then(() => this.#write(state, isRecovered));
    await settlesWithin(work, CLOSE_WAIT_MS);
    this.detach();
  }

  /** The directory is gone. */
  detach(): void {
    this.#file?.close();
    this.#file = undefined;
    this.#accounts = undefined;
  }

  async #write(state: NotedState, isRecovered: boolean): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    this.#wroteAtMs = this.#parts.clock.monotonic();
    this.#wrote = this.#fingerprint(state);
    const repositories = this.#accounts?.notes(isRecovered) ?? [];
    try {
      await file.write({
        ...state,
        lastShrink: state.lastShrink ?? this.#earlierShrink,
        at: this.#now(),
        totals: this.#totals(),
        repositories,
      });
    } catch (error) {
      if (this.#file === file) this.detach();
      this.#parts.onError(error);
    }
  }

  #totals(): CacheTotals {
    const now = totalsOf(this.#parts.statistics);
    const sum = (name: keyof CacheTotals): number =>
      this.#earlier[name] + now[name] - this.#statisticsThen[name];
    return {
      hits: sum('hits'),
      hitBytes: sum('hitBytes'),
      misses: sum('misses'),
      missBytes: sum('missBytes'),
    };
  }

  /** Differs when there is something to be noted but time. */
  #fingerprint(state: NotedState): string {
    const accounts = this.#accounts?.all() ?? [];
    const marks = accounts.reduce(
      (sum, { isDeleted, isLive }) => sum + (isDeleted ? 2 : 0) + (isLive ? 1 : 0),
      0,
    );
    return JSON.stringify([state, this.#totals(), accounts.length, marks]);
  }

  #now(): Moment {
    return { wallMs: Math.max(0, this.#parts.clock.now()), ...this.#parts.readBoot() };
  }
}

function totalsOf({ hits, hitBytes, misses, missBytes }: CacheStatistics): CacheTotals {
  return { hits, hitBytes, misses, missBytes };
}

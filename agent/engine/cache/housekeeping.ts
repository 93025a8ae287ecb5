// What goes on beside reads while a directory is attached: time goes by for its repositories, those
// that were deleted or that nobody visits lose their entries in the background, and notes are kept
// of all that.

import type { Clock } from '#engine/base/clock.ts';
import { repositoryKey } from './blob-key.ts';
import type { CacheEvent } from './cache-settings.ts';
import type { CacheVolume } from './cache-volume.ts';
import { textOfKey } from './key-text.ts';
import { type NotedState, NoteKeeper, type NoteKeeperParts } from './note-keeper.ts';
import type { Shrink } from './notes-format.ts';

export interface HousekeepingParts extends NoteKeeperParts {
  readonly clock: Clock;
  readonly tell: (event: CacheEvent) => void;
}

/** Of the moment; the rest of what is noted is known here. */
export type CacheMoment = Omit<NotedState, 'lastShrink'>;

/** Deleted repositories that are remembered while there is no directory. */
export const FORGOTTEN_MAX = 1024;
const DAY_MS = 24 * 60 * 60 * 1000;

export class Housekeeping {
  readonly #parts: HousekeepingParts;
  readonly #keeper: NoteKeeper;
  /** Deleted while there was no directory. */
  readonly #forgotten = new Set<string>();
  #volume: CacheVolume | undefined;
  /** Until what was there at the start is known. */
  #recovering: Promise<void> | undefined;
  #isRecovered = false;
  #purging: Promise<void> | undefined;
  #lastShrink: Shrink | undefined;

  constructor(parts: HousekeepingParts) {
    this.#parts = parts;
    this.#keeper = new NoteKeeper(parts);
  }

  get lastShrink(): Shrink | undefined {
    return this.#lastShrink;
  }

  /** A directory is there, and `recover` finds out what is in it, in the background. */
  attach(volume: CacheVolume, recover: () => Promise<void>): void {
    this.#volume = volume;
    this.#isRecovered = false;
    this.#keeper.attach(volume.directory, volume.accounts);
    this.#recovering = recover().then(() => {
      this.#isRecovered ||= volume === this.#volume;
    });
    for (const name of this.#forgotten) this.#markDeleted(volume, name);
    this.#forgotten.clear();
  }

  /** When everything that was there at the start is known again. */
  async recovered(): Promise<void> {
    await this.#recovering;
  }

  /** See Cache.forgetRepository. */
  async forgetRepository(name: string): Promise<void> {
    if (this.#volume === undefined) {
      if (this.#forgotten.size < FORGOTTEN_MAX) this.#forgotten.add(name);
      return;
    }
    this.#markDeleted(this.#volume, name);
    await this.#recovering;
    // One that is about to end may have looked before this one was marked.
    await this.#purging;
    await this.#purge();
  }

  /** To be called again and again. */
  look(moment: () => CacheMoment, unvisitedDaysMax: number): void {
    if (this.#volume === undefined) return;
    for (const { key, name } of this.#keeper.age(unvisitedDaysMax * DAY_MS)) {
      const repository = name ?? textOfKey(key);
      this.#parts.tell({ kind: 'orphaned', repository, reason: 'unvisited' });
    }
    if (this.#isRecovered) void this.#purge();
    const state = (): NotedState => ({ ...moment(), lastShrink: this.#lastShrink });
    this.#keeper.note(state, this.#isRecovered);
  }

  limitFell(shrink: Omit<Shrink, 'wallMs'>): void {
    this.#lastShrink = { ...shrink, wallMs: Math.max(0, this.#parts.clock.now()) };
  }

  async close(moment: CacheMoment): Promise<void> {
    const state = { ...moment, lastShrink: this.#lastShrink };
    await this.#keeper.close(state, this.#isRecovered);
    this.detach();
  }

  /** The directory is gone. */
  detach(): void {
    this.#keeper.detach();
    this.#volume = undefined;
  }

  #markDeleted({ accounts }: CacheVolume, name: string): void {
    accounts.markDeleted(accounts.indexOf(repositoryKey(name)));
    this.#parts.tell({ kind: 'orphaned', repository: name, reason: 'deleted' });
  }

  /** Removes everything that orphans have. Whoever comes meanwhile waits for the same. */
  #purge(): Promise<void> {
    this.#purging ??= this.#purgeAll(this.#volume).finally(() => {
      this.#purging = undefined;
    });
    return this.#purging;
  }

  async #purgeAll(volume: CacheVolume | undefined): Promise<void> {
    if (volume === undefined) return;
    while (volume === this.#volume && (await volume.purge()) > 0);
  }
}

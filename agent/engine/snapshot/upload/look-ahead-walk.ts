// The walk of a look-ahead, a directory at a time. What would keep the thread for long is passed
// over: tasks may come at any moment.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { isEngineError } from '#engine/base/errors.ts';
import { wrapModificationTime } from '#engine/snapshot/source/change-detection.ts';
import { EntryRows } from '#engine/snapshot/source/entry-rows.ts';
import type {
  SourceDirectory,
  SourceFileSystem,
} from '#engine/snapshot/source/source-file-system.ts';
import { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { ENTRY_TYPE, SourceStat } from '#engine/snapshot/source/source-stat.ts';
import { TotalsBuilder } from './part-totals.ts';
import type { PartTotals } from './upload-tasks.ts';

/** A directory without children, as it was found. */
export interface SeenDirectory {
  readonly stat: SourceStat;
  /** Of all its entries (EntryRows). */
  readonly rows: Uint8Array;
  readonly totals: PartTotals;
}

/** Of a directory, besides its rows. */
const DIRECTORY_BYTES = 1024;
const ROOM_BYTES = 1024 * 1024;
/** Larger ones are stored in pages. */
const ENTRIES_MAX = 4096;
/** What file systems call the size of a directory; larger ones take long to list. */
const LISTED_BYTES_MAX = 1024 * 1024;
const DIRECTORY_MS_MAX = 20;
/** As many directories are open at once. */
const DEPTH_MAX = 32;

export class LookAheadWalk implements Disposable {
  readonly #fileSystem: SourceFileSystem;
  readonly #keep: (key: string, seen: SeenDirectory) => void;
  readonly #open: SourceDirectory[] = [];
  readonly #listing = new SourceListing();
  /** Holds one name at a time. */
  readonly #name = new SourceListing();
  readonly #rows = new EntryRows();
  readonly #stat = new SourceStat();
  /** What is left of a buffer for rows. */
  #room = new Uint8Array(0);
  #bytes = 0;

  constructor(fileSystem: SourceFileSystem, keep: (key: string, seen: SeenDirectory) => void) {
    this.#fileSystem = fileSystem;
    this.#keep = keep;
  }

  /** Bytes kept so far, after each directory of the tree. @throws when the root cannot be opened */
  async *directories(root: Uint8Array): AsyncGenerator<number> {
    const directory = this.#fileSystem.openRoot(root, { followsLinks: true });
    yield* this.#below(directory, []);
  }

  /** Ends the walk, wherever it is. */
  [Symbol.dispose](): void {
    for (const directory of this.#open.splice(0)) directory[Symbol.dispose]();
  }

  async *#below(directory: SourceDirectory, names: readonly Uint8Array[]): AsyncGenerator<number> {
    this.#open.push(directory);
    const children = this.#look(directory, names);
    await nextTurn();
    yield this.#bytes;
    for (const name of names.length < DEPTH_MAX ? children : []) {
      if (!this.#open.includes(directory)) return;
      const child = this.#openChild(directory, name);
      if (child) yield* this.#below(child, [...names, name]);
    }
    this.#open.pop()?.[Symbol.dispose]();
  }

  /** Names of the directories that are in it; none of one that cannot be looked at. */
  #look(directory: SourceDirectory, names: readonly Uint8Array[]): Uint8Array[] {
    const listing = this.#listing;
    const own = new SourceStat();
    try {
      this.#fileSystem.statOpen(directory, own);
      wrapModificationTime(own);
      if (own.size > LISTED_BYTES_MAX) return [];
      this.#fileSystem.list(directory, listing);
      if (listing.count > ENTRIES_MAX) return [];
      if (listing.directoryCount === 0) this.#see(directory, keyOf(names), own);
    } catch (error) {
      if (isEngineError(error)) return [];
      throw error;
    }
    const children = listing.order.subarray(0, listing.directoryCount);
    return Array.from(children, index => listing.nameAt(index).slice());
  }

  #see(directory: SourceDirectory, key: string, own: SourceStat): void {
    const listing = this.#listing;
    const rows = this.#rows;
    const stat = this.#stat;
    const totals = new TotalsBuilder();
    const endMs = performance.now() + DIRECTORY_MS_MAX;
    rows.clear();
    for (const index of listing.order) {
      if (index % 64 === 0 && performance.now() > endMs) return;
      this.#fileSystem.statAt(directory, listing, index, stat);
      if (stat.type !== ENTRY_TYPE.file && stat.type !== ENTRY_TYPE.symlink) return;
      wrapModificationTime(stat);
      if (!rows.add(listing, index, stat)) return;
      totals.addTakenOver(stat);
    }
    this.#keep(key, { stat: own, rows: this.#kept(rows), totals: totals.part() });
    this.#bytes += DIRECTORY_BYTES;
  }

  /** A copy, in one of few large buffers: the collector looks at each of them. */
  #kept({ arena, usedBytes }: EntryRows): Uint8Array {
    if (usedBytes > this.#room.length) {
      this.#room = new Uint8Array(Math.max(ROOM_BYTES, usedBytes));
      this.#bytes += this.#room.length;
    }
    const kept = this.#room.subarray(0, usedBytes);
    kept.set(arena.bytes.subarray(0, usedBytes));
    this.#room = this.#room.subarray(usedBytes);
    return kept;
  }

  #openChild(parent: SourceDirectory, name: Uint8Array): SourceDirectory | undefined {
    this.#name.clear();
    const index = this.#name.add(name, ENTRY_TYPE.directory);
    try {
      return this.#fileSystem.openDirectory(parent, this.#name, index);
    } catch (error) {
      if (isEngineError(error)) return undefined;
      throw error;
    }
  }
}

export function keyOf(names: readonly Uint8Array[]): string {
  return names.map(name => Buffer.from(name).toString('latin1')).join('/');
}

// Looks at a source before the repository is open. Deriving the key of a password takes a core
// 0.2 s, in which the thread that has been started for the backup would have nothing to do: it
// lists the first directories and keeps what it found of them, for compareTask to compare.
//
// It knows no policy yet, so it looks at what may turn out to be left out. That must do no harm: it
// only lists and examines, and stays away from a tree in which something is mounted, since a mount
// may hang.

import { readFileSync, realpathSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isEngineError, systemCodeOf } from '#engine/base/errors.ts';
import { parseMountInfo } from '#engine/base/mount-info.ts';
import { wrapModificationTime } from '#engine/snapshot/source/change-detection.ts';
import { EntryRows } from '#engine/snapshot/source/entry-rows.ts';
import { openSourceFileSystem } from '#engine/snapshot/source/open-source-file-system.ts';
import type {
  SourceDirectory,
  SourceFileSystem,
} from '#engine/snapshot/source/source-file-system.ts';
import { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { ENTRY_TYPE, SourceStat } from '#engine/snapshot/source/source-stat.ts';
import { TotalsBuilder } from './part-totals.ts';
import type { PartTotals } from './upload-tasks.ts';

/** Structured-cloneable; what a thread is started with. */
export interface LookAheadErrand {
  /** The directory that will be backed up, bytes of a path. */
  readonly root: Uint8Array;
  readonly isNativeAllowed: boolean;
}

function isErrand(errand: unknown): errand is LookAheadErrand {
  return typeof errand === 'object' && errand !== null && 'root' in errand;
}

/** Begins to look, where that is what the thread was started with. */
export function beginLookAhead(errand: unknown): LookAhead | undefined {
  if (!isErrand(errand)) return undefined;
  const ahead = new LookAhead(errand);
  void ahead.run();
  return ahead;
}

/** A directory without children, as it was found. */
export interface SeenDirectory {
  readonly stat: SourceStat;
  /** Of all its entries (EntryRows). */
  readonly rows: Uint8Array;
  readonly totals: PartTotals;
}

/** 150,000 entries with names of ten bytes are 9 MiB. */
const SEEN_BYTES_MAX = 12 * 1024 * 1024;
/** Of a directory, besides its rows. */
const DIRECTORY_BYTES = 1024;
const ROOM_BYTES = 1024 * 1024;
/** Larger ones are stored in pages. */
const ENTRIES_MAX = 4096;
/** As many directories are open at once. */
const DEPTH_MAX = 32;
const MOUNTS = '/proc/self/mountinfo';

export class LookAhead {
  /** When it began, by Date.now(): what it has seen was so at that time or later. */
  readonly sinceMs = Date.now();
  readonly #errand: LookAheadErrand;
  readonly #seen = new Map<string, SeenDirectory>();
  readonly #listing = new SourceListing();
  /** Holds one name at a time. */
  readonly #name = new SourceListing();
  readonly #rows = new EntryRows();
  readonly #stat = new SourceStat();
  /** What is left of a buffer for rows. */
  #room = new Uint8Array(0);
  #bytes = 0;
  #isOver = false;

  constructor(errand: LookAheadErrand) {
    this.#errand = errand;
  }

  /** Looks until there is nothing left, no room, or stop(). Never rejects: a backup will tell. */
  async run(): Promise<void> {
    const { root, isNativeAllowed } = this.#errand;
    try {
      if (hasMountsBelow(root)) return;
      const fileSystem = openSourceFileSystem({ native: isNativeAllowed });
      using directory = fileSystem.openRoot(root, { followsLinks: true });
      await this.#walk(fileSystem, directory, []);
    } catch (error) {
      if (!isEngineError(error) && systemCodeOf(error) === undefined) throw error;
    }
  }

  /** Looks at nothing more; what was seen can be taken. */
  stop(): void {
    this.#isOver = true;
  }

  /** Gives up what was not taken, too. */
  forget(): void {
    this.stop();
    this.#seen.clear();
  }

  /** Whether it is of this directory, and of no earlier state than that at `sinceMs`. */
  isOf(root: Uint8Array, sinceMs: number | undefined): boolean {
    const isRecent = sinceMs !== undefined && this.sinceMs >= sinceMs;
    return isRecent && Buffer.compare(root, this.#errand.root) === 0;
  }

  /** What was found of the directory that `names` lead to, once; undefined where nothing was. */
  take(names: readonly Uint8Array[]): SeenDirectory | undefined {
    const key = keyOf(names);
    const seen = this.#seen.get(key);
    this.#seen.delete(key);
    return seen;
  }

  async #walk(
    fileSystem: SourceFileSystem,
    directory: SourceDirectory,
    names: readonly Uint8Array[],
  ): Promise<void> {
    const children = this.#look(fileSystem, directory, names);
    await nextTurn();
    if (names.length === DEPTH_MAX) return;
    for (const name of children) {
      if (this.#isOver) return;
      using child = this.#openChild(fileSystem, directory, name);
      if (child) await this.#walk(fileSystem, child, [...names, name]);
    }
  }

  /** Names of the directories that are in it. */
  #look(
    fileSystem: SourceFileSystem,
    directory: SourceDirectory,
    names: readonly Uint8Array[],
  ): Uint8Array[] {
    const listing = this.#listing;
    const own = new SourceStat();
    fileSystem.statOpen(directory, own);
    wrapModificationTime(own);
    fileSystem.list(directory, listing);
    if (listing.count > ENTRIES_MAX) return [];
    if (listing.directoryCount === 0) this.#keep(fileSystem, directory, keyOf(names), own);
    return [...listing.order.subarray(0, listing.directoryCount)].map(index =>
      listing.nameAt(index).slice(),
    );
  }

  #keep(
    fileSystem: SourceFileSystem,
    directory: SourceDirectory,
    key: string,
    own: SourceStat,
  ): void {
    const listing = this.#listing;
    const rows = this.#rows;
    const stat = this.#stat;
    const totals = new TotalsBuilder();
    rows.clear();
    for (const index of listing.order) {
      fileSystem.statAt(directory, listing, index, stat);
      if (stat.type !== ENTRY_TYPE.file && stat.type !== ENTRY_TYPE.symlink) return;
      wrapModificationTime(stat);
      if (!rows.add(listing, index, stat)) return;
      totals.addTakenOver(stat);
    }
    this.#seen.set(key, { stat: own, rows: this.#kept(rows), totals: totals.part() });
    this.#bytes += DIRECTORY_BYTES;
    if (this.#bytes > SEEN_BYTES_MAX) this.stop();
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

  #openChild(
    fileSystem: SourceFileSystem,
    parent: SourceDirectory,
    name: Uint8Array,
  ): SourceDirectory | undefined {
    this.#name.clear();
    const index = this.#name.add(name, ENTRY_TYPE.directory);
    try {
      return fileSystem.openDirectory(parent, this.#name, index);
    } catch (error) {
      if (isEngineError(error)) return undefined;
      throw error;
    }
  }
}

/** Bytes as characters, on both sides: names need not be text. */
function hasMountsBelow(root: Uint8Array): boolean {
  const path = realpathSync(Buffer.from(root), 'latin1').replace(/\/*$/, '/');
  return parseMountInfo(readFileSync(MOUNTS, 'latin1')).some(mount => mount.path.startsWith(path));
}

function keyOf(names: readonly Uint8Array[]): string {
  return names.map(name => Buffer.from(name).toString('latin1')).join('/');
}

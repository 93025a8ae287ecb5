// What a storage is asked for by real restores, and how policies would have done with that. A trace
// is recorded from the engine; a replay keeps entries in a table and no bytes at all.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { blobKey } from '#engine/cache/blob-key.ts';
import type { Cache } from '#engine/cache/cache.ts';
import { coverage } from '#engine/cache/coverage.ts';
import { kindOfBlob } from '#engine/cache/blob-kinds.ts';
import { EntryTable, NO_ENTRY, WINDOW_BYTES, windowOf } from '#engine/cache/entry-table.ts';
import type { EvictionPolicy } from '#engine/cache/eviction-policy.ts';
import { createRepository, openRepository, backup, restore } from '#engine/index.ts';
import { MemoryStorage } from '#engine/storage/memory.ts';
import type { GetOptions, Storage } from '#engine/storage/storage.ts';
import { wrap } from '#engine/storage/wrap.ts';
import type { SeededRandom } from '#test/support/random.ts';
import type { SweepingPolicy } from './kopia-sweep.ts';

export interface TraceStep {
  readonly id: string;
  readonly offset: number;
  readonly length: number;
  /** Before it, the node had nothing to do for so long. */
  readonly pauseSeconds?: number;
}

export type Trace = readonly TraceStep[];

const PASSWORD = 'trace';
const OWNER = { user: 'trace', host: 'trace' };

/** A repository with a tree of files, and traces of what is done with it. */
export class TraceRecorder {
  readonly #storage: Storage;
  readonly #directory: string;
  #steps: TraceStep[] = [];
  #targets = 0;
  #cache: Cache | undefined;

  private constructor(directory: string) {
    this.#directory = directory;
    const memory = new MemoryStorage();
    this.#storage = wrap(memory, {
      get: async (id: string, options: GetOptions = {}) => {
        const bytes = await memory.get(id, options);
        const { offset = 0 } = options.range ?? {};
        if (kindOfBlob(id) !== undefined) this.#steps.push({ id, offset, length: bytes.length });
        return bytes;
      },
    });
  }

  /** `directory/source` has to be there. */
  static async make(directory: string): Promise<TraceRecorder> {
    const recorder = new TraceRecorder(directory);
    const storage = recorder.#storage;
    await createRepository({ storage, password: PASSWORD, owner: OWNER });
    await recorder.backup();
    return recorder;
  }

  async backup(): Promise<void> {
    await using repository = await this.#open();
    await backup(repository, { path: `${this.#directory}/source` });
  }

  async restore(): Promise<void> {
    await using repository = await this.#open();
    const target = `${this.#directory}/target-${this.#targets++}`;
    await restore(repository, { snapshot: 'latest', target });
    rmSync(target, { recursive: true });
  }

  async record(work: (recorder: this) => Promise<void>): Promise<Trace> {
    this.#steps = [];
    await work(this);
    return this.#steps;
  }

  /** The same through a cache, with the plans of its restores: what the storage was asked for. */
  async recordThrough(cache: Cache, work: (recorder: this) => Promise<void>): Promise<Trace> {
    this.#cache = cache;
    try {
      return await this.record(work);
    } finally {
      this.#cache = undefined;
    }
  }

  #open(): ReturnType<typeof openRepository> {
    const place = { storage: this.#storage, cache: this.#cache };
    return openRepository({ ...place, password: PASSWORD, owner: OWNER, threads: 2 });
  }
}

/**
 * A volume that is backed up each day: of `fileCount` files, most of them small, a tenth is written
 * anew in each of `generations`, so that the last one lies in many pieces of many packs.
 */
export async function recordVolume(
  directory: string,
  random: SeededRandom,
  { fileCount, generations }: { readonly fileCount: number; readonly generations: number },
): Promise<TraceRecorder> {
  const source = `${directory}/source`;
  mkdirSync(source, { recursive: true });
  const write = (file: number): void => {
    const most = random.once(20) ? 1_000_000 : 30_000;
    writeFileSync(`${source}/${file}`, random.bytes(1 + random.below(most)));
  };
  for (let file = 0; file < fileCount; file++) write(file);
  const recorder = await TraceRecorder.make(directory);
  for (let generation = 1; generation < generations; generation++) {
    for (let file = 0; file < fileCount; file++) if (random.once(10)) write(file);
    await recorder.backup();
  }
  return recorder;
}

/** The same again, after the node had nothing to do. */
export function later(trace: Trace, pauseSeconds: number): Trace {
  return trace.map((step, index) => (index === 0 ? { ...step, pauseSeconds } : step));
}

/** Files that look like those of a volume: many small ones, some of megabytes. */
export function makeSource(directory: string, random: SeededRandom, mib: number): void {
  for (let file = 0; file < mib; file++) {
    writeFileSync(`${directory}/large-${file}`, random.bytes(1024 * 1024 - random.below(500_000)));
    for (let small = 0; small < 10; small++) {
      writeFileSync(`${directory}/small-${file}-${small}`, random.bytes(1 + random.below(20_000)));
    }
  }
}

export function distinctBytes(trace: Trace): number {
  return replay(trace, { capacityBytes: Number.MAX_SAFE_INTEGER, newPolicy: noPolicy }).fetched;
}

export interface Replayed {
  readonly asked: number;
  readonly fetched: number;
  /** The most entries that there were at a time. */
  readonly entries: number;
}

/** What a policy is made of: a table, and a clock that goes by what is asked for. */
export type NewPolicy = (table: EntryTable, now: () => number) => EvictionPolicy;

/** A restore gets on as fast. */
const BYTES_PER_SECOND = 100e6;

/** How many bytes would have been fetched with a cache of that size. */
export function replay(
  trace: Trace,
  { capacityBytes, newPolicy }: { capacityBytes: number; newPolicy: NewPolicy },
): Replayed {
  const cache = new ReplayedCache(capacityBytes, newPolicy);
  for (const step of trace) cache.read(step);
  return cache;
}

class ReplayedCache implements Replayed {
  asked = 0;
  fetched = 0;
  entries = 0;
  readonly #capacityBytes: number;
  readonly #table = new EntryTable();
  readonly #policy: EvictionPolicy & Partial<SweepingPolicy>;
  #used = 0;
  #pausedSeconds = 0;

  constructor(capacityBytes: number, newPolicy: NewPolicy) {
    this.#capacityBytes = capacityBytes;
    const now = (): number => this.#pausedSeconds + this.asked / BYTES_PER_SECOND;
    this.#policy = newPolicy(this.#table, now);
  }

  read({ id, offset, length, pauseSeconds = 0 }: TraceStep): void {
    this.#pausedSeconds += pauseSeconds;
    this.asked += length;
    const key = blobKey('trace', id);
    const parts = coverage(this.#table, key, { from: offset, to: offset + length });
    // Before anything goes to make room for the rest.
    for (const { row } of parts) if (row !== NO_ENTRY) this.#policy.used(row);
    for (const { row, from, to } of parts) {
      if (row !== NO_ENTRY) continue;
      this.fetched += to - from;
      for (let at = from; at < to;) {
        const end = Math.min(to, (windowOf(at) + 1) * WINDOW_BYTES);
        if (!this.#makeRoom(end - at)) break;
        const place = { segment: 0, slot: 0, block: 0, repository: 0, kind: 0, isLast: false };
        const check = { a: 0, b: 0 };
        const added = this.#table.add({ key, offset: at, length: end - at, check, ...place });
        this.#policy.added(added);
        this.#used += end - at;
        at = end;
      }
    }
    this.entries = Math.max(this.entries, this.#table.count);
  }

  #makeRoom(bytes: number): boolean {
    for (;;) {
      const overdue = this.#policy.overdue?.(this.#capacityBytes, bytes) ?? NO_ENTRY;
      if (overdue !== NO_ENTRY) this.#remove(overdue);
      else if (this.#used + bytes <= this.#capacityBytes) return true;
      else {
        const victim = this.#policy.victim(() => true);
        if (victim === NO_ENTRY) return false;
        this.#remove(victim);
      }
    }
  }

  #remove(row: number): void {
    this.#used -= this.#table.columns.length[row];
    this.#policy.removed(row);
    this.#table.remove(row);
    this.#table.recycle(row);
  }
}

function noPolicy(): EvictionPolicy {
  return {
    added: () => undefined,
    used: () => undefined,
    removed: () => undefined,
    victim: () => NO_ENTRY,
  };
}

// What a storage is asked for by real restores, and how policies would have done with that. A trace
// is recorded from the engine; a replay keeps entries in a table and no bytes at all.

import { writeFileSync } from 'node:fs';
import { coverage } from '#engine/cache/coverage.ts';
import { blobKey } from '#engine/cache/blob-key.ts';
import { kindOfBlob } from '#engine/cache/blob-kinds.ts';
import { EntryTable, NO_ENTRY, WINDOW_BYTES, windowOf } from '#engine/cache/entry-table.ts';
import type { EvictionPolicy } from '#engine/cache/eviction-policy.ts';
import { createRepository, openRepository, backup, restore } from '#engine/index.ts';
import { MemoryStorage } from '#engine/storage/memory.ts';
import type { GetOptions, Storage } from '#engine/storage/storage.ts';
import { wrap } from '#engine/storage/wrap.ts';
import type { SeededRandom } from '#test/support/random.ts';

export interface TraceStep {
  readonly id: string;
  readonly offset: number;
  readonly length: number;
}

export type Trace = readonly TraceStep[];

const PASSWORD = 'trace';
const OWNER = { user: 'trace', host: 'trace' };

/** A repository with a tree of `fileCount` files, and traces of what is done with it. */
export class TraceRecorder {
  readonly #storage: Storage;
  readonly #directory: string;
  #steps: TraceStep[] = [];
  #targets = 0;

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
  }

  async record(work: (recorder: this) => Promise<void>): Promise<Trace> {
    this.#steps = [];
    await work(this);
    return this.#steps;
  }

  #open(): ReturnType<typeof openRepository> {
    return openRepository({ storage: this.#storage, password: PASSWORD, owner: OWNER, threads: 2 });
  }
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
}

/** How many bytes would have been fetched with a cache of that size. */
export function replay(
  trace: Trace,
  {
    capacityBytes,
    newPolicy,
  }: { capacityBytes: number; newPolicy: (table: EntryTable) => EvictionPolicy },
): Replayed {
  const table = new EntryTable();
  const policy = newPolicy(table);
  let used = 0;
  let asked = 0;
  let fetched = 0;
  for (const { id, offset, length } of trace) {
    const key = blobKey('trace', id);
    asked += length;
    const parts = coverage(table, key, { from: offset, to: offset + length });
    // Before anything goes to make room for the rest.
    for (const { row } of parts) if (row !== NO_ENTRY) policy.used(row);
    for (const { row, from, to } of parts) {
      if (row !== NO_ENTRY) continue;
      fetched += to - from;
      for (let at = from; at < to;) {
        const end = Math.min(to, (windowOf(at) + 1) * WINDOW_BYTES);
        while (used + end - at > capacityBytes) {
          const victim = policy.victim(() => true);
          if (victim === NO_ENTRY) break;
          used -= table.columns.length[victim];
          policy.removed(victim);
          table.remove(victim);
          table.recycle(victim);
        }
        if (used + end - at > capacityBytes) break;
        const place = { segment: 0, slot: 0, block: 0, repository: 0, kind: 0, isLast: false };
        const check = { a: 0, b: 0 };
        policy.added(table.add({ key, offset: at, length: end - at, check, ...place }));
        used += end - at;
        at = end;
      }
    }
  }
  return { asked, fetched };
}

function noPolicy(): EvictionPolicy {
  return {
    added: () => undefined,
    used: () => undefined,
    removed: () => undefined,
    victim: () => NO_ENTRY,
  };
}

// Contents of a repository in memory, opened as often as a test likes without deriving its key
// again, and storages that count, fail or make wait.

import type { Test } from 'tap';
import { systemClock, type Clock } from '#engine/base/clock.ts';
import { createFormat } from '#engine/content/create-format.ts';
import { OpenContents, type OpenContentsOptions } from '#engine/content/open-contents.ts';
import { loadRepositoryFormat, type RepositoryFormat } from '#engine/content/repository-format.ts';
import type { EngineTasks } from '#engine/snapshot/worker.ts';
import { MemoryStorage } from '#engine/storage/memory.ts';
import type { Storage } from '#engine/storage/storage.ts';

export type Contents = OpenContents<EngineTasks>;

const threadEntry = new URL(import.meta.resolve('#engine/snapshot/worker.ts'));

export interface ContentScene {
  readonly memory: MemoryStorage;
  readonly format: RepositoryFormat;
  /** The repository as another process would open it; closed with the test. */
  open(options?: Partial<OpenContentsOptions> & { readonly storage?: Storage }): Promise<Contents>;
}

/** The format blobs of a repository and what they say; deriving its key takes a while. */
const created = (async () => {
  const storage = new MemoryStorage();
  const password = 'secret';
  await createFormat(storage, { password });
  const nowNanoseconds = systemClock.nowNanoseconds();
  return { storage, format: await loadRepositoryFormat(storage, { password, nowNanoseconds }) };
})();

/** An empty repository. `clock` is the storage's. */
export async function contentScene(t: Test, clock?: Pick<Clock, 'now'>): Promise<ContentScene> {
  const memory = new MemoryStorage(clock);
  const { storage: original, format } = await created;
  for (const id of await idsOf(original, '')) await memory.put(id, [await original.get(id)]);
  const open: ContentScene['open'] = async ({ storage = memory, ...options } = {}) => {
    const settings = { threadEntry, threads: 1, ...options };
    const contents = await OpenContents.openWith<EngineTasks>(storage, format, settings);
    t.teardown(() => contents.close());
    return contents;
  };
  return { memory, format, open };
}

/** Stores a content in some worker thread and returns its id; not flushed. */
export async function write(
  { pool }: Contents,
  bytes: Uint8Array | string,
  prefix = '',
  workerIndex?: number,
): Promise<string> {
  const input = { prefix, bytes: new Uint8Array(Buffer.from(bytes)) };
  return (await pool.run('writeContent', input, { workerIndex })).contentId;
}

export async function idsOf(storage: Storage, prefix: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of storage.list(prefix)) ids.push(id);
  return ids.sort();
}

/** A clock that stands still, save when a sleep or the test moves it. */
export class TestClock implements Clock {
  readonly sleeps: number[] = [];
  #ms: number;

  constructor(ms: number = Date.now()) {
    this.#ms = ms;
  }

  advance(ms: number): void {
    this.#ms += ms;
  }

  now(): number {
    return this.#ms;
  }

  nowNanoseconds(): bigint {
    return BigInt(this.#ms) * 1_000_000n;
  }

  monotonic(): number {
    return this.#ms;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.sleeps.push(ms);
    this.#ms += ms;
  }
}

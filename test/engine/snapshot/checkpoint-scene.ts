// A backup that stands still before a task of our choice, is checkpointed there when we say so, and
// whose repository is copied at that moment: what a kill would leave.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { systemClock, type Clock } from '#engine/base/clock.ts';
import type { EngineError } from '#engine/base/errors.ts';
import { OpenContents } from '#engine/content/open-contents.ts';
import { loadRepositoryFormat } from '#engine/content/repository-format.ts';
import { createRepository, Repository } from '#engine/repository.ts';
import {
  backup,
  type BackupOptions,
  type BackupOutcome,
  type BackupRequest,
} from '#engine/snapshot/backup.ts';
import type { UploadTasks } from '#engine/snapshot/upload/upload-tasks.ts';
import { THREAD_ENTRY } from '#engine/snapshot/thread-entry.ts';
import type { EngineTasks } from '#engine/snapshot/worker.ts';
import { MemoryStorage } from '#engine/storage/memory.ts';

export const owner = { user: 'user', host: 'host' };
export const source = { ...owner, path: '/data' };

/**
 * Of all scenes; a storage's own clock must not be far off, and files are made before a backup of
 * them begins.
 */
let startMs = systemClock.now();

/** Stands still; sleeps end when tick() is called. */
export class CheckpointClock implements Clock {
  nowMs = startMs;
  /** Called when the backup begins to wait for its next checkpoint. */
  onWaiting: () => void = () => undefined;
  #wake: (() => void) | undefined;

  now = (): number => this.nowMs;
  nowNanoseconds = (): bigint => BigInt(this.nowMs) * 1_000_000n;
  monotonic = (): number => this.nowMs;

  async sleep(_ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      this.#wake = resolve;
      signal?.addEventListener('abort', () => reject(new Error('no more sleep')), { once: true });
      this.onWaiting();
    });
  }

  /** Ends the sleep that began last. */
  tick(): void {
    this.#wake?.();
  }
}

export interface Stop {
  readonly kind: keyof UploadTasks;
  /** Before which task of that kind, from 1. */
  readonly count: number;
  readonly then: () => Promise<void>;
}

/**
 * The contents of a repository whose tasks wait for `stop.then` before the one it names, with no
 * other task under way.
 * @param taskMsMax how long a task works before it comes back
 */
function stopping(
  contents: OpenContents<EngineTasks>,
  stop: Stop | undefined,
  taskMsMax: number,
): OpenContents<EngineTasks> {
  const counts = new Map<string, number>();
  const underWay = new Set<Promise<unknown>>();
  let held: Promise<void> | undefined;
  const pool = {
    size: contents.pool.size,
    broadcast: contents.pool.broadcast.bind(contents.pool),
    async run(kind: keyof EngineTasks, input: { run?: object }, options?: object) {
      const count = (counts.get(kind) ?? 0) + 1;
      counts.set(kind, count);
      const isUpload = kind in { scanDirectory: 1, storePage: 1, readFile: 1 };
      if (isUpload && stop?.kind === kind && stop.count === count) {
        held = Promise.allSettled([...underWay])
          // The upload has to hear of them, too.
          .then(() => nextTurn())
          .then(stop.then);
      }
      if (isUpload && held) await held;
      const given = input.run ? { ...input, run: { ...input.run, taskMsMax } } : input;
      // The types of kind and input belong together, whatever they are.
      const running = contents.pool.run(kind as never, given, options);
      underWay.add(running);
      return await running.finally(() => underWay.delete(running));
    },
  };
  return new Proxy(contents, {
    // Private members belong to the original.
    get: (original, name) => (name === 'pool' ? pool : (Reflect.get(original, name) as unknown)),
  });
}

const created = (async () => {
  const storage = new MemoryStorage();
  await createRepository({ storage, password: 'p', splitter: 'FIXED-128K', owner });
  const format = await loadRepositoryFormat(storage, { password: 'p' });
  return { storage, format };
})();

export async function copyOf(original: MemoryStorage): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  const blobs = await Array.fromAsync(original.list(''));
  for (const { id } of blobs) await storage.put(id, [await original.get(id)]);
  return storage;
}

export class CheckpointScene {
  readonly storage: MemoryStorage;
  readonly clock = new CheckpointClock();
  readonly repository: Repository;
  readonly warnings: readonly EngineError[];

  private constructor(
    storage: MemoryStorage,
    repository: Repository,
    { clock, warnings }: Pick<CheckpointScene, 'clock' | 'warnings'>,
  ) {
    this.storage = storage;
    this.repository = repository;
    this.clock = clock;
    this.warnings = warnings;
  }

  static async open(
    t: { teardown: (end: () => Promise<void>) => void },
    from?: MemoryStorage,
    threads = 1,
  ): Promise<CheckpointScene> {
    const clock = new CheckpointClock();
    const { storage: empty, format } = await created;
    const storage = await copyOf(from ?? empty);
    // The key is derived from the password once, which takes longer than a backup here.
    const warnings: EngineError[] = [];
    const onWarning = (warning: EngineError) => void warnings.push(warning);
    const options = { threadEntry: THREAD_ENTRY, threads, owner, clock, onWarning };
    const parts = await OpenContents.openWith<EngineTasks>(storage, format, options);
    const repository = new Repository(parts, undefined);
    t.teardown(() => repository.close());
    return new CheckpointScene(storage, repository, { clock, warnings });
  }

  backup(
    request: BackupRequest,
    {
      stop,
      taskMsMax = 5000,
      agoMs = 0,
      ...options
    }: BackupOptions & { stop?: Stop; taskMsMax?: number; agoMs?: number } = {},
  ): Promise<BackupOutcome> {
    const { parts, manifests } = this.repository;
    startMs = Math.max(startMs, systemClock.now()) + 1000;
    this.clock.nowMs = startMs - agoMs;
    const contents = stopping(parts, stop, taskMsMax);
    return backup({ contents, manifests }, { source, ...request }, options);
  }

  /** Writes a checkpoint and resolves when it is durable. */
  async checkpoint(): Promise<void> {
    const saved = new Promise<void>(resolve => (this.clock.onWaiting = resolve));
    this.clock.tick();
    await saved;
  }

  /** What a kill -9 at this moment would leave. */
  killed(): Promise<MemoryStorage> {
    return copyOf(this.storage);
  }
}

// Makes an index table of index blobs that arrive one after the other: a small one here, a large
// one in a worker thread, since opening, decoding and sorting 20 million entries takes seconds.

import { ownBuffer } from '#engine/base/arena.ts';
import { IndexTableBuilder, type IndexTableBuilderOptions } from '#engine/index/table-builder.ts';
import { IndexTable } from '#engine/index/table.ts';
import type { IndexTasks } from '#engine/workers/index-tasks.ts';
import type { TaskRunner } from '#engine/workers/tasks.ts';
import type { IndexBlobs } from './index-blobs.ts';

export interface IndexLoading {
  /**
   * Adds the entries of a sealed blob, whose bytes are taken over.
   * @throws INDEX_DAMAGED
   */
  add(id: string, sealed: Uint8Array): Promise<void>;
  /** The table of all that was added. */
  finish(): Promise<IndexTable>;
  /** Gives back what is held, after a failure. */
  drop(): Promise<void>;
}

export interface IndexLoadingOptions extends IndexTableBuilderOptions {
  readonly contentOverheadBytes: number;
}

export function loadHere(blobs: IndexBlobs, options: IndexLoadingOptions): IndexLoading {
  const { contentOverheadBytes } = options;
  const builder = new IndexTableBuilder(options);
  return {
    add: async (id, sealed) => {
      builder.addFile(blobs.open(id, sealed), { name: id, contentOverheadBytes });
    },
    finish: async () => builder.finish(),
    drop: async () => undefined,
  };
}

/** Any thread would do; it has to be the same for one index. */
const INDEX_WORKER = Object.freeze({ workerIndex: 0 });

export async function loadInWorker(
  runner: TaskRunner<IndexTasks>,
  options: IndexLoadingOptions,
): Promise<IndexLoading> {
  const { contentOverheadBytes, ...tableOptions } = options;
  await runner.run('beginIndex', tableOptions, INDEX_WORKER);
  return {
    add: async (id, bytes) => {
      const sealed = ownBuffer(bytes);
      const input = { id, sealed, contentOverheadBytes };
      await runner.run('addIndexBlob', input, { ...INDEX_WORKER, transfer: [sealed.buffer] });
    },
    finish: async () => {
      const { table } = await runner.run('finishIndex', undefined, INDEX_WORKER);
      return IndexTable.attach(table);
    },
    drop: () => runner.run('dropIndex', undefined, INDEX_WORKER),
  };
}

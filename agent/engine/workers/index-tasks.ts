// Loading a large index in a worker thread: blobs arrive sealed, one after the other, and the table
// that is made of them goes back in shared memory. One index is loaded at a time, and all its tasks
// go to the same thread.

import { EngineError } from '#engine/base/errors.ts';
import { releaseBuffer } from '#engine/base/release-buffer.ts';
import { IndexTableBuilder, type IndexTableBuilderOptions } from '#engine/index/table-builder.ts';
import type { SharedIndexTable } from '#engine/index/table.ts';
import type { ContentThread } from './content-thread.ts';
import type { TaskHandlers } from './tasks.ts';

export interface SealedIndexBlob {
  readonly id: string;
  /** In a buffer of its own, which moves to the worker. */
  readonly sealed: Uint8Array<ArrayBuffer>;
  readonly contentOverheadBytes: number;
}

// An alias and not an interface, because only aliases fit the index signature of TaskMap.
export type IndexTasks = {
  /** Begins a table; one that was not finished is given up. */
  beginIndex: { input: IndexTableBuilderOptions; output: undefined };
  addIndexBlob: { input: SealedIndexBlob; output: undefined };
  finishIndex: { input: undefined; output: { readonly table: SharedIndexTable } };
  /** Gives up a table that was not finished. */
  dropIndex: { input: undefined; output: undefined };
};

export function indexHandlers(thread: ContentThread): TaskHandlers<IndexTasks> {
  let builder: IndexTableBuilder | undefined;
  const current = (): IndexTableBuilder => {
    if (builder) return builder;
    throw new EngineError('INTERNAL', 'no index is being loaded in this thread');
  };
  return {
    beginIndex: options => {
      builder = new IndexTableBuilder(options);
      return { output: undefined };
    },
    addIndexBlob: ({ id, sealed, contentOverheadBytes }) => {
      const file = thread.indexOpener.open(id, sealed);
      current().addFile(file, { name: id, contentOverheadBytes });
      // The next one should not have to wait for the collector.
      releaseBuffer(file.buffer);
      return { output: undefined };
    },
    finishIndex: () => {
      const table = current().finish().share();
      builder = undefined;
      return { output: { table } };
    },
    dropIndex: () => {
      builder = undefined;
      return { output: undefined };
    },
  };
}

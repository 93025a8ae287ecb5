// A worker thread for pool.test.ts.

import { threadId } from 'node:worker_threads';
import { EngineError } from '#engine/base/errors.ts';
import { NativeResources } from '#engine/base/native-resources.ts';
import { serveTasks } from '#engine/workers/serve.ts';
import type { TaskHandlers } from '#engine/workers/tasks.ts';

export type PoolTestTasks = {
  whoAmI: {
    input: undefined;
    output: { readonly seed: unknown; readonly threadId: number; readonly errands: unknown[] };
  };
  /** Waits until the word in shared memory is set. */
  waitFor: { input: { readonly word: SharedArrayBuffer }; output: number };
  /** Keeps the thread for so many milliseconds. */
  last: { input: number; output: undefined };
  /** As waitFor, letting other tasks in meanwhile. */
  waitGently: { input: { readonly word: SharedArrayBuffer }; output: number };
  fail: { input: { readonly isOurs: boolean }; output: undefined };
  exit: { input: number; output: undefined };
  crash: { input: undefined; output: undefined };
  giveBack: { input: Uint8Array<ArrayBuffer>; output: Uint8Array<ArrayBuffer> };
  uncloneable: { input: undefined; output: unknown };
  /** Holds something of native code, which counts in the word when it is freed. */
  hold: { input: { readonly word: SharedArrayBuffer }; output: undefined };
};

const held = {};
const errands: unknown[] = [];

const handlers = (seed: unknown): TaskHandlers<PoolTestTasks> => ({
  whoAmI: () => ({ output: { seed, threadId, errands } }),
  waitFor: ({ word }) => {
    Atomics.wait(new Int32Array(word), 0, 0);
    return { output: threadId };
  },
  last: ms => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    return { output: undefined };
  },
  waitGently: async ({ word }) => {
    await Atomics.waitAsync(new Int32Array(word), 0, 0).value;
    return { output: threadId };
  },
  fail: ({ isOurs }) => {
    if (isOurs) throw new EngineError('PACK_DAMAGED', 'as asked', { details: { packId: 'p1' } });
    throw new TypeError('as asked');
  },
  exit: status => process.exit(status),
  crash: () => {
    setImmediate(() => {
      throw new Error('outside of any task');
    });
    return { output: undefined };
  },
  giveBack: bytes => ({ output: bytes, transfer: [bytes.buffer] }),
  hold: ({ word }) => {
    const resources = new NativeResources<Int32Array>(freed => void Atomics.add(freed, 0, 1));
    resources.keep(held, new Int32Array(word));
    return { output: undefined };
  },
  uncloneable: () => ({ output: () => 'a function' }),
});

serveTasks(handlers, errand => void errands.push(errand));

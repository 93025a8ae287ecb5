// The typed message exchange between the main thread and the pool. A folder that runs something in
// worker threads describes it as a TaskMap and supplies one handler for each kind.

import type { Transferable } from 'node:worker_threads';
import type { SerializedError } from '#engine/base/errors.ts';

/** Kind of task -> what it takes and gives. Both are structured-cloneable. */
export type TaskMap = Record<never, { input: unknown; output: unknown }>;

/** A second task lies ready in each thread, so that it need not wait for the main thread. */
export const TASKS_PER_THREAD = 2;

export interface TaskReply<Output> {
  readonly output: Output;
  /** Buffers of `output` that move to the main thread instead of being copied. */
  readonly transfer?: readonly Transferable[];
}

export type TaskHandler<Input, Output> = (
  input: Input,
) => TaskReply<Output> | Promise<TaskReply<Output>>;

export type TaskHandlers<Tasks> = {
  readonly [Kind in keyof Tasks]: Tasks[Kind] extends { input: infer Input; output: infer Output }
    ? TaskHandler<Input, Output>
    : never;
};

export type InputOf<Tasks, Kind extends keyof Tasks> = Tasks[Kind] extends { input: infer Input }
  ? Input
  : never;

export type OutputOf<Tasks, Kind extends keyof Tasks> = Tasks[Kind] extends {
  output: infer Output;
}
  ? Output
  : never;

export interface RunOptions {
  /** Buffers of the input that move to the worker instead of being copied. */
  readonly transfer?: readonly Transferable[];
  /** Run in this worker, for tasks that build on what an earlier one left there. */
  readonly workerIndex?: number;
  /** It may well be over before another thread has started; then none is started for it. */
  readonly isBrief?: boolean;
}

/** What a thread answers to a task. */
export interface TaskAnswer {
  readonly id: number;
  readonly output?: unknown;
  readonly error?: SerializedError;
}

/** Sent in front of the seed: something to do until that comes. */
export interface ThreadErrand {
  /** Structured-cloneable, and for the module of the thread to know. */
  readonly errand: unknown;
}

/** Sent in place of a task: free what native code holds, and end. */
export const END_OF_THREAD = 'end';

/** The first that a thread says: it has loaded what it runs. */
export const THREAD_READY = 'ready';

/** What a layer sees of the pool: the tasks it knows. */
export interface TaskRunner<Tasks> {
  /** How many worker threads there can be. */
  readonly size: number;

  /**
   * Runs one task in some worker; starts the worker when it is not there yet.
   * @throws WORKER_DIED when the thread ended before it answered; the pool is useless then
   */
  run<Kind extends keyof Tasks & string>(
    kind: Kind,
    input: InputOf<Tasks, Kind>,
    options?: RunOptions,
  ): Promise<OutputOf<Tasks, Kind>>;

  /** Runs a task in each worker that has been started, ahead of what is queued. */
  broadcast<Kind extends keyof Tasks & string>(
    kind: Kind,
    input: InputOf<Tasks, Kind>,
  ): Promise<OutputOf<Tasks, Kind>[]>;
}

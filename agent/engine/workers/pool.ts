// The pool of worker threads. Everything that burns CPU runs here; the main thread waits for I/O
// and decides. A pool belongs to one repository, starts its threads when they are first needed, and
// is ended by close(). The death of one thread fails all of it: packs that were open in that thread
// are gone, so what the run has claimed to store is not stored.

import type { Transferable, Worker } from 'node:worker_threads';
import { deserializeError, EngineError, messageOf } from '#engine/base/errors.ts';
import {
  END_OF_THREAD,
  type InputOf,
  type OutputOf,
  type RunOptions,
  type TaskAnswer,
  TASKS_PER_THREAD,
  type TaskRunner,
  THREAD_READY,
} from './tasks.ts';
import { startThread, type WaitingThread } from './thread.ts';

export interface WorkerSeed {
  /** Structured-cloneable; what the thread is told first (serve.ts). */
  readonly data: unknown;
  readonly transfer?: readonly Transferable[];
}

export interface PoolOptions {
  /** Module that the threads run; it calls serveTasks. */
  readonly entry: URL;
  readonly size: number;
  /** Called once for each thread, when it is started. */
  readonly seed: (workerIndex: number) => WorkerSeed;
  /** A thread of the same entry to begin with; closed with the pool. */
  readonly waiting?: WaitingThread;
}

interface PendingTask {
  readonly kind: string;
  readonly input: unknown;
  readonly transfer: readonly Transferable[];
  readonly isBrief: boolean;
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  /** When it last had nothing to do or gave an answer: its next task began no sooner. */
  freeSinceMs: number;
  readonly running: Map<number, PendingTask>;
  /** Whether it has given an answer; it may be starting before. */
  hasAnswered: boolean;
}

/**
 * A brief task waits while the threads that there are answer others, one in this time at least, and
 * take no longer than brief for each. A backup in which nothing has changed is through with one
 * thread as soon as with two, for a sixth less processor time and 20 MiB; where each directory is
 * waited for, on a network or a cold disk, two threads wait for two at a time.
 */
const BRIEF_WAIT_MS = 50;
/** Comparing a warm directory of 100 entries takes 0.6 ms. */
const BRIEF_TASK_MS = 10;
/** How much the last task counts beside those before it. */
const LAST_TASK_SHARE = 1 / 8;

export class WorkerPool<Tasks> implements TaskRunner<Tasks> {
  readonly size: number;
  readonly #options: PoolOptions;
  readonly #threads: (Thread | undefined)[];
  readonly #queue: PendingTask[] = [];
  #nextId = 0;
  #failure: EngineError | undefined;
  #isClosed = false;
  #busyMax: number;
  /** When there was an answer last, by performance.now(). */
  #answeredMs = 0;
  /** What a task takes a thread, the last few above all. */
  #taskMs = 0;
  /** Looks again at what waits for a thread to be started. */
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PoolOptions) {
    this.size = options.size;
    this.#options = options;
    this.#busyMax = options.size;
    this.#threads = Array.from({ length: options.size }, () => undefined);
  }

  /** Why all tasks are rejected. */
  get failure(): EngineError | undefined {
    return this.#failure;
  }

  /** How many threads may be busy. */
  get busyMax(): number {
    return this.#busyMax;
  }

  run<Kind extends keyof Tasks & string>(
    kind: Kind,
    input: InputOf<Tasks, Kind>,
    options: RunOptions = {},
  ): Promise<OutputOf<Tasks, Kind>> {
    const { promise, task } = this.#newTask<OutputOf<Tasks, Kind>>(kind, input, options);
    if (this.#failure) {
      task.reject(this.#failure);
    } else if (options.workerIndex === undefined) {
      this.#queue.push(task);
      this.#dispatch();
    } else {
      this.#send(this.#threadAt(options.workerIndex), task);
    }
    return promise;
  }

  async broadcast<Kind extends keyof Tasks & string>(
    kind: Kind,
    input: InputOf<Tasks, Kind>,
  ): Promise<OutputOf<Tasks, Kind>[]> {
    if (this.#failure) throw this.#failure;
    const started = this.#threads.filter(thread => thread !== undefined);
    return Promise.all(
      started.map(thread => {
        const { promise, task } = this.#newTask<OutputOf<Tasks, Kind>>(kind, input);
        this.#send(thread, task);
        return promise;
      }),
    );
  }

  /** Ends all threads, wherever they are. What was queued or running is rejected. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#options.waiting?.close();
    // After a failure nobody knows what a thread is at.
    const calm = this.#failure ? [] : this.#threads.filter(thread => thread?.running.size === 0);
    this.#fail(new EngineError('ABORTED', 'the worker threads were stopped'));
    await Promise.all(calm.flatMap(thread => (thread ? [endGently(thread.worker)] : [])));
    await Promise.all(
      this.#threads.map(thread => thread?.worker.terminate() ?? Promise.resolve(0)),
    );
  }

  /**
   * Gives tasks to so many threads from now on, at least one. What is under way elsewhere goes on;
   * tasks for a certain thread and broadcasts are not concerned.
   */
  limitBusy(count: number): void {
    this.#busyMax = Math.min(this.size, Math.max(1, Math.floor(count)));
    this.#dispatch();
  }

  #newTask<Output>(
    kind: string,
    input: unknown,
    { transfer = [], isBrief = false }: RunOptions = {},
  ): { promise: Promise<Output>; task: PendingTask } {
    const { promise, resolve: settle, reject } = Promise.withResolvers<Output>();
    // The type of the answer is what the handler of `kind` was declared to give.
    const resolve = settle as (output: unknown) => void;
    return { promise, task: { kind, input, transfer, isBrief, resolve, reject } };
  }

  #dispatch(): void {
    while (this.#queue.length > 0 && this.#failure === undefined) {
      const thread = this.#threadFor(this.#queue[0]);
      const task = thread && this.#queue.shift();
      if (thread === undefined || task === undefined) return;
      this.#send(thread, task);
    }
  }

  /** An idle thread, else a new one where that pays, else one with room in its queue. */
  #threadFor({ isBrief }: PendingTask): Thread | undefined {
    let best: Thread | undefined;
    const allowed = this.#threads.slice(0, this.#busyMax);
    for (const thread of allowed) {
      if (thread && thread.running.size < (best?.running.size ?? TASKS_PER_THREAD)) best = thread;
    }
    if (best?.running.size === 0) return best;
    const unstarted = allowed.indexOf(undefined);
    if (unstarted === -1) return best;
    const isStarted = allowed.some(thread => thread !== undefined);
    if (!isBrief || !isStarted || !this.#isMoving(allowed)) return this.#threadAt(unstarted);
    if (best === undefined) this.#lookAgain();
    return best;
  }

  /** Whether a thread is starting, or threads answer all the time. */
  #isMoving(threads: readonly (Thread | undefined)[]): boolean {
    const isStarting = threads.some(thread => thread?.hasAnswered === false);
    const areTasksBrief = this.#taskMs < BRIEF_TASK_MS;
    return isStarting || (areTasksBrief && performance.now() - this.#answeredMs < BRIEF_WAIT_MS);
  }

  #lookAgain(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#dispatch();
    }, BRIEF_WAIT_MS);
  }

  #threadAt(workerIndex: number): Thread {
    const existing = this.#threads[workerIndex];
    if (existing) return existing;
    const { data, transfer } = this.#options.seed(workerIndex);
    const worker = this.#options.waiting?.take() ?? startThread(this.#options.entry);
    worker.postMessage(data, [...(transfer ?? [])]);
    const freeSinceMs = performance.now();
    const thread: Thread = { worker, freeSinceMs, running: new Map(), hasAnswered: false };
    this.#threads[workerIndex] = thread;
    worker.on('message', (answer: TaskAnswer | typeof THREAD_READY) => {
      if (answer !== THREAD_READY) this.#settle(thread, answer);
    });
    worker.on('error', error => this.#died(`a worker thread failed: ${messageOf(error)}`, error));
    worker.on('exit', code => this.#died(`a worker thread ended with status ${code}`));
    return thread;
  }

  #send(thread: Thread, task: PendingTask): void {
    const id = this.#nextId++;
    if (thread.running.size === 0) thread.freeSinceMs = performance.now();
    try {
      thread.worker.postMessage({ id, kind: task.kind, input: task.input }, [...task.transfer]);
      thread.running.set(id, task);
    } catch (error) {
      // Something in the input cannot be cloned or moved; the thread has not heard of it.
      task.reject(error);
    }
  }

  #settle(thread: Thread, { id, output, error }: TaskAnswer): void {
    const task = thread.running.get(id);
    thread.running.delete(id);
    this.#noteTime(thread);
    thread.hasAnswered = true;
    if (error) task?.reject(deserializeError(error));
    else task?.resolve(output);
    this.#dispatch();
  }

  /** Without the first answer, which waits for the thread to start. */
  #noteTime(thread: Thread): void {
    const nowMs = performance.now();
    if (thread.hasAnswered) {
      this.#taskMs += (nowMs - thread.freeSinceMs - this.#taskMs) * LAST_TASK_SHARE;
    }
    thread.freeSinceMs = nowMs;
    this.#answeredMs = nowMs;
  }

  #died(message: string, cause?: unknown): void {
    if (!this.#isClosed) this.#fail(new EngineError('WORKER_DIED', message, { cause }));
  }

  #fail(failure: EngineError): void {
    this.#failure ??= failure;
    const waiting = this.#threads.flatMap(thread => [...(thread?.running.values() ?? [])]);
    for (const task of [...waiting, ...this.#queue]) task.reject(failure);
    for (const thread of this.#threads) thread?.running.clear();
    this.#queue.length = 0;
  }
}

/** How long an idle thread may take to free what it holds. */
const END_MS_MAX = 1000;

async function endGently(worker: Worker): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, END_MS_MAX);
  worker.once('exit', resolve);
  worker.postMessage(END_OF_THREAD);
  await promise;
  clearTimeout(timer);
}

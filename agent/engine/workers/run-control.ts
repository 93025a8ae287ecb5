// Words of shared memory through which the main thread and the workers of a run see each other
// without messages: a flag that says "stop", and counters for progress.

/** Index of a counter of one worker. Sums over all workers are what progress shows. */
export const COUNTER = Object.freeze({
  files: 0,
  directories: 1,
  bytesRead: 2,
  bytesHashed: 3,
  contentsNew: 4,
  contentsReused: 5,
  bytesStored: 6,
  filesReused: 7,
});

export type CounterName = keyof typeof COUNTER;

/** One cache line for each worker, so that counting does not make the cores wait for each other. */
const COUNTERS_PER_WORKER = 8;

export class RunControl {
  readonly shared: SharedArrayBuffer;
  readonly #flags: Int32Array;
  readonly #counters: Float64Array;

  private constructor(shared: SharedArrayBuffer) {
    this.shared = shared;
    this.#flags = new Int32Array(shared, 0, 16);
    this.#counters = new Float64Array(shared, 64);
  }

  static create(workerCount: number): RunControl {
    return new RunControl(new SharedArrayBuffer(64 + workerCount * COUNTERS_PER_WORKER * 8));
  }

  static attach(shared: SharedArrayBuffer): RunControl {
    return new RunControl(shared);
  }

  /** Tells every worker to stop at the next chunk or file. There is no way back. */
  stop(): void {
    Atomics.store(this.#flags, 0, 1);
  }

  get isStopped(): boolean {
    return Atomics.load(this.#flags, 0) === 1;
  }

  /** The counters of one worker; only that worker writes to them. */
  countersOf(workerIndex: number): Float64Array {
    const start = workerIndex * COUNTERS_PER_WORKER;
    return this.#counters.subarray(start, start + COUNTERS_PER_WORKER);
  }

  /** Sum over the workers, which may be a moment old. */
  total(counter: CounterName): number {
    let sum = 0;
    for (let i = COUNTER[counter]; i < this.#counters.length; i += COUNTERS_PER_WORKER) {
      sum += this.#counters[i];
    }
    return sum;
  }
}

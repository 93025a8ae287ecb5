// The worker threads of one section: each takes over its tables before its first task, and a
// section with little to do keeps to the first of them.

import { mapBounded } from '#engine/base/map-bounded.ts';
import type { InputOf, OutputOf, RunOptions, TaskRunner } from '#engine/workers/tasks.ts';
import type { SharedSection } from './plan-tables.ts';
import type { RestoreRun, RestoreTasks } from './restore-tasks.ts';

/** One task runs and one lies ready in each thread. */
const LANES_PER_THREAD = 2;

/** Where a task runs, and until when. */
export interface TaskPlace {
  readonly workerIndex: number;
  readonly signal: AbortSignal;
}

export class SectionCrew {
  readonly #runner: TaskRunner<RestoreTasks>;
  readonly #run: RestoreRun;
  readonly #share: () => SharedSection;
  /** Threads that have the tables, by number. */
  readonly #entered = new Map<number, Promise<undefined>>();

  /** @param share gives the tables as they are when the first thread asks */
  constructor(runner: TaskRunner<RestoreTasks>, run: RestoreRun, share: () => SharedSection) {
    this.#runner = runner;
    this.#run = run;
    this.#share = share;
  }

  /** How many items are in work at once. */
  get laneCount(): number {
    return LANES_PER_THREAD * this.#runner.size;
  }

  /** Runs a task in a thread that has the tables of the section. */
  async task<Kind extends keyof RestoreTasks>(
    kind: Kind,
    input: Omit<InputOf<RestoreTasks, Kind>, 'runId'>,
    { workerIndex = 0, transfer }: RunOptions = {},
  ): Promise<OutputOf<RestoreTasks, Kind>> {
    await this.#enter(workerIndex);
    const { runId } = this.#run;
    // What was left out above is put in here.
    const whole = { ...input, runId } as InputOf<RestoreTasks, Kind>;
    return await this.#runner.run(kind, whole, { workerIndex, transfer });
  }

  #enter(workerIndex: number): Promise<undefined> {
    const entering = this.#entered.get(workerIndex);
    if (entering) return entering;
    const input = { run: this.#run, section: this.#share() };
    const entered = this.#runner.run('restoreEnter', input, { workerIndex });
    this.#entered.set(workerIndex, entered);
    return entered;
  }

  /** Gives items to the threads; few items keep to the first of them. */
  async each<Item>(
    items: Iterable<Item>,
    signal: AbortSignal,
    work: (item: Item, workerIndex: number, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const { size } = this.#runner;
    const options = { parallelism: this.laneCount, signal };
    await mapBounded(items, options, (item, itemSignal, { laneIndex }) =>
      work(item, laneIndex % size, itemSignal),
    );
  }
}

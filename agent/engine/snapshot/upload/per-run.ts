// What a worker thread holds for each run, made when the first task of the run comes.

import { stopped } from './entry-faults.ts';
import type { UploadRun } from './upload-tasks.ts';

/** A task that is late comes while other runs end, of which there are a few at a time. */
const ENDED_KEPT = 100;

export class PerRun<Held extends Disposable> {
  readonly #held = new Map<number, Held>();
  /** The last of them; no id comes twice. */
  readonly #ended: number[] = [];
  readonly #make: (run: UploadRun) => Held;

  constructor(make: (run: UploadRun) => Held) {
    this.#make = make;
  }

  /** @throws ABORTED for a task of a run that has ended: nobody would end it once more */
  of(run: UploadRun): Held {
    const known = this.#held.get(run.runId);
    if (known) return known;
    if (this.#ended.includes(run.runId)) throw stopped();
    const made = this.#make(run);
    this.#held.set(run.runId, made);
    return made;
  }

  end(runId: number): void {
    this.#held.get(runId)?.[Symbol.dispose]();
    this.#held.delete(runId);
    this.#ended.push(runId);
    if (this.#ended.length > ENDED_KEPT) this.#ended.shift();
  }
}

// What a worker thread holds for each run, made when the first task of the run comes.

import type { UploadRun } from './upload-tasks.ts';

export class PerRun<Held extends Disposable> {
  readonly #held = new Map<number, Held>();
  readonly #make: (run: UploadRun) => Held;

  constructor(make: (run: UploadRun) => Held) {
    this.#make = make;
  }

  of(run: UploadRun): Held {
    const known = this.#held.get(run.runId);
    if (known) return known;
    const made = this.#make(run);
    this.#held.set(run.runId, made);
    return made;
  }

  end(runId: number): void {
    this.#held.get(runId)?.[Symbol.dispose]();
    this.#held.delete(runId);
  }
}

// Progress as a custom resource shows it: bytes done of bytes in all. The latter are an estimate
// until the end; the former never go back and never pass them.

import type { MoveProgress } from '#agent/moves/volume-mover.ts';

export class ProgressMeter {
  readonly #onProgress: (progress: MoveProgress) => void;
  #estimate = 0;
  #bytesDone = 0;
  #told: MoveProgress = { totalBytes: 0, bytesDone: 0 };

  constructor(onProgress: ((progress: MoveProgress) => void) | undefined) {
    this.#onProgress = onProgress ?? (() => undefined);
  }

  estimate(totalBytes: number): void {
    this.#estimate = totalBytes;
    this.#tell();
  }

  done(bytesDone: number): void {
    this.#bytesDone = Math.max(this.#bytesDone, bytesDone);
    this.#tell();
  }

  /** All is done, and so many bytes they were; fewer than estimated, perhaps. */
  finish(totalBytes: number): void {
    this.#onProgress({ totalBytes, bytesDone: totalBytes });
  }

  /** As long as nothing is known of the whole, its size is not told: 0 there means unknown. */
  #tell(): void {
    const bytesDone = this.#bytesDone;
    const totalBytes = this.#estimate === 0 ? 0 : Math.max(this.#estimate, bytesDone);
    const { totalBytes: toldTotal, bytesDone: toldDone } = this.#told;
    if (totalBytes === toldTotal && bytesDone === toldDone) return;
    this.#told = { totalBytes, bytesDone };
    this.#onProgress(this.#told);
  }
}

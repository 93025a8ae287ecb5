// Keeps an upload's flushes and its view of the index in time while tasks run. Between tasks is not
// enough: one task may read a terabyte, and what was packed must have an index within minutes
// (kopia-format.md section 7).

export interface UpkeepTarget {
  keepUp(): Promise<void>;
}

const INTERVAL_MS = 10_000;

export class Upkeep implements Disposable {
  readonly #target: UpkeepTarget;
  readonly #onFailure: (error: unknown) => void;
  readonly #timer: NodeJS.Timeout;
  #isBusy = false;

  /** @param onFailure called at most once; the upload cannot succeed any more */
  constructor(
    target: UpkeepTarget,
    onFailure: (error: unknown) => void,
    intervalMs: number = INTERVAL_MS,
  ) {
    this.#target = target;
    this.#onFailure = onFailure;
    this.#timer = setInterval(() => void this.#keepUp(), intervalMs);
  }

  /** Nothing is begun afterwards; what is under way ends by itself. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #keepUp(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      await this.#target.keepUp();
    } catch (error) {
      clearInterval(this.#timer);
      this.#onFailure(error);
    } finally {
      this.#isBusy = false;
    }
  }
}

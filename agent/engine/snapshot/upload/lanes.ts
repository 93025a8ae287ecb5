// Does work that begets more work, several pieces at a time, until nothing is left or one fails.

import { throwIfAborted } from '#engine/base/abort.ts';

export interface LaneWork<Work> {
  /** The next thing to do; undefined when everything that is left is being done. */
  readonly next: () => Work | undefined;
  readonly run: (work: Work) => Promise<void>;
  readonly signal: AbortSignal;
  /** Whether nothing more is to be begun, though nothing has failed. */
  readonly isRefused?: () => boolean;
  /** Called once nothing more is to be begun; those at work go on by themselves. */
  readonly onStop?: () => void;
}

export class Lanes<Work> {
  readonly #work: LaneWork<Work>;
  readonly #idle: (() => void)[] = [];
  #busyCount = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(work: LaneWork<Work>) {
    this.#work = work;
  }

  /** The first that failed, or undefined. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /** Never rejects: see `failure`. */
  async run(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.#lane()));
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#work.onStop?.();
    this.wake();
  }

  /** There may be more to do. */
  wake(): void {
    for (const wake of this.#idle.splice(0)) wake();
  }

  get #isStopped(): boolean {
    return this.#failure !== undefined || this.#work.isRefused?.() === true;
  }

  async #lane(): Promise<void> {
    while (!this.#isStopped) {
      const work = this.#work.next();
      if (work !== undefined) await this.#do(work);
      // Those at work may find more.
      else if (this.#busyCount > 0) await new Promise<void>(resolve => this.#idle.push(resolve));
      else break;
    }
    this.wake();
  }

  async #do(work: Work): Promise<void> {
    this.#busyCount += 1;
    try {
      throwIfAborted(this.#work.signal);
      await this.#work.run(work);
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#busyCount -= 1;
    if (this.#isStopped) this.#work.onStop?.();
    this.wake();
  }
}

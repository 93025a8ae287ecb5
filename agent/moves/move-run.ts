// One move under way in this process: what it was told, how far it is, how it ended.

import type { Clock } from '#engine/base/clock.ts';
import { isEngineError } from '#engine/base/errors.ts';
import type { MoveSuccess } from './move-adapter.ts';
import type { RunState } from './phase-machine.ts';
import type { MoveOptions, MoveProgress } from './volume-mover.ts';

/**
 * The time from one write of progress to the next is the time that the move had run at the first,
 * divided by this: whoever looks at a short one sees it go on, and a thousand long ones make a
 * hundred writes a second.
 */
export const PROGRESS_INTERVAL_DIVISOR = 4;
export const PROGRESS_INTERVAL_MS_MIN = 1000;
export const PROGRESS_INTERVAL_MS_MAX = 10_000;

/** `revoked`: the controller wants its slot back. */
export type StopReason = 'cancelled' | 'interrupted' | 'revoked';

export interface MoveRunComponents {
  readonly clock: Clock;
  readonly work: (options: MoveOptions) => Promise<MoveSuccess>;
  /** There is progress that has not been written. Must not throw. */
  readonly onProgress: () => void;
}

export class MoveRun {
  readonly #components: MoveRunComponents;
  readonly #abort = new AbortController();
  readonly #ended: Promise<void>;
  readonly #beganAt: number;
  #state: RunState = 'running';
  #stopReason: StopReason | undefined;
  #success: MoveSuccess | undefined;
  #error: unknown;
  #progress: MoveProgress | undefined;
  #written: MoveProgress | undefined;
  #writtenAt = -Infinity;
  #isNoticed = false;
  #mayHavePublished = false;

  constructor(components: MoveRunComponents) {
    this.#components = components;
    this.#beganAt = components.clock.monotonic();
    this.#ended = this.#run();
  }

  get state(): RunState {
    return this.#state;
  }

  get hasEnded(): boolean {
    return this.#state !== 'running' && this.#state !== 'stopping';
  }

  get success(): MoveSuccess | undefined {
    return this.#success;
  }

  get error(): unknown {
    return this.#error;
  }

  /** A snapshot may be there, although the run has failed. */
  get mayHavePublished(): boolean {
    return this.#mayHavePublished;
  }

  get progress(): MoveProgress | undefined {
    return this.#progress;
  }

  /** Undefined when there is nothing new; else until it may be written. */
  get progressDueMs(): number | undefined {
    if (isSame(this.#progress, this.#written)) return undefined;
    const share = (this.#writtenAt - this.#beganAt) / PROGRESS_INTERVAL_DIVISOR;
    const intervalMs = Math.min(
      PROGRESS_INTERVAL_MS_MAX,
      Math.max(PROGRESS_INTERVAL_MS_MIN, share),
    );
    return Math.max(0, this.#writtenAt + intervalMs - this.#components.clock.monotonic());
  }

  /** Resolves when it has ended, however it did; never rejects. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** At once; the first reason stands. Without effect after the end. */
  stop(reason: StopReason): void {
    if (this.#state !== 'running') return;
    this.#state = 'stopping';
    this.#stopReason = reason;
    this.#abort.abort();
  }

  /** The process ends before the work does: it counts as interrupted, whatever comes of it. */
  abandon(): void {
    if (this.hasEnded) return;
    this.stop('interrupted');
    this.#state = 'interrupted';
  }

  progressWritten(progress: MoveProgress): void {
    this.#written = progress;
    this.#writtenAt = this.#components.clock.monotonic();
    this.#isNoticed = false;
    if (this.#state === 'running') this.#notice();
  }

  async #run(): Promise<void> {
    try {
      const success = await this.#components.work({
        signal: this.#abort.signal,
        onProgress: progress => this.#onProgress(progress),
        onPublish: () => {
          this.#mayHavePublished = true;
        },
      });
      if (this.hasEnded) return;
      this.#success = success;
      this.#state = 'completed';
    } catch (error) {
      if (this.hasEnded) return;
      this.#error = error;
      this.#state = this.#stateAfter(error);
    }
  }

  /** That a volume does not answer is worth more than that somebody has given up waiting for it. */
  #stateAfter(error: unknown): RunState {
    const isHung = isEngineError(error, 'VOLUME_UNRESPONSIVE');
    if (this.#stopReason === 'cancelled' && isHung) return 'failed';
    return this.#stopReason ?? 'failed';
  }

  /** Once for all that comes until it has been written. */
  #notice(): void {
    if (this.#isNoticed || isSame(this.#progress, this.#written)) return;
    this.#isNoticed = true;
    this.#components.onProgress();
  }

  #onProgress(progress: MoveProgress): void {
    this.#progress = progress;
    if (this.#state === 'running') this.#notice();
  }
}

function isSame(one: MoveProgress | undefined, other: MoveProgress | undefined): boolean {
  return one?.bytesDone === other?.bytesDone && one?.totalBytes === other?.totalBytes;
}

// What is to be sent over a session. One message is under way at a time, and of each kind at most
// one waits: a newer one takes the place of the older, whose news it contains. So a reader that is
// slow costs as many messages as there are kinds, and gets the newest of each.

import type { Clock } from '#engine/base/clock.ts';
import type { SendWatch } from './send-watch.ts';

export interface OutboxParts {
  /** `done` when the transport wants more: flow control of the other side included. */
  readonly write: (bytes: Buffer, done: () => void) => void;
  /** The transport has not taken a message for SEND_MS_MAX, or `make` has failed. */
  readonly onFailed: (failure: { readonly isStuck: boolean; readonly error?: unknown }) => void;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly watch: SendWatch;
  /** Before the next message, after one of so many bytes. */
  readonly pauseMs?: (bytes: number, sentCount: number) => number;
}

/** Made when its turn has come, so that it says what is true then; undefined when it is nothing. */
export type MakeMessage = () => Buffer | undefined;

export class Outbox {
  readonly #parts: OutboxParts;
  readonly #waiting = new Map<string, MakeMessage>();
  readonly #onStuck = () => this.#parts.onFailed({ isStuck: true });
  /** Of the last pause. */
  #timer: AbortController | undefined;
  #isBusy = false;
  #isClosed = false;
  #sentCount = 0;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** Goes behind those that wait; one of its kind that waits is replaced where it stands. */
  put(kind: string, make: MakeMessage): void {
    if (this.#isClosed) return;
    this.#waiting.set(kind, make);
    this.#next();
  }

  /** Sends nothing any more. */
  close(): void {
    this.#isClosed = true;
    this.#waiting.clear();
    this.#parts.watch.ended(this.#onStuck);
    this.#timer?.abort();
  }

  #next(): void {
    if (this.#isBusy || this.#isClosed) return;
    const first = this.#waiting.entries().next().value;
    if (first === undefined) return;
    const [kind, make] = first;
    this.#waiting.delete(kind);
    this.#isBusy = true;
    let bytes: Buffer | undefined;
    try {
      bytes = make();
    } catch (error) {
      this.#parts.onFailed({ isStuck: false, error });
      return;
    }
    if (bytes === undefined) {
      this.#isBusy = false;
      this.#next();
    } else this.#send(bytes);
  }

  #send(bytes: Buffer): void {
    const { watch, write } = this.#parts;
    watch.began(this.#onStuck);
    write(bytes, () => {
      watch.ended(this.#onStuck);
      this.#sentCount += 1;
      const pauseMs = this.#parts.pauseMs?.(bytes.length, this.#sentCount) ?? 0;
      if (this.#isClosed) return;
      if (pauseMs > 0) this.#pause(pauseMs);
      else this.#free();
    });
  }

  #free(): void {
    this.#isBusy = false;
    this.#next();
  }

  #pause(ms: number): void {
    const timer = new AbortController();
    this.#timer = timer;
    void this.#parts.clock.sleep(ms, timer.signal).then(
      () => {
        if (!timer.signal.aborted) this.#free();
      },
      () => undefined,
    );
  }
}

// How many bytes may be held at once by those who fetch in parallel.

import { throwIfAborted } from './abort.ts';

export class ByteWindow {
  readonly bytesMax: number;
  #heldBytes = 0;
  #freed = Promise.withResolvers<undefined>();

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /**
   * Runs `work` while `bytes` count as held; what is more than all goes alone. Whoever holds some
   * ends when `signal` fires, and then whoever waits.
   * @throws ABORTED
   */
  async hold<Result>(
    bytes: number,
    signal: AbortSignal,
    work: () => Promise<Result>,
  ): Promise<Result> {
    while (this.#heldBytes > 0 && this.#heldBytes + bytes > this.bytesMax) {
      await this.#freed.promise;
      throwIfAborted(signal);
    }
    this.#heldBytes += bytes;
    try {
      return await work();
    } finally {
      this.#heldBytes -= bytes;
      this.#freed.resolve(undefined);
      this.#freed = Promise.withResolvers();
    }
  }
}

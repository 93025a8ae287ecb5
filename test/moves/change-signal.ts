// Waiting for what others do, without a clock: whoever changes something tells, whoever waits looks
// again.

export class ChangeSignal {
  #next = Promise.withResolvers<void>();

  /** All who wait look again, after the caller has had its turn. */
  tell(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers<void>();
  }

  /** Resolves with what `find` gives, now or after a change. */
  async until<Found>(find: () => Found | undefined): Promise<Found> {
    for (;;) {
      const changed = this.#next.promise;
      const found = find();
      if (found !== undefined) return found;
      await changed;
    }
  }
}

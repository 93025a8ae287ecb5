// A VolumeMover around another that counts: which moves were begun, and how many at a time.

import type {
  BackupOrder,
  BackupResult,
  MoveOptions,
  RestoreOrder,
  RestoreResult,
  VolumeMover,
} from '#agent/moves/volume-mover.ts';

export class ObservedMover implements VolumeMover {
  /** Of all calls, in the order in which they began. */
  readonly moveUids: string[] = [];
  activeCountMax = 0;
  readonly #inner: VolumeMover;
  readonly #calls = new Map<Promise<unknown>, string>();

  constructor(inner: VolumeMover) {
    this.#inner = inner;
  }

  backup(order: BackupOrder, options: MoveOptions): Promise<BackupResult> {
    return this.#observe(order, this.#inner.backup(order, options));
  }

  restore(order: RestoreOrder, options: MoveOptions): Promise<RestoreResult> {
    return this.#observe(order, this.#inner.restore(order, options));
  }

  forgetUnreported(...of: Parameters<VolumeMover['forgetUnreported']>): Promise<void> {
    return this.#inner.forgetUnreported(...of);
  }

  /** Of the calls that are under way. */
  get activeUids(): string[] {
    return [...this.#calls.values()];
  }

  /** Resolves when no call is under way. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#calls.keys());
  }

  async #observe<Result>({ moveUid }: { moveUid: string }, call: Promise<Result>): Promise<Result> {
    this.moveUids.push(moveUid);
    this.#calls.set(call, moveUid);
    this.activeCountMax = Math.max(this.activeCountMax, this.#calls.size);
    try {
      return await call;
    } finally {
      this.#calls.delete(call);
    }
  }
}

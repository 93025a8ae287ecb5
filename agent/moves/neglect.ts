// How long this process has seen an object in one state, such as one that is somebody else's: its
// own clock, so that clocks of others do not matter.

import type { Clock } from '#engine/base/clock.ts';
import type { ObjectKey } from '#kube/kube-object.ts';
import type { MoveAdapter } from './move-adapter.ts';
import { cancelReasonOf } from './move-view.ts';
import type { MoveObject } from './objects/move-object.ts';
import { isTerminal, type Phase } from './phases.ts';

export class Neglect {
  readonly #clock: Clock;
  readonly #since = new Map<ObjectKey, { uid: string; phase: Phase; at: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Zero when it is seen for the first time like this. */
  ms(key: ObjectKey, { uid, phase }: { uid: string; phase: Phase }): number {
    const now = this.#clock.monotonic();
    const seen = this.#since.get(key);
    if (seen?.uid === uid && seen.phase === phase) return now - seen.at;
    this.#since.set(key, { uid, phase, at: now });
    return 0;
  }

  forget(key: ObjectKey): void {
    this.#since.delete(key);
  }
}

/** Its own agent has something to do for it that others can do as well, should that one be gone. */
export function isToBeTidied<Item extends MoveObject>(
  item: Item,
  phase: Phase,
  { exposer, stockFinalizer }: Pick<MoveAdapter<Item>, 'exposer' | 'stockFinalizer'>,
): boolean {
  if (!item.metadata.finalizers?.includes(stockFinalizer)) return false;
  const isCancelled = exposer !== undefined && cancelReasonOf(item) !== 'none';
  return isTerminal(phase) || item.metadata.deletionTimestamp !== undefined || isCancelled;
}

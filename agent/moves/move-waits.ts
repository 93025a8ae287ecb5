// How long this process has seen an object in one state, such as one that is somebody else's: its
// own clock, so that clocks of others do not matter.

import type { Clock } from '#engine/base/clock.ts';
import { keyOf, type ObjectKey } from '#kube/kube-object.ts';
import type { MoveAdapter, MoveSituation } from './move-adapter.ts';
import { cancelReasonOf } from './move-view.ts';
import type { MoveObject } from './objects/move-object.ts';
import { isTerminal, type Phase } from './phases.ts';

/** Of the moves of one kind. */
export class MoveWaits<Item extends MoveObject> {
  readonly #adapter: MoveAdapter<Item>;
  readonly #accepted: SeenStates;
  readonly #neglected: SeenStates;

  constructor(adapter: MoveAdapter<Item>, clock: Clock) {
    this.#adapter = adapter;
    this.#accepted = new SeenStates(clock);
    this.#neglected = new SeenStates(clock);
  }

  /** How long it has been Accepted, or Prepared. */
  acceptedMs(item: Item, phase: Phase): number {
    return this.#accepted.ms(item, phase, phase === 'Accepted' || phase === 'Prepared');
  }

  /** How long somebody else has not done what we could do as well. */
  neglectedMs(item: Item, phase: Phase, situation: MoveSituation): number {
    const isOthers = situation.type === 'elsewhere';
    return this.#neglected.ms(item, phase, isOthers && isToBeTidied(item, phase, this.#adapter));
  }

  forget(key: ObjectKey): void {
    this.#accepted.forget(key);
    this.#neglected.forget(key);
  }
}

class SeenStates {
  readonly #clock: Clock;
  readonly #since = new Map<ObjectKey, { uid: string; phase: Phase; at: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Zero when it is not in the state that is asked for, or is seen so for the first time. */
  ms(item: MoveObject, phase: Phase, isInIt: boolean): number {
    const key = keyOf(item);
    const { uid = '' } = item.metadata;
    if (!isInIt) {
      this.forget(key);
      return 0;
    }
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
function isToBeTidied<Item extends MoveObject>(
  item: Item,
  phase: Phase,
  { exposer, stockFinalizer }: Pick<MoveAdapter<Item>, 'exposer' | 'stockFinalizer'>,
): boolean {
  if (!item.metadata.finalizers?.includes(stockFinalizer)) return false;
  const isCancelled = exposer !== undefined && cancelReasonOf(item) !== 'none';
  return isTerminal(phase) || item.metadata.deletionTimestamp !== undefined || isCancelled;
}

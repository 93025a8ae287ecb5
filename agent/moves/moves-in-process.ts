// The moves that this process is at or has a slot for, by uid; one object of a name may follow
// another while the first one's run still stops.

import type { Clock } from '#engine/base/clock.ts';
import type { ObjectKey } from '#kube/kube-object.ts';
import type { MoveSuccess } from './move-adapter.ts';
import { MoveRun } from './move-run.ts';
import type { MoveSlots, VolumeSlotRequest } from './slots.ts';
import type { MoveOptions } from './volume-mover.ts';

interface Move {
  readonly key: ObjectKey;
  readonly run?: MoveRun;
  /** This process has made it InProgress. */
  readonly isBegun?: boolean;
}

export interface MoveIdentity {
  readonly uid: string;
  readonly key: ObjectKey;
}

export interface MovesInProcessComponents {
  readonly slots: MoveSlots;
  readonly clock: Clock;
  readonly enqueue: (key: ObjectKey) => void;
}

export class MovesInProcess {
  readonly #components: MovesInProcessComponents;
  readonly #moves = new Map<string, Move>();

  constructor(components: MovesInProcessComponents) {
    this.#components = components;
  }

  runOf(uid: string): MoveRun | undefined {
    return this.#moves.get(uid)?.run;
  }

  get keys(): ObjectKey[] {
    return [...this.#moves.values()].map(({ key }) => key);
  }

  get runs(): MoveRun[] {
    return [...this.#moves.values()].flatMap(({ run }) => run ?? []);
  }

  /** `queued`: the key is put into the queue when there is one. */
  takeSlot(
    { uid, key }: MoveIdentity,
    wish: Pick<VolumeSlotRequest, 'group' | 'kind' | 'volume' | 'onWaiting'>,
  ): 'granted' | 'queued' | 'refused' {
    const { slots, enqueue } = this.#components;
    const onGranted = () => enqueue(key);
    const answer = slots.request({
      ...{ ...wish, id: uid, onGranted },
      progress: () => this.runOf(uid)?.progress,
      onRevoked: () => this.#giveBack(uid),
    });
    if (answer !== 'refused') this.#moves.set(uid, this.#moves.get(uid) ?? { key });
    return answer;
  }

  isBegun(uid: string): boolean {
    return this.#moves.get(uid)?.isBegun ?? false;
  }

  begin({ uid, key }: MoveIdentity): void {
    this.#moves.set(uid, { ...this.#moves.get(uid), key, isBegun: true });
  }

  start({ uid, key }: MoveIdentity, work: (options: MoveOptions) => Promise<MoveSuccess>): void {
    const { clock, enqueue } = this.#components;
    const run = new MoveRun({ clock, work, onProgress: () => enqueue(key) });
    this.#moves.set(uid, { ...this.#moves.get(uid), key, run });
    void run.ended.then(() => this.#onEnded(uid));
  }

  /** What has not begun asks again. */
  #giveBack(uid: string): void {
    const move = this.#moves.get(uid);
    if (move === undefined) return;
    if (move.run !== undefined) return move.run.stop('revoked');
    this.forget(uid);
    this.#components.enqueue(move.key);
  }

  #onEnded(uid: string): void {
    const move = this.#moves.get(uid);
    // The data path is free, although the object may not have been written yet.
    this.#components.slots.release(uid);
    // One whose object is at its end is looked at once more, for what it may have published. Where
    // the object is gone that stays: an orphan costs space, forgetting the wrong one costs data.
    if (move !== undefined) this.#components.enqueue(move.key);
  }

  /** Nothing is left to do for it; what still runs is forgotten when it has stopped. */
  forget(uid: string): void {
    const move = this.#moves.get(uid);
    if (move?.run !== undefined && !move.run.hasEnded) {
      move.run.stop('cancelled');
      return;
    }
    this.#moves.delete(uid);
    this.#components.slots.release(uid);
  }

  /** Stops all of that key but `uid`: their objects are gone. */
  forgetOthers(key: ObjectKey, uid: string | undefined): void {
    for (const [other, move] of this.#moves) {
      if (move.key === key && other !== uid) this.forget(other);
    }
  }
}

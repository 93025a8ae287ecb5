// The right to move data, counted once for all kinds on this node. Who waits is served in turn: one
// of each group (a Backup, a Restore), so that a large backup does not hold up a small restore.

import assert from 'node:assert/strict';
import type { SlotVolume } from './slot-volume.ts';
import type { MoveProgress } from './volume-mover.ts';

export interface SlotRequest {
  /** Uid of the move. */
  readonly id: string;
  /** Who shares a turn: the uid of the Backup or Restore. */
  readonly group: string;
  /** Called once, later, when a slot that was not free has become this one's. */
  readonly onGranted: () => void;
}

/** With what somebody who sees more than this node decides by. */
export interface VolumeSlotRequest extends SlotRequest {
  readonly volume: SlotVolume;
  /** Of the custom resource, such as PodVolumeBackup. */
  readonly kind: string;
  /** How far the move is; undefined as long as it has told nothing. */
  readonly progress: () => MoveProgress | undefined;
  /** Why it waits; again when that has changed. `cause` is a word, `text` is for people. */
  readonly onWaiting: (why: { readonly cause: string; readonly text: string }) => void;
  /** The slot is wanted back: the move is to be stopped, and its slot released. */
  readonly onRevoked: () => void;
}

/** Who says when a move may begin: this node alone, or a controller (agent/coordinator). */
export interface MoveSlots {
  /** Moves of this node at once. */
  readonly count: number;
  readonly usedCount: number;
  readonly waitingCount: number;
  has(id: string): boolean;
  /** `queued`: onGranted is called later. `refused`: too many wait, ask again. */
  request(request: VolumeSlotRequest): 'granted' | 'queued' | 'refused';
  /** Gives a slot back, or leaves the queue. Without effect for who has neither. */
  release(id: string): void;
}

/** Moves that wait on one node; what is beyond asks again. */
export const WAITING_MAX = 10_000;

export class Slots implements MoveSlots {
  readonly #count: number;
  readonly #holders = new Set<string>();
  /** Groups in the order of their next turn; requests of a group in their order. */
  readonly #groups = new Map<string, SlotRequest[]>();
  /** Ids of all that wait, with their groups. */
  readonly #waiting = new Map<string, string>();

  constructor(count: number) {
    assert.ok(Number.isSafeInteger(count) && count >= 1, 'there is at least one slot');
    this.#count = count;
  }

  get count(): number {
    return this.#count;
  }

  get usedCount(): number {
    return this.#holders.size;
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  has(id: string): boolean {
    return this.#holders.has(id);
  }

  request(request: SlotRequest): 'granted' | 'queued' | 'refused' {
    if (this.#holders.has(request.id)) return 'granted';
    if (this.#waiting.has(request.id)) return 'queued';
    if (this.#holders.size < this.#count) {
      this.#holders.add(request.id);
      return 'granted';
    }
    if (this.waitingCount >= WAITING_MAX) return 'refused';
    this.#waiting.set(request.id, request.group);
    const group = this.#groups.get(request.group);
    if (group) group.push(request);
    else this.#groups.set(request.group, [request]);
    return 'queued';
  }

  release(id: string): void {
    if (!this.#holders.delete(id)) {
      this.#leaveQueue(id);
      return;
    }
    const next = this.#takeNext();
    if (next === undefined) return;
    this.#holders.add(next.id);
    next.onGranted();
  }

  /** What holds after each call. */
  check(): void {
    assert.ok(this.#holders.size <= this.#count, 'no more slots than there are');
    const isIdle = this.#holders.size < this.#count;
    assert.ok(!isIdle || this.#groups.size === 0, 'nobody waits while a slot is free');
    const counts = [...this.#groups.values()].map(requests => requests.length);
    assert.ok(
      counts.every(count => count > 0),
      'no group without a request',
    );
    const sum = counts.reduce((total, count) => total + count, 0);
    assert.equal(this.#waiting.size, sum, 'who waits is in one group');
  }

  #takeNext(): SlotRequest | undefined {
    const first = this.#groups.entries().next().value;
    if (first === undefined) return undefined;
    const [group, requests] = first;
    const next = requests.shift();
    if (next !== undefined) this.#waiting.delete(next.id);
    // To the end of the turn, or out of it.
    this.#groups.delete(group);
    if (requests.length > 0) this.#groups.set(group, requests);
    return next;
  }

  #leaveQueue(id: string): void {
    const group = this.#waiting.get(id);
    if (group === undefined) return;
    this.#waiting.delete(id);
    const rest = (this.#groups.get(group) ?? []).filter(request => request.id !== id);
    if (rest.length > 0) this.#groups.set(group, rest);
    else this.#groups.delete(group);
  }
}

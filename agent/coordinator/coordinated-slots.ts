// Slots of this node as the controller gives them, for the reconcilers, which know of no
// controller: what they ask for becomes a wish, what is granted wakes them up.

import { type MoveSlots, type VolumeSlotRequest, WAITING_MAX } from '#agent/moves/slots.ts';
import type { Clock } from '#engine/base/clock.ts';
import type { SlotWait } from '#proto/slot-messages.ts';
import { CAPABILITIES, SLOTS_MAX, WIRE_VERSION } from '#proto/wire-limits.ts';
import type { HeldMove } from './move-rates.ts';
import { SlotKeeper, type SlotKeeperParts } from './slot-keeper.ts';
import { waitText } from './wait-text.ts';

export interface CoordinatedSlotsParts extends Omit<
  SlotKeeperParts,
  'onStart' | 'onStop' | 'hello'
> {
  readonly node: string;
  /** Of this program, for people. */
  readonly version: string;
  /** Of which storage class the claim is; empty where that is not known. Must not reject. */
  readonly classOf: (move: ClaimOfMove) => Promise<string>;
}

export interface ClaimOfMove {
  /** Uid of the custom resource of the move. */
  readonly id: string;
  readonly namespace: string;
  /** Its name. */
  readonly claim: string;
}

interface Holder {
  readonly request: VolumeSlotRequest;
  /** Monotonic. */
  readonly sinceMs: number;
}

export class CoordinatedSlots implements MoveSlots {
  readonly count: number;
  readonly #clock: Clock;
  readonly #classOf: CoordinatedSlotsParts['classOf'];
  readonly #keeper: SlotKeeper;
  readonly #holders = new Map<string, Holder>();
  readonly #waiting = new Map<string, VolumeSlotRequest>();
  /** Causes that were told, of those that wait. */
  readonly #told = new Map<string, string>();

  constructor(parts: CoordinatedSlotsParts) {
    const { node, version, clock } = parts;
    this.#clock = clock;
    this.#classOf = parts.classOf;
    this.count = Math.min(parts.slotsMax, SLOTS_MAX);
    // A later start has a later time; where the clock was set back, the controller says so.
    const session = clock.now();
    this.#keeper = new SlotKeeper({
      ...parts,
      slotsMax: this.count,
      hello: { node, version, wireVersion: WIRE_VERSION, capabilities: CAPABILITIES, session },
      onStart: ids => ids.forEach(id => this.#start(id)),
      onWaits: waits => waits.forEach(wait => this.#tellWait(wait)),
      onStop: ids => ids.forEach(id => this.#holders.get(id)?.request.onRevoked()),
    });
  }

  /** Those that have one. */
  get moves(): HeldMove[] {
    return [...this.#holders].map(([id, { request, sinceMs }]) => ({
      ...{ id, kind: request.kind, sinceMs, progress: request.progress() },
    }));
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

  request(request: VolumeSlotRequest): 'granted' | 'queued' | 'refused' {
    const { id } = request;
    if (this.#holders.has(id)) return 'granted';
    if (this.#waiting.has(id)) return 'queued';
    if (this.waitingCount >= WAITING_MAX) return 'refused';
    this.#waiting.set(id, request);
    if (request.volume.claim === '') this.#want(request, '');
    else void this.#findClass(request);
    return this.#holders.has(id) ? 'granted' : 'queued';
  }

  release(id: string): void {
    this.#told.delete(id);
    const isKnown = this.#holders.delete(id) || this.#waiting.delete(id);
    if (isKnown) this.#keeper.done(id);
  }

  /** Until the signal fires. */
  run(signal: AbortSignal): Promise<void> {
    return this.#keeper.run(signal);
  }

  async #findClass(request: VolumeSlotRequest): Promise<void> {
    const { id, volume } = request;
    const { namespace, claim } = volume;
    const storageClass = await this.#classOf({ id, namespace, claim });
    // It may have been given up meanwhile, and asked for again.
    if (this.#waiting.get(id) === request) this.#want(request, storageClass);
  }

  #want({ id, volume: { claim: _claim, ...volume } }: VolumeSlotRequest, storageClass: string) {
    this.#keeper.want({ ...volume, id, storageClass });
  }

  /** Places change all the time, and are worth no event. */
  #tellWait(wait: SlotWait): void {
    const { id, cause } = wait;
    const request = this.#waiting.get(id);
    if (request === undefined || cause === 'next' || this.#told.get(id) === cause) return;
    this.#told.set(id, cause);
    request.onWaiting({ cause, text: waitText(wait) });
  }

  #start(id: string): void {
    const request = this.#waiting.get(id);
    if (request === undefined) return;
    this.#waiting.delete(id);
    this.#told.delete(id);
    this.#holders.set(id, { request, sinceMs: this.#clock.monotonic() });
    request.onGranted();
  }
}

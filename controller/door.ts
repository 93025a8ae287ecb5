// Where agents come in: to the sessions of whoever reigns, and away again while somebody else does.
// An agent that is turned away so tries again, and comes to the leader where a Service has both.
// While nobody leads, though, it is asked to wait: each time that an agent is turned away it stays
// away for longer, and there is a leader in a moment.

import type { Clock } from '#engine/base/clock.ts';
import type { SessionCall } from '#proto/session-server.ts';
import { type RefusalCounts, refuse } from './sessions/refusals.ts';

export interface DoorParts {
  readonly counts: Pick<RefusalCounts, 'add'>;
  readonly clock: Pick<Clock, 'sleep'>;
}

type DoorCall = Pick<SessionCall, 'gone' | 'end'>;

interface Inside<Call> {
  readonly onCall: (call: Call) => void;
}

/** Half of the time that an agent waits for its welcome. */
export const WAIT_MS_MAX = 5_000;
export const WAITING_MAX = 2_000;

export class Door<Call extends DoorCall = SessionCall> {
  readonly #parts: DoorParts;
  readonly #waiting = new Set<Call>();
  #inside: Inside<Call> | undefined;
  #isVacant = false;

  constructor(parts: DoorParts) {
    this.#parts = parts;
  }

  /** Whether nobody leads now, neither this controller nor another. */
  set isVacant(isVacant: boolean) {
    this.#isVacant = isVacant;
    if (!isVacant) this.#leave(call => this.#turnAway(call));
  }

  /** Until the function that comes back is called. */
  open(inside: Inside<Call>): () => void {
    this.#inside = inside;
    this.#isVacant = false;
    this.#leave(call => inside.onCall(call));
    return () => {
      if (this.#inside === inside) this.#inside = undefined;
    };
  }

  /** Of SessionServer. Nothing is read of a call that is turned away, its token not looked at. */
  readonly onCall = (call: Call): void => {
    if (this.#inside !== undefined) return this.#inside.onCall(call);
    if (this.#isVacant && this.#waiting.size < WAITING_MAX) void this.#wait(call);
    else this.#turnAway(call);
  };

  async #wait(call: Call): Promise<void> {
    this.#waiting.add(call);
    await this.#parts.clock.sleep(WAIT_MS_MAX, call.gone).catch(() => undefined);
    const isWaiting = this.#waiting.delete(call);
    if (isWaiting && !call.gone.aborted) this.#turnAway(call);
  }

  #leave(take: (call: Call) => void): void {
    const calls = [...this.#waiting];
    this.#waiting.clear();
    for (const call of calls) take(call);
  }

  #turnAway(call: Call): void {
    this.#parts.counts.add('standby');
    call.end(refuse('standby', 'this controller stands by for another one; try again'));
  }
}

// Where agents come in: to the sessions of whoever reigns, and away again while somebody else does.
// An agent that is turned away so tries again, and comes to the leader where a Service has both.
// Until it has been seen, after the agent came, that somebody else does lead it is asked to wait: a
// leader that was killed leaves all agents to come here within a second, long before its Lease
// ends, and each of them would else be turned away again and again, with a handshake every time.

import type { Clock } from '#engine/base/clock.ts';
import type { SessionCall } from '#proto/session-server.ts';
import { type RefusalCounts, refuse } from './sessions/refusals.ts';

export interface DoorParts<Call> {
  readonly counts: Pick<RefusalCounts, 'add'>;
  readonly clock: Pick<Clock, 'sleep'>;
  /**
   * It seems that nobody leads: a call has waited for longer than a leader's sign of life takes.
   */
  readonly prepare?: (call: Call) => void;
}

type DoorCall = Pick<SessionCall, 'gone' | 'end'>;

interface Inside<Call> {
  readonly onCall: (call: Call) => void;
}

/**
 * Another one leads at most 11.3 s after a leader was killed. With the longest handshake it is less
 * than an agent waits for its welcome (WELCOME_MS_MAX), so it needs no second one.
 */
export const WAIT_MS_MAX = 12_000;
/** As many as there may be sessions (agent-sessions.ts). */
export const WAITING_MAX = 5_000;
/** Who stands by looks every 1.25 s at a Lease that is renewed as often. */
export const UNLED_MS = 3_000;

export class Door<Call extends DoorCall = SessionCall> {
  readonly #parts: DoorParts<Call>;
  readonly #waiting = new Set<Call>();
  #inside: Inside<Call> | undefined;

  constructor(parts: DoorParts<Call>) {
    this.#parts = parts;
  }

  /** A sign of life of another controller that leads was seen just now. */
  turnAway(): void {
    this.#leave(call => this.#turnAway(call));
  }

  /** Until the function that comes back is called. */
  open(inside: Inside<Call>): () => void {
    this.#inside = inside;
    this.#leave(call => inside.onCall(call));
    return () => {
      if (this.#inside === inside) this.#inside = undefined;
    };
  }

  /** Of SessionServer. Nothing is read of a call that is turned away. */
  readonly onCall = (call: Call): void => {
    if (this.#inside !== undefined) return this.#inside.onCall(call);
    if (this.#waiting.size < WAITING_MAX) void this.#wait(call);
    else this.#turnAway(call);
  };

  async #wait(call: Call): Promise<void> {
    this.#waiting.add(call);
    const { clock, prepare } = this.#parts;
    try {
      await clock.sleep(UNLED_MS, call.gone);
      if (!this.#waiting.has(call)) return;
      prepare?.(call);
      await clock.sleep(WAIT_MS_MAX - UNLED_MS, call.gone);
    } catch {
      // It has gone away.
    }
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

// The last moves of the cluster that did not end as they should have, as agents tell of them with
// each heartbeat, and those that this controller has ended itself. Bounded, and of this process:
// who begins to lead hears from the agents what they remember.

import type { Clock } from '#engine/base/clock.ts';
import type { FailedMove } from '#proto/agent-saying.ts';

export interface RecentFailure extends Omit<FailedMove, 'endedAgoMs'> {
  /** Empty where it is not known. */
  readonly node: string;
  /** Milliseconds since 1970, by this clock, as of when it was heard first. */
  readonly endedAtMs: number;
}

const FAILURES_MAX = 200;

export class RecentFailures {
  readonly #clock: Pick<Clock, 'now'>;
  /** By the uid of the move. */
  readonly #known = new Map<string, RecentFailure>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** The newest first. */
  list(): RecentFailure[] {
    return [...this.#known.values()].sort((one, other) => other.endedAtMs - one.endedAtMs);
  }

  /** All that the agent of a node remembers, most of which it has said before. */
  heard(node: string, failed: readonly FailedMove[]): void {
    const nowMs = this.#clock.now();
    const fresh = failed.filter(({ id, phase }) => this.#known.get(id)?.phase !== phase);
    for (const { endedAgoMs, ...move } of fresh) {
      this.#known.set(move.id, { ...move, node, endedAtMs: nowMs - endedAgoMs });
    }
    if (this.#known.size > FAILURES_MAX) this.#forgetOldest();
  }

  /** Of a move that was stuck, by this controller. */
  ended(move: Omit<FailedMove, 'endedAgoMs' | 'phase' | 'code'>, node: string): void {
    this.heard(node, [{ ...move, phase: 'Failed', code: '', endedAgoMs: 0 }]);
  }

  /** What is older than all of them comes again with the next heartbeat, and goes again. */
  #forgetOldest(): void {
    for (const { id } of this.list().slice(FAILURES_MAX)) this.#known.delete(id);
  }
}

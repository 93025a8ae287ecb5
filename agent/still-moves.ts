// For how long moves that run have not moved a byte: of one that hangs, which a storage or a volume
// that does not answer can hold for hours, nothing else tells.

import type { Clock } from '#engine/base/clock.ts';
import { Gauge, type Registry } from './prometheus.ts';

export interface StillMovesParts<Kind extends string> {
  readonly kinds: readonly Kind[];
  readonly clock: Pick<Clock, 'monotonic'>;
}

export interface WatchedRun extends Disposable {
  /** Bytes of it, however few. */
  moved(): void;
}

interface Run<Kind> {
  readonly kind: Kind;
  movedAtMs: number;
}

export class StillMoves<Kind extends string = string> {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #runs = new Set<Run<Kind>>();

  constructor(registry: Registry, { kinds, clock }: StillMovesParts<Kind>) {
    this.#clock = clock;
    const longest = (kind: Kind) => this.#longestSeconds(kind);
    new Gauge({
      name: 'stevedore_move_still_seconds',
      help: 'For how long the running move that stands still longest has moved no byte',
      labelNames: ['kind'],
      registers: [registry],
      collect() {
        for (const kind of kinds) this.set({ kind }, longest(kind));
      },
    });
  }

  /** Until that is disposed of. */
  begin(kind: Kind): WatchedRun {
    const run: Run<Kind> = { kind, movedAtMs: this.#clock.monotonic() };
    this.#runs.add(run);
    return {
      moved: () => {
        run.movedAtMs = this.#clock.monotonic();
      },
      [Symbol.dispose]: () => void this.#runs.delete(run),
    };
  }

  #longestSeconds(kind: Kind): number {
    const nowMs = this.#clock.monotonic();
    const own = [...this.#runs].filter(run => run.kind === kind);
    return own.reduce((most, { movedAtMs }) => Math.max(most, nowMs - movedAtMs), 0) / 1000;
  }
}

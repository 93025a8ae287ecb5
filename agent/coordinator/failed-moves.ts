// The last moves of this node that did not end as they should have, for heartbeats: whoever looks
// at the controller sees them without going through the custom resources of a cluster.

import type { MoveReport } from '#agent/moves/move-components.ts';
import { codeIn } from '#agent/moves/move-message.ts';
import type { MoveObject } from '#agent/moves/objects/move-object.ts';
import type { Clock } from '#engine/base/clock.ts';
import type { FailedMove } from '#proto/agent-saying.ts';
import { FAILED_MAX } from '#proto/wire-limits.ts';

export interface FailedMovesParts {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Leaves secrets out of a message, as it is done for the custom resource. */
  readonly hide: (text: string) => string;
}

interface Noted extends Omit<FailedMove, 'endedAgoMs'> {
  readonly endedAtMs: number;
}

const IMPERFECT: ReadonlySet<string> = new Set(['Failed', 'Canceled']);

export class FailedMoves {
  readonly #parts: FailedMovesParts;
  /** By uid, the newest last. */
  readonly #noted = new Map<string, Noted>();

  constructor(parts: FailedMovesParts) {
    this.#parts = parts;
  }

  /** What a reconciler of moves of that kind reports; most of it is of no concern here. */
  note(kind: string, report: MoveReport): void {
    if (report.type === 'warning') this.#add(kind, report.item, 'Completed', report.message);
    if (report.type !== 'phase' || !IMPERFECT.has(report.phase)) return;
    this.#add(kind, report.item, report.phase, report.message ?? '');
  }

  /** The newest first. */
  list(): FailedMove[] {
    const nowMs = this.#parts.clock.monotonic();
    return [...this.#noted.values()]
      .map(({ endedAtMs, ...move }) => ({ ...move, endedAgoMs: nowMs - endedAtMs }))
      .reverse();
  }

  #add(kind: string, { metadata, spec }: MoveObject, phase: string, text: string): void {
    const { clock, hide } = this.#parts;
    const { uid = '', name, namespace = '' } = metadata;
    const message = hide(text);
    this.#noted.delete(uid);
    this.#noted.set(uid, {
      ...{ id: uid, move: `${kind}/${name}`, phase, message, code: codeIn(message) },
      namespace: spec.pod?.namespace ?? namespace,
      pod: spec.pod?.name ?? '',
      volumeName: spec.volume ?? '',
      endedAtMs: clock.monotonic(),
    });
    const [oldest] = this.#noted.keys();
    if (oldest !== undefined && this.#noted.size > FAILED_MAX) this.#noted.delete(oldest);
  }
}

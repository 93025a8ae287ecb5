// Of which storage class the volume of a move is, for the controller's limits per class: its claim
// says it. Asked until there is an answer, and never what a move fails by: of a class that nobody
// could find out none is told, and no limit of one holds it back.

import { abortable } from '#engine/base/abort.ts';
import type { Clock } from '#engine/base/clock.ts';
import { deadline } from '#engine/base/deadline.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { ClaimOfMove } from '#agent/coordinator/coordinated-slots.ts';
import type { Claim } from '#agent/volumes/volume-objects.ts';
import { CLAIMS } from '#kube/core-resources.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { Log } from './log.ts';

export interface ClaimClassesParts {
  readonly client: Pick<KubeClient, 'get'>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly log: Pick<Log, 'warn'>;
  /** Nobody wants to know any more. */
  readonly signal: AbortSignal;
}

/** For one move, those that were asked for before it included. */
const CLASS_MS_MAX = 10_000;
/** Questions at once: a Backup may begin with all volumes of the node. */
const LANES_MAX = 4;
/** Moves whose class is remembered, for those that ask for a slot again. */
const CLASSES_MAX = 1_000;

export class ClaimClasses {
  readonly #parts: ClaimClassesParts;
  /** By id of the move. */
  readonly #classes = new Map<string, Promise<string | undefined>>();
  readonly #lanes: Promise<unknown>[] = Array.from({ length: LANES_MAX }, async () => undefined);
  #askedCount = 0;

  constructor(parts: ClaimClassesParts) {
    this.#parts = parts;
  }

  /** Empty where there is none, or none is known. Never rejects. */
  async of({ id, ...move }: ClaimOfMove): Promise<string> {
    const asked = this.#classes.get(id) ?? this.#ask(move);
    this.#classes.set(id, asked);
    const [oldest] = this.#classes.keys();
    if (this.#classes.size > CLASSES_MAX && oldest !== undefined) this.#classes.delete(oldest);
    const found = await asked;
    // Copies ahead of backups ask by the same id for as long as their pod lives.
    if (found === undefined && this.#classes.get(id) === asked) this.#classes.delete(id);
    return found ?? '';
  }

  /** Undefined where nobody could say. */
  async #ask({ namespace, claim: name }: Omit<ClaimOfMove, 'id'>): Promise<string | undefined> {
    const { client, clock, log, signal: end } = this.#parts;
    const late = `the API server has not told of it within ${CLASS_MS_MAX / 1000} s`;
    using limit = deadline(clock, CLASS_MS_MAX, new EngineError('KUBE_TIMEOUT', late));
    const signal = AbortSignal.any([limit.signal, end]);
    const lane = this.#askedCount++ % LANES_MAX;
    const get = async () => {
      signal.throwIfAborted();
      return await client.get<Claim>(CLAIMS, { namespace, name }, { signal });
    };
    const asking = (this.#lanes[lane] ?? Promise.resolve()).then(get);
    this.#lanes[lane] = asking.catch(() => undefined);
    try {
      const { spec } = await abortable(asking, signal);
      return spec?.storageClassName ?? '';
    } catch (error) {
      if (end.aborted) return undefined;
      const claim = `${namespace}/${name}`;
      log.warn({ claim, error }, 'no limit per storage class holds a move back: none is known');
      return undefined;
    }
  }
}

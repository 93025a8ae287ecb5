// Making what a move needs and taking it away, turn by turn: each does what it can, says what is
// waited for when that is news, and when the next turn is.

import type { Exposure } from '#agent/exposer/holder-state.ts';
import { messageOf } from '#engine/base/errors.ts';
import { keyOf, type ObjectKey } from '#kube/kube-object.ts';
import type { MoveExposer } from './move-adapter.ts';
import type { MoveReport } from './move-components.ts';
import type { MoveObject } from './objects/move-object.ts';

export interface ExposureTurnsParts<Item extends MoveObject> {
  readonly exposer: MoveExposer<Item>;
  readonly nodeName: string;
  /** Must not throw. */
  readonly report: (report: MoveReport) => void;
}

export type ExposureTurn =
  Extract<Exposure, { type: 'hopeless' }> | { readonly type: 'again'; readonly afterMs: number };

/** Soon at first, and the longer it takes the less often. */
const LOOK_MS_MIN = 250;
const LOOK_MS_MAX = 10_000;
const LOOK_DIVISOR = 4;
const WITHDRAWAL_LOOK_MS = 1000;

export class ExposureTurns<Item extends MoveObject> {
  readonly #parts: ExposureTurnsParts<Item>;
  /** What each waits for. */
  readonly #missing = new Map<ObjectKey, string>();

  constructor(parts: ExposureTurnsParts<Item>) {
    this.#parts = parts;
  }

  /** Completes `… is missing`; undefined before it was looked at. */
  missing(key: ObjectKey): string | undefined {
    return this.#missing.get(key);
  }

  forget(key: ObjectKey): void {
    this.#missing.delete(key);
  }

  /**
   * @param time how long it has been Accepted, and how much longer it may be
   * @throws KUBE_…: call again later
   */
  async expose(
    item: Item,
    time: { readonly waitedMs: number; readonly leftMs: number },
    signal?: AbortSignal,
  ): Promise<ExposureTurn> {
    const exposure = await this.#exposure(item, signal);
    if (exposure.type === 'hopeless') return exposure;
    // Here, its pod is seen to run at once.
    const isHere = exposure.type === 'exposed' && exposure.nodeName === this.#parts.nodeName;
    const missing =
      exposure.type === 'wait' ? exposure.missing : `an agent on node ${exposure.nodeName}`;
    if (!isHere && this.#isNews(item, missing)) {
      this.#parts.report({ type: 'exposing', item, missing });
    }
    const dueMs = Math.max(LOOK_MS_MIN, time.waitedMs / LOOK_DIVISOR);
    return { type: 'again', afterMs: Math.min(dueMs, LOOK_MS_MAX, time.leftMs) };
  }

  /** @returns undefined when nothing is left; else when to call again. @throws KUBE_… */
  async withdraw(item: Item, signal?: AbortSignal): Promise<number | undefined> {
    const withdrawal = await this.#parts.exposer.withdraw(item, signal);
    if (withdrawal.type === 'withdrawn') return undefined;
    const { leaving } = withdrawal;
    if (this.#isNews(item, leaving)) this.#parts.report({ type: 'withdrawing', item, leaving });
    return WITHDRAWAL_LOOK_MS;
  }

  async #exposure(item: Item, signal?: AbortSignal): Promise<Exposure> {
    try {
      return await this.#parts.exposer.expose(item, signal);
    } catch (error) {
      // Told to the user when its time is over.
      this.#missing.set(keyOf(item), `an answer without an error (${messageOf(error)})`);
      throw error;
    }
  }

  #isNews(item: Item, missing: string): boolean {
    const key = keyOf(item);
    if (this.#missing.get(key) === missing) return false;
    this.#missing.set(key, missing);
    return true;
  }
}

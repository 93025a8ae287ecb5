// What the annotator has found and done, for metrics: pods by their state, and changes.

import type { ObjectKey } from '#kube/kube-object.ts';
import { POD_STATES, type PodState } from './decide.ts';

export const CHANGE_RESULTS = Object.freeze(['written', 'overtaken', 'failed'] as const);
export type ChangeResult = (typeof CHANGE_RESULTS)[number];

export class AnnotatorCounts {
  readonly #stateOf = new Map<ObjectKey, PodState>();
  readonly #results = new Map<ChangeResult, number>();

  /** Undefined for a pod that is gone. */
  note(key: ObjectKey, state: PodState | undefined): void {
    if (state === undefined) this.#stateOf.delete(key);
    else this.#stateOf.set(key, state);
  }

  add(result: ChangeResult): void {
    this.#results.set(result, this.results(result) + 1);
  }

  results(result: ChangeResult): number {
    return this.#results.get(result) ?? 0;
  }

  /** How many pods there are of each state. */
  pods(): Record<PodState, number> {
    const none = POD_STATES.map(state => [state, 0] as const);
    // Each state has an entry.
    const counts = Object.fromEntries(none) as Record<PodState, number>;
    for (const state of this.#stateOf.values()) counts[state] += 1;
    return counts;
  }

  /** Pods are somebody else's now. */
  forget(): void {
    this.#stateOf.clear();
  }
}

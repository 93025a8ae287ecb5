// Repositories whose threads a volume holds that does not answer: nobody can end them, so they are
// counted, and before they take more than there is the kubelet is asked for a new process.

import type { AgentMetrics } from './metrics.ts';
import type { Readiness } from './readiness.ts';

export interface LeftBehindParts {
  readonly metrics: Pick<AgentMetrics, 'repositoriesLeftBehind'>;
  readonly readiness: Pick<Readiness, 'note' | 'fault'>;
}

export class LeftBehind {
  readonly #parts: LeftBehindParts;
  #count = 0;

  constructor(parts: LeftBehindParts) {
    this.#parts = parts;
  }

  get count(): number {
    return this.#count;
  }

  /** `countMax`: beyond that, those that hang keep the places of others. */
  changed(count: number, countMax: number): void {
    const { metrics, readiness } = this.#parts;
    this.#count = count;
    metrics.repositoriesLeftBehind(count);
    const text = `threads of ${count} repositories are held by volumes that do not answer`;
    readiness.note = count === 0 ? undefined : text;
    readiness.fault = count < countMax ? undefined : `${text}; as many as may be`;
  }
}

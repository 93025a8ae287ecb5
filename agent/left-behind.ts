// Threads that are held by volumes that do not answer, of repositories and of looks at volumes:
// nobody can end them, so they are counted, and before they take more than there is the kubelet is
// asked for a new process.

import type { AgentMetrics } from './metrics.ts';
import type { Readiness } from './readiness.ts';

export interface LeftBehindParts {
  readonly metrics: Pick<AgentMetrics, 'repositoriesLeftBehind' | 'looksLeftBehind'>;
  readonly readiness: Pick<Readiness, 'note' | 'fault'>;
}

export class LeftBehind {
  readonly #parts: LeftBehindParts;
  #count = 0;
  /** What holds threads now, and what of it holds too many. */
  readonly #notes = new Map<'repositories' | 'looks', { text: string; isFault: boolean }>();

  constructor(parts: LeftBehindParts) {
    this.#parts = parts;
  }

  get count(): number {
    return this.#count;
  }

  /** `countMax`: beyond that, those that hang keep the places of others. */
  changed(count: number, countMax: number): void {
    this.#count = count;
    this.#parts.metrics.repositoriesLeftBehind(count);
    const text = `threads of ${count} repositories are held by volumes that do not answer`;
    this.#tell('repositories', text, { count, countMax });
  }

  /** The same for looks at a volume; at `countMax` nobody looks at any other. */
  looksChanged(count: number, countMax: number): void {
    this.#parts.metrics.looksLeftBehind(count);
    this.#tell('looks', `${count} volumes do not say what is at their root`, { count, countMax });
  }

  #tell(
    what: 'repositories' | 'looks',
    text: string,
    { count, countMax }: { readonly count: number; readonly countMax: number },
  ): void {
    const isFault = count >= countMax;
    if (count === 0) this.#notes.delete(what);
    else this.#notes.set(what, { text: isFault ? `${text}; as many as may be` : text, isFault });
    const notes = [...this.#notes.values()];
    const { readiness } = this.#parts;
    readiness.note = notes.length === 0 ? undefined : notes.map(({ text }) => text).join('; ');
    readiness.fault = notes.find(note => note.isFault)?.text;
  }
}

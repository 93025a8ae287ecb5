// Which objects have been visited already, within a bounded memory. When it is full the oldest are
// forgotten, which costs a second visit and nothing else.

const SEEN_MAX = 1_000_000;

export class SeenObjects {
  readonly #seen = new Set<string>();
  readonly #countMax: number;

  constructor(countMax = SEEN_MAX) {
    this.#countMax = countMax;
  }

  /** Whether `key` is new; it is known from now on. */
  add(key: string): boolean {
    if (this.#seen.has(key)) return false;
    if (this.#seen.size >= this.#countMax) {
      const [oldest] = this.#seen;
      this.#seen.delete(oldest);
    }
    this.#seen.add(key);
    return true;
  }
}

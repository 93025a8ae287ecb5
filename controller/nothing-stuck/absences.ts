// For how long something has been away, by this process's own clock and as far as it has looked: a
// controller that has just begun to lead knows of no absence before that.

export class Absences {
  readonly #since = new Map<string, number>();

  /** Zero when it is seen away for the first time. */
  ms(name: string, nowMs: number): number {
    const sinceMs = this.#since.get(name);
    if (sinceMs === undefined) this.#since.set(name, nowMs);
    return nowMs - (sinceMs ?? nowMs);
  }

  isBack(name: string): void {
    this.#since.delete(name);
  }

  /** All that nobody asks for any more. */
  keepOnly(names: ReadonlySet<string>): void {
    for (const name of this.#since.keys()) if (!names.has(name)) this.#since.delete(name);
  }
}

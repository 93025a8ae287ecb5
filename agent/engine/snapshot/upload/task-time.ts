// How long a task has worked. Clocks cost more than an entry that is taken over, so it is looked at
// once in many entries, and where much is read, after so many bytes.

const ENTRIES_A_LOOK = 256;
const BYTES_A_LOOK = 16 * 1024 * 1024;

export class TaskTime {
  readonly #msMax: number;
  #entriesLeft: number;
  #bytesNext = BYTES_A_LOOK;
  #endMs: number | undefined;

  /** @param msMax counted from the first look on; 0 when it is over after each entry */
  constructor(msMax: number) {
    this.#msMax = msMax;
    this.#entriesLeft = msMax === 0 ? 1 : ENTRIES_A_LOOK;
  }

  /**
   * To be asked once for each entry.
   * @param bytes that have been read in all
   */
  isOver(bytes: number): boolean {
    this.#entriesLeft -= 1;
    if (this.#entriesLeft > 0 && bytes < this.#bytesNext) return false;
    const nowMs = performance.now();
    this.#entriesLeft = ENTRIES_A_LOOK;
    this.#bytesNext = bytes + BYTES_A_LOOK;
    this.#endMs ??= nowMs + this.#msMax;
    return nowMs >= this.#endMs;
  }
}

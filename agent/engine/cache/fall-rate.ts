// How fast others are filling the disk: the fastest of late, so that one quiet moment does not make
// the cache careless.

/** What is left of an earlier rate after a second. */
const KEPT_PER_SECOND = 0.5;
/** Less than this is nobody filling a disk. */
const FALLING_BYTES_PER_SECOND = 8 * 1024 * 1024;

export class FallRate {
  #bytesPerSecond = 0;
  #last: { readonly othersBytes: number; readonly atMs: number } | undefined;

  get isFalling(): boolean {
    return this.#bytesPerSecond >= FALLING_BYTES_PER_SECOND;
  }

  /** Takes what is used by others now; gives bytes per second. */
  note(othersBytes: number, nowMs: number): number {
    const last = this.#last;
    this.#last = { othersBytes, atMs: nowMs };
    const seconds = last === undefined ? 0 : (nowMs - last.atMs) / 1000;
    if (last === undefined || seconds <= 0) return this.#bytesPerSecond;
    const rate = Math.max(0, (othersBytes - last.othersBytes) / seconds);
    this.#bytesPerSecond = Math.max(rate, this.#bytesPerSecond * KEPT_PER_SECOND ** seconds);
    if (this.#bytesPerSecond < 1) this.#bytesPerSecond = 0;
    return this.#bytesPerSecond;
  }
}

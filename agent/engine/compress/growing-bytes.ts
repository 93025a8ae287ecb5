// Output whose length is not known before. The one who writes keeps `length` and asks for room.

const START_BYTES = 2 ** 16;

export class GrowingBytes {
  bytes = new Uint8Array(0);
  /** How many of `bytes` have been written. */
  length = 0;

  /** Makes room for `byteCount` more bytes; `bytes` may be another array afterwards. */
  reserve(byteCount: number): void {
    const needed = this.length + byteCount;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.bytes.length, START_BYTES));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  /** What was written, in an ArrayBuffer of its own and of its size. */
  take(): Uint8Array {
    return this.bytes.length === this.length ? this.bytes : this.bytes.slice(0, this.length);
  }
}

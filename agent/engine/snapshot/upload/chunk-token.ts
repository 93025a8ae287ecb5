// How several threads cut one file without copying a byte between them. Where a chunk ends depends
// on its bytes, so cutting is serial; but cutting costs a third of what hashing and sealing cost.
// Whoever holds the token reads from the next offset until it has the next cut, in its own memory,
// passes the token on and then works on its chunk (node-performance.md section 3: two threads on
// one file take half the time of one, with the same cuts).

const LOCK = 0;
const IS_DONE = 1;
const COMPRESSION = 2;

/** What has been decided for all chunks of a file. */
export const COMPRESSION_STATE = Object.freeze({ undecided: 0, no: 1, yes: 2 });

export class ChunkToken {
  readonly shared: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;

  private constructor(shared: SharedArrayBuffer) {
    this.shared = shared;
    this.#words = new Int32Array(shared, 0, 4);
    this.#numbers = new Float64Array(shared, 16, 1);
  }

  static create(): ChunkToken {
    return new ChunkToken(new SharedArrayBuffer(24));
  }

  static attach(shared: SharedArrayBuffer): ChunkToken {
    return new ChunkToken(shared);
  }

  /** Waits for the token, blocking this thread. */
  take(): void {
    while (Atomics.compareExchange(this.#words, LOCK, 0, 1) !== 0) {
      Atomics.wait(this.#words, LOCK, 1);
    }
  }

  passOn(): void {
    Atomics.store(this.#words, LOCK, 0);
    Atomics.notify(this.#words, LOCK, 1);
  }

  /** Where the next chunk begins. Only the holder looks and changes it. */
  get nextOffset(): number {
    return this.#numbers[0];
  }

  set nextOffset(offset: number) {
    this.#numbers[0] = offset;
  }

  /** Whether the last chunk has been taken, or a thread has failed. */
  get isDone(): boolean {
    return Atomics.load(this.#words, IS_DONE) === 1;
  }

  finish(): void {
    Atomics.store(this.#words, IS_DONE, 1);
  }

  /** One of COMPRESSION_STATE; the first chunk decides. */
  get compressionState(): number {
    return Atomics.load(this.#words, COMPRESSION);
  }

  set compressionState(state: number) {
    Atomics.store(this.#words, COMPRESSION, state);
  }
}

// A stand-in for standard output that keeps what is written, or fails as a closed pipe does.

import type { ByteSink } from '#engine/cli/output.ts';

export class CollectingSink implements ByteSink {
  text = '';
  writes = 0;
  /** After this many writes the reader has gone away. */
  readonly #writesMax: number;

  constructor(writesMax = Number.MAX_SAFE_INTEGER) {
    this.#writesMax = writesMax;
  }

  write(chunk: string | Uint8Array, done: (error?: Error | null) => void): boolean {
    if (this.writes >= this.#writesMax) {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      return false;
    }
    this.writes++;
    this.text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    done();
    return true;
  }

  on(): this {
    return this;
  }
}

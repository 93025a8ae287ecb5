// A stand-in for standard output that keeps what is written, or fails as a closed pipe or a
// full disk does.

import { constants } from 'node:os';
import type { ByteSink } from '#engine/cli/output.ts';

type Failure = 'EPIPE' | 'ENOSPC';

export class CollectingSink implements ByteSink {
  text = '';
  writes = 0;
  /** After this many writes the reader has gone away, or the disk is full. */
  readonly #writesMax: number;
  readonly #code: Failure;

  constructor(writesMax = Number.MAX_SAFE_INTEGER, code: Failure = 'EPIPE') {
    this.#writesMax = writesMax;
    this.#code = code;
  }

  write(chunk: string | Uint8Array, done: (error?: Error | null) => void): boolean {
    if (this.writes >= this.#writesMax) {
      const code = this.#code;
      done(Object.assign(new Error(`${code}, write`), { code, errno: -constants.errno[code] }));
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

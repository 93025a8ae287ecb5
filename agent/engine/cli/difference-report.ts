// All differences of a restore in a file, as JSON lines, where there are more than the outcome
// lists or somebody asked for it. It tells about a restore and never ends one: what goes wrong with
// it once the restore has begun is remembered, and told beside the outcome.

import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { throwIfAborted } from '#engine/base/abort.ts';
import { systemReasonOf } from '#engine/base/errors.ts';
import { usageError } from './option-values.ts';
import type { Engine } from './verb.ts';

type Difference = Awaited<ReturnType<Engine['restore']>>['differences'][number];

/** What the outcome lists by itself; a report is made when there are more. */
const DIFFERENCES_INLINE = 100;
/** What may wait for a disk that hangs. */
const REPORT_WAITING_BYTES_MAX = 64 << 20;

/** What has become of a report: where it is, or why not all differences are there. */
export interface ReportEnd {
  readonly path: string;
  /** `no space left on device (ENOSPC)` */
  readonly failure?: string;
}

export class DifferenceReport {
  readonly #path: string;
  readonly #isAsked: boolean;
  readonly #early: Difference[] = [];
  #stream: WriteStream | undefined;
  #failure: string | undefined;

  /** @param asked where it was asked for, absolute; elsewhere it comes into being when needed */
  constructor(asked: string | undefined, nowMs: number) {
    const stamp = new Date(nowMs).toISOString().replace(/[:.]/g, '-');
    this.#path = asked ?? join(tmpdir(), `stevedore-differences-${stamp}-${process.pid}.jsonl`);
    this.#isAsked = asked !== undefined;
  }

  /**
   * Opens one that was asked for, before anything else is done.
   * @throws USAGE when it cannot be opened, ABORTED
   */
  async open(signal: AbortSignal): Promise<void> {
    if (!this.#isAsked) return;
    throwIfAborted(signal);
    try {
      await once(this.#begin(), 'open', { signal });
    } catch (error) {
      throwIfAborted(signal);
      throw usageError(
        `the report of differences cannot be written to ${this.#path}: ${systemReasonOf(error)}; ` +
          'name a file in a directory that is there and may be written to; nothing was restored',
      );
    }
  }

  readonly add = (difference: Difference): void => {
    if (!this.#isAsked && this.#early.length < DIFFERENCES_INLINE) {
      this.#early.push(difference);
      return;
    }
    if (this.#stream === undefined) {
      this.#begin();
      for (const each of this.#early) this.#write(each);
    }
    this.#write(difference);
  };

  /** Undefined where there was no need of one. Never rejects. */
  async finish(signal: AbortSignal): Promise<ReportEnd | undefined> {
    const stream = this.#stream;
    if (stream === undefined) return undefined;
    if (this.#failure === undefined) {
      stream.end();
      await finished(stream, { signal }).catch((error: unknown) => this.#fail(error));
    }
    const failure = this.#failure;
    return failure === undefined ? { path: this.#path } : { path: this.#path, failure };
  }

  #write(difference: Difference): void {
    if (this.#failure !== undefined || this.#stream === undefined) return;
    this.#stream.write(`${JSON.stringify(difference)}\n`);
    if (this.#stream.writableLength <= REPORT_WAITING_BYTES_MAX) return;
    this.#fail(new Error('it takes them too slowly'));
    this.#stream.destroy();
  }

  #begin(): WriteStream {
    // A file of that name may be somebody's; one that was named may be replaced.
    const flags = this.#isAsked ? 'w' : 'wx';
    const stream = createWriteStream(this.#path, { flags, mode: 0o600 });
    // From the start: a stream that fails while nobody listens ends the process.
    stream.on('error', error => this.#fail(error));
    return (this.#stream = stream);
  }

  #fail(error: unknown): void {
    this.#failure ??= systemReasonOf(error);
  }
}

// The body of an HTTP/1.1 answer, gathered whole in memory of its own. Where its length is known
// the network reads straight into that memory.

import { EngineError } from '#engine/base/errors.ts';
import { type AnswerHead, HttpError } from './answer-head.ts';
import { ChunkDecoder } from './chunk-decoder.ts';

/** The connection ended, or broke, before the body did. */
export class CutBodyError extends Error {
  override readonly name = 'CutBodyError';
  /** As the head said; undefined when it did not. */
  readonly bytes: number | undefined;
  readonly gotBytes: number;

  constructor(bytes: number | undefined, gotBytes: number) {
    super(`the answer ended after ${gotBytes} bytes`);
    this.bytes = bytes;
    this.gotBytes = gotBytes;
  }
}

export interface AnswerBody {
  readonly isDone: boolean;
  /** Where the next bytes of the connection are wanted; undefined: anywhere. */
  room(): Uint8Array | undefined;
  /**
   * Takes bytes, which lie in `room()` or in memory that stays the caller's, up to its end; returns
   * how many were its.
   * @throws HttpError
   * @throws LIMIT_EXCEEDED
   */
  take(bytes: Uint8Array): number;
  /**
   * The connection has ended as its server wanted it to; one that breaks is `cut`.
   * @throws CutBodyError
   */
  end(): void;
  /** The connection has broken. */
  cut(): CutBodyError;
  /** Once done. The memory is the caller's from then on. */
  whole(): Uint8Array;
}

const FIRST_ROOM_BYTES = 4096;

/**
 * RFC 9112 6.3, for the answer to a GET.
 * @throws HttpError
 * @throws LIMIT_EXCEEDED it says that it is longer than `bytesMax`
 */
export function bodyOf({ status, headers }: AnswerHead, bytesMax: number): AnswerBody {
  if (status === 204 || status === 304) return new SizedBody(0);
  const encoding = headers['transfer-encoding'];
  const length = headers['content-length'];
  if (encoding !== undefined) {
    // Both together are how requests are smuggled: 6.3, third rule.
    if (encoding.toLowerCase() !== 'chunked' || length !== undefined) {
      throw new HttpError('the answer says in two ways how long it is');
    }
    return new GrowingBody(bytesMax, new ChunkDecoder());
  }
  const bytes = contentLengthOf(headers);
  if (bytes === undefined) return new GrowingBody(bytesMax);
  if (bytes > bytesMax) throw tooLongError(bytesMax);
  return new SizedBody(bytes);
}

/** @throws HttpError */
export function contentLengthOf(headers: AnswerHead['headers']): number | undefined {
  const said = headers['content-length'];
  if (said === undefined) return undefined;
  if (!/^\d{1,15}$/.test(said)) throw new HttpError('the answer has a length that is none');
  return Number(said);
}

class SizedBody implements AnswerBody {
  // Not from the pool: the caller may give the memory away to another thread.
  readonly #bytes: Buffer;
  #done = 0;

  constructor(length: number) {
    this.#bytes = Buffer.allocUnsafeSlow(length);
  }

  get isDone(): boolean {
    return this.#done === this.#bytes.length;
  }

  room(): Uint8Array {
    return this.#bytes.subarray(this.#done);
  }

  take(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, this.#bytes.length - this.#done);
    if (bytes.buffer !== this.#bytes.buffer) {
      this.#bytes.set(bytes.subarray(0, taken), this.#done);
    }
    this.#done += taken;
    return taken;
  }

  end(): void {
    if (!this.isDone) throw this.cut();
  }

  cut(): CutBodyError {
    return new CutBodyError(this.#bytes.length, this.#done);
  }

  whole(): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length);
  }
}

/** In chunks, or until the connection ends. */
class GrowingBody implements AnswerBody {
  readonly #bytesMax: number;
  readonly #decoder: ChunkDecoder | undefined;
  #all = Buffer.allocUnsafeSlow(FIRST_ROOM_BYTES);
  #done = 0;
  #isEnded = false;

  constructor(bytesMax: number, decoder?: ChunkDecoder) {
    this.#bytesMax = bytesMax;
    this.#decoder = decoder;
  }

  get isDone(): boolean {
    return this.#decoder?.isDone ?? this.#isEnded;
  }

  room(): undefined {
    return undefined;
  }

  take(bytes: Uint8Array): number {
    if (this.#decoder) return this.#decoder.decode(bytes, part => this.#keep(part));
    this.#keep(bytes);
    return bytes.length;
  }

  end(): void {
    if (this.#decoder && !this.#decoder.isDone) throw this.cut();
    this.#isEnded = true;
  }

  cut(): CutBodyError {
    return new CutBodyError(undefined, this.#done);
  }

  whole(): Uint8Array {
    return new Uint8Array(this.#all.subarray(0, this.#done));
  }

  #keep(part: Uint8Array): void {
    const bytes = this.#done + part.length;
    if (bytes > this.#bytesMax) throw tooLongError(this.#bytesMax);
    if (bytes > this.#all.length) {
      const doubled = Math.min(2 * this.#all.length, this.#bytesMax);
      const larger = Buffer.allocUnsafeSlow(Math.max(bytes, doubled));
      this.#all.copy(larger, 0, 0, this.#done);
      this.#all = larger;
    }
    this.#all.set(part, this.#done);
    this.#done = bytes;
  }
}

function tooLongError(bytesMax: number): EngineError {
  return new EngineError(
    'LIMIT_EXCEEDED',
    `the answer has more than the ${bytesMax} bytes that can be read at once`,
  );
}

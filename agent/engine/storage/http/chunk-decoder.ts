// The chunked transfer coding (RFC 9112 7.1). Chunk extensions and trailers are passed over.

import { HttpError } from './answer-head.ts';

const LF = 0x0a;
const LINE_BYTES_MAX = 16 * 1024;
const SIZE_LINE = /^([0-9a-fA-F]{1,12})[ \t]*(?:;.*)?$/;

/** What the next bytes are. */
type State = 'size' | 'data' | 'data-end' | 'trailer' | 'done';

export class ChunkDecoder {
  #state: State = 'size';
  /** Of the chunk that is being read. */
  #bytesLeft = 0;
  #line = '';

  get isDone(): boolean {
    return this.#state === 'done';
  }

  /**
   * Gives the data among `bytes` to `keep`, as parts of it; returns how many bytes belonged to the
   * body, which are fewer than all only when it is done.
   * @throws HttpError
   */
  decode(bytes: Uint8Array, keep: (part: Uint8Array) => void): number {
    let at = 0;
    while (at < bytes.length && this.#state !== 'done') {
      if (this.#state === 'data') {
        const part = bytes.subarray(at, at + this.#bytesLeft);
        keep(part);
        at += part.length;
        this.#bytesLeft -= part.length;
        if (this.#bytesLeft === 0) this.#state = 'data-end';
      } else {
        at += this.#takeLine(bytes.subarray(at));
      }
    }
    return at;
  }

  #takeLine(bytes: Uint8Array): number {
    const end = bytes.indexOf(LF);
    const taken = end < 0 ? bytes.length : end + 1;
    this.#line += Buffer.from(bytes.buffer, bytes.byteOffset, taken).toString('latin1');
    if (this.#line.length > LINE_BYTES_MAX) throw new HttpError('the answer has an endless line');
    if (end < 0) return taken;
    if (!this.#line.endsWith('\r\n')) throw new HttpError('the answer has a line without its end');
    const line = this.#line.slice(0, -2);
    this.#line = '';
    this.#state = this.#stateAfter(line);
    return taken;
  }

  #stateAfter(line: string): State {
    if (this.#state === 'data-end') {
      if (line !== '') throw new HttpError('the answer has a chunk that is longer than it said');
      return 'size';
    }
    if (this.#state === 'trailer') return line === '' ? 'done' : 'trailer';
    const size = SIZE_LINE.exec(line)?.[1];
    if (size === undefined) throw new HttpError('the answer has a chunk without a size');
    this.#bytesLeft = Number.parseInt(size, 16);
    return this.#bytesLeft === 0 ? 'trailer' : 'data';
  }
}

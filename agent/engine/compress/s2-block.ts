// One block of S2 (klauspost/compress s2/README.md; a superset of Snappy's block format): literals
// and copies, where a copy of offset 0 repeats the last offset with lengths up to 16 MiB.

import { copyLiterals, copyMatch } from './copy-match.ts';
import { damagedStream } from './stream-errors.ts';

const TAG_LITERAL = 0;
const TAG_COPY_1 = 1;
const TAG_COPY_2 = 2;

export interface S2Block {
  readonly source: Uint8Array;
  /** Where the elements begin, behind the decoded length. */
  readonly start: number;
  readonly end: number;
}

/**
 * Decodes the elements of `block` to exactly target[start, end).
 * @throws CONTENT_DAMAGED
 */
export function decodeS2Block(
  block: S2Block,
  target: Uint8Array,
  start: number,
  end: number,
): void {
  new S2BlockDecoder(block, target, start, end).run();
}

class S2BlockDecoder {
  readonly #source: Uint8Array;
  readonly #sourceEnd: number;
  readonly #target: Uint8Array;
  readonly #targetStart: number;
  readonly #targetEnd: number;
  #from: number;
  #to: number;
  // The offset that a repeat repeats; none at the start of a block.
  #offset = 0;

  constructor(block: S2Block, target: Uint8Array, start: number, end: number) {
    this.#source = block.source;
    this.#from = block.start;
    this.#sourceEnd = block.end;
    this.#target = target;
    this.#targetStart = start;
    this.#targetEnd = end;
    this.#to = start;
  }

  run(): void {
    while (this.#from < this.#sourceEnd) {
      const tag = this.#source[this.#from++];
      if ((tag & 3) === TAG_LITERAL) this.#literals(tag >>> 2);
      else this.#copy(tag & 3, tag >>> 2);
    }
    if (this.#to !== this.#targetEnd) {
      throw damagedStream('s2', 'a block holds fewer bytes than it says');
    }
  }

  /** Below 60 the length less one; from there on the number of bytes that hold it. */
  #literals(code: number): void {
    const length = 1 + (code < 60 ? code : this.#number(code - 59));
    const from = this.#from;
    if (length > this.#sourceEnd - from) throw damagedStream('s2', 'a block ends within literals');
    this.#assertRoom(length);
    copyLiterals(this.#source, from, this.#target, this.#to, length);
    this.#from = from + length;
    this.#to += length;
  }

  #copy(kind: number, code: number): void {
    let length = code + 1;
    if (kind === TAG_COPY_1) {
      const offset = ((code >>> 3) << 8) | this.#number(1);
      length = offset === 0 ? this.#repeatLength(code & 7) : (code & 7) + 4;
      if (offset !== 0) this.#offset = offset;
    } else {
      this.#offset = this.#number(kind === TAG_COPY_2 ? 2 : 4);
    }
    const offset = this.#offset;
    if (offset === 0 || offset > this.#to - this.#targetStart) {
      throw damagedStream('s2', 'a copy begins before its block');
    }
    this.#assertRoom(length);
    copyMatch(this.#target, this.#to, offset, length);
    this.#to += length;
  }

  #repeatLength(code: number): number {
    if (code === 5) return this.#number(1) + 8;
    if (code === 6) return this.#number(2) + 4 + 2 ** 8;
    if (code === 7) return this.#number(3) + 4 + 2 ** 16;
    return code + 4;
  }

  /** The next little-endian number of 1 to 4 bytes. */
  #number(byteCount: number): number {
    const from = this.#from;
    if (byteCount > this.#sourceEnd - from) throw damagedStream('s2', 'a block is cut');
    let value = 0;
    for (let i = byteCount - 1; i >= 0; i--) value = value * 256 + this.#source[from + i];
    this.#from = from + byteCount;
    return value;
  }

  #assertRoom(length: number): void {
    if (length > this.#targetEnd - this.#to) {
      throw damagedStream('s2', 'a block holds more bytes than it says');
    }
  }
}

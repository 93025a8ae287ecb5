// A place in bytes that lie in several pieces, one behind the other, so that a directory of 200 MB
// need not be made one piece to be cut into chunks.

import { totalBytes } from '#engine/base/bytes.ts';

export class PieceCursor {
  /** Of all pieces. */
  readonly length: number;
  readonly #pieces: readonly Uint8Array[];
  #index = 0;
  #offset = 0;

  constructor(pieces: readonly Uint8Array[]) {
    this.#pieces = pieces;
    this.length = totalBytes(pieces);
  }

  /** Copies the next `length` bytes to `at` of `target`, and stays where it is. */
  peek(target: Uint8Array, at: number, length: number): void {
    let offset = this.#offset;
    let left = length;
    for (let index = this.#index; left > 0; index++, offset = 0) {
      const piece = this.#pieces[index];
      const taken = Math.min(left, piece.length - offset);
      const isWhole = taken === piece.length;
      target.set(isWhole ? piece : piece.subarray(offset, offset + taken), at + length - left);
      left -= taken;
    }
  }

  advance(length: number): void {
    this.#offset += length;
    while (this.#index < this.#pieces.length) {
      const piece = this.#pieces[this.#index];
      if (this.#offset < piece.length) return;
      this.#offset -= piece.length;
      this.#index++;
    }
  }
}

// Joins entry texts to larger ones: a message of a million pieces costs the main thread a second
// that it does not have in the middle of an upload. What other threads see anyway is not copied.

const JOINED_BYTES = 256 * 1024;
const COMMA = ','.charCodeAt(0);

export class PieceJoiner {
  /** Memory of what has been joined. */
  readonly fresh: ArrayBuffer[] = [];
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;

  /** Adds a text to what `list` will have in the end. */
  add(piece: Uint8Array, list: (Uint8Array | number)[]): void {
    if (piece.buffer instanceof SharedArrayBuffer) {
      this.finish(list).push(piece);
      return;
    }
    this.#waiting.push(piece);
    this.#waitingBytes += piece.length + 1;
    if (this.#waitingBytes >= JOINED_BYTES) this.finish(list);
  }

  /** Puts what waits into `list`, and returns it. */
  finish<Item extends Uint8Array | number>(list: (Item | Uint8Array)[]): (Item | Uint8Array)[] {
    if (this.#waiting.length > 0) list.push(this.#join());
    this.#waiting = [];
    this.#waitingBytes = 0;
    return list;
  }

  #join(): Uint8Array {
    const joined = new Uint8Array(this.#waitingBytes - 1);
    let at = 0;
    for (const piece of this.#waiting) {
      if (at > 0) joined[at++] = COMMA;
      joined.set(piece, at);
      at += piece.length;
    }
    this.fresh.push(joined.buffer);
    return joined;
  }
}

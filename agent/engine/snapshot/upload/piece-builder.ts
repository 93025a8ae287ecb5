// Entry texts on their way into a directory object: joined where they follow one another, with the
// gaps that files leave which are read by other threads.

import type { StoredEntry } from './entry-store.ts';
import type { DirectoryPiece } from './upload-tasks.ts';

export class PieceBuilder {
  readonly #pieces: DirectoryPiece[] = [];
  #texts: string[] = [];

  add(entry: StoredEntry): void {
    if (entry === undefined) return;
    if (typeof entry === 'string') {
      this.#texts.push(entry);
      return;
    }
    this.#flush();
    this.#pieces.push(entry);
  }

  /** Whether all entries are here, and none is still to be read. */
  get isComplete(): boolean {
    return this.#pieces.length === 0;
  }

  /** The texts as one, where `isComplete`. */
  text(): string {
    return this.#texts.join(',');
  }

  finish(): DirectoryPiece[] {
    this.#flush();
    return this.#pieces;
  }

  #flush(): void {
    if (this.#texts.length === 0) return;
    this.#pieces.push(encodeText(this.#texts.join(',')));
    this.#texts = [];
  }
}

/** UTF-8 in memory of its own, so that it can move to another thread. */
export function encodeText(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Buffer.byteLength(text));
  Buffer.from(bytes.buffer).write(text);
  return bytes;
}

export function isText(piece: DirectoryPiece): piece is Uint8Array {
  return piece instanceof Uint8Array;
}

/** Memory of the texts among `pieces`, to be transferred. */
export function textBuffers(pieces: readonly DirectoryPiece[]): ArrayBuffer[] {
  // encodeText gives each text an ArrayBuffer of its own.
  return pieces.filter(isText).map(text => text.buffer as ArrayBuffer);
}

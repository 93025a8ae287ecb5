// Entry texts on their way into a directory object: joined where they follow one another, with the
// gaps that files leave which are read by other threads.

import type { DirectoryTable } from '#engine/format/directory-table.ts';
import type { EntryBytes } from '#engine/format/entry-bytes.ts';
import type { StoredEntry } from './entry-store.ts';
import type { DirectoryPiece } from './upload-tasks.ts';

const NONE = -1;
/**
 * Longer pieces, of a directory of a million entries, are in memory that all threads share: a
 * checkpoint writes them with no copy of them made.
 */
const SHARED_BYTES_MIN = 64 * 1024;

export class PieceBuilder {
  readonly #pieces: DirectoryPiece[] = [];
  readonly #table: DirectoryTable;
  readonly #gathered: EntryBytes;
  /** Of entries of the table that have been added and not been copied: there may be no need. */
  #rangeStart = NONE;
  #rangeEnd = NONE;

  /**
   * @param table that positions are of; it must not change until the pieces are finished
   * @param gathered scratch, the builder's own until then
   */
  constructor(table: DirectoryTable, gathered: EntryBytes) {
    this.#table = table;
    this.#gathered = gathered;
    gathered.clear();
  }

  add(entry: StoredEntry): void {
    if (entry === undefined) return;
    if (typeof entry === 'number') {
      this.#addRange(entry);
      return;
    }
    this.#endRange();
    if (isText(entry)) {
      this.#gathered.addBytes(entry);
      return;
    }
    this.#flush();
    this.#pieces.push(entry);
  }

  /** Whether all entries are here, and none is still to be read. */
  get isComplete(): boolean {
    return this.#pieces.length === 0;
  }

  /** All texts, joined, where `isComplete`: a view of the scratch. */
  whole(): Uint8Array {
    this.#endRange();
    return this.#gathered.view;
  }

  finish(): DirectoryPiece[] {
    this.#flush();
    return this.#pieces;
  }

  /** Entries that follow each other in the table are one text there already. */
  #addRange(position: number): void {
    if (this.#rangeEnd === position) {
      this.#rangeEnd++;
      return;
    }
    this.#endRange();
    this.#rangeStart = position;
    this.#rangeEnd = position + 1;
  }

  #endRange(): void {
    if (this.#rangeStart === NONE) return;
    this.#gathered.addBytes(this.#table.textsOf(this.#rangeStart, this.#rangeEnd - 1));
    this.#rangeStart = NONE;
    this.#rangeEnd = NONE;
  }

  #flush(): void {
    this.#endRange();
    if (this.#gathered.length === 0) return;
    this.#pieces.push(pieceOf(this.#gathered.view));
    this.#gathered.clear();
  }
}

/** A copy. */
function pieceOf(texts: Uint8Array): Uint8Array {
  if (texts.length < SHARED_BYTES_MIN) return texts.slice();
  const piece = new Uint8Array(new SharedArrayBuffer(texts.length));
  piece.set(texts);
  return piece;
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

/** Memory of the texts among `pieces`, each of which has one of its own, to be transferred. */
export function textBuffers(pieces: readonly DirectoryPiece[]): ArrayBuffer[] {
  const buffers = pieces.filter(isText).map(({ buffer }) => buffer);
  return buffers.filter(buffer => buffer instanceof ArrayBuffer);
}

// Puts the records of directories in one order, whoever finishes first: the children of a directory
// by name, then itself. Equal trees then give equal streams, which are stored once. A directory
// that takes long makes others wait; beyond a bound they go ahead, which costs deduplication alone.

/** Records that may wait for their turn. */
export const RECORDS_WAITING_BYTES_MAX = 16 * 1024 * 1024;

export type DirectoryRecord = Uint32Array<ArrayBuffer>;

/** A directory whose children are being stored. */
export class RecordNode {
  readonly parent: RecordNode | undefined;
  /** Among the children of `parent`. */
  readonly position: number;
  /** The child whose turn it is. */
  next = 0;
  isFinished = false;
  readonly waiting: DirectoryRecord[] = [];
  /** Children that are not through, by position. */
  readonly children = new Map<number, RecordNode>();

  constructor(parent: RecordNode | undefined, position: number) {
    this.parent = parent;
    this.position = position;
    parent?.children.set(position, this);
  }
}

export class RecordOrder {
  readonly #emit: (record: DirectoryRecord) => void;
  #waitingBytes = 0;

  constructor(emit: (record: DirectoryRecord) => void) {
    this.#emit = emit;
  }

  /** All below `node` is through; `record` is undefined where there is nothing to say of it. */
  finish(node: RecordNode, record: DirectoryRecord | undefined): void {
    if (record !== undefined) this.#append(node, record);
    node.isFinished = true;
    const { parent } = node;
    if (parent?.next === node.position) this.#advance(parent);
  }

  #append(node: RecordNode, record: DirectoryRecord): void {
    let sink = node;
    while (sink.parent?.next === sink.position) sink = sink.parent;
    const bytes = record.byteLength;
    if (sink.parent === undefined || this.#waitingBytes + bytes > RECORDS_WAITING_BYTES_MAX) {
      this.#emit(record);
      return;
    }
    this.#waitingBytes += bytes;
    sink.waiting.push(record);
  }

  /** Lets the children go whose turn has come. */
  #advance(parent: RecordNode): void {
    for (;;) {
      const child = parent.children.get(parent.next);
      if (child === undefined) return;
      for (const record of child.waiting.splice(0)) {
        this.#waitingBytes -= record.byteLength;
        this.#append(parent, record);
      }
      if (!child.isFinished) return;
      parent.children.delete(parent.next);
      parent.next++;
    }
  }
}

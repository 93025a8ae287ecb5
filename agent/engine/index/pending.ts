// The contents that this run has begun to write, shared by all worker threads: whoever claims a key
// first owns it, everybody else refers to it, so nothing is stored twice.
//
// One sorted, singly linked list in shared memory, into which nodes are put by compare-and-swap and
// from which none is ever taken. Because of that any node with a smaller key is a valid place to
// start walking from, and the tables of hints beside the list need no order of their own: level b
// holds 2^b hints, one per value of the first b hash bits, and which level is used follows from the
// number of nodes. So it grows without a lock, a message or a rehash, and memory is touched only as
// it fills. (The idea is Shalev and Shavit's split-ordered list, shorter without removal.)

import { EngineError } from '#engine/base/errors.ts';
import { impossibleKey, KEY_BYTES_MAX, NO_PREFIX_CODE, PREFIX_CODES } from './entry.ts';

/** What workers are given. */
export interface SharedPendingContents {
  readonly memory: SharedArrayBuffer;
  readonly keyBytes: number;
  readonly contentsMax: number;
}

export interface PendingContentsOptions {
  /** 1 + hash length, at least 5. */
  readonly keyBytes: number;
  /** Claims beyond this fail; the address space for them is reserved at once. */
  readonly contentsMax?: number;
}

export const PENDING_CONTENTS_MAX = 8_000_000;

// Word 0 counts nodes, word 1 is the link from the head to the first node.
const NODE_COUNT = 0;
const HEAD = 1;
const HINTS = 2;
const LEVEL_MIN = 6;
const LEVEL_MAX = 22;

export class PendingContents {
  readonly #shared: SharedPendingContents;
  readonly #words: Int32Array;
  readonly #keyBytes: number;
  readonly #keyWords: number;
  readonly #nodes: number;
  /** The key that is being looked for, as words. */
  readonly #wanted: Int32Array;
  /** A node that lost a race and can serve for the next claim; 0 for none. */
  #spare = 0;
  /** Where the last walk ended: the word that links to where the key belongs. */
  #link = HEAD;

  private constructor(shared: SharedPendingContents) {
    this.#shared = shared;
    this.#words = new Int32Array(shared.memory);
    this.#keyBytes = shared.keyBytes;
    this.#keyWords = keyWordsOf(shared.keyBytes);
    this.#nodes = HINTS + 2 ** (LEVEL_MAX + 1);
    this.#wanted = new Int32Array(this.#keyWords);
  }

  static create(options: PendingContentsOptions): PendingContents {
    const { keyBytes, contentsMax = PENDING_CONTENTS_MAX } = options;
    const nodeWords = 1 + keyWordsOf(keyBytes);
    const words = HINTS + 2 ** (LEVEL_MAX + 1) + (contentsMax + 1) * nodeWords;
    const isPossible = keyBytes >= 5 && keyBytes <= KEY_BYTES_MAX && words < 2 ** 31;
    if (!isPossible) {
      throw new EngineError(
        'INTERNAL',
        `cannot keep ${contentsMax} pending contents with keys of ${keyBytes} bytes`,
      );
    }
    const memory = new SharedArrayBuffer(words * 4);
    return new PendingContents({ memory, keyBytes, contentsMax });
  }

  /** The same set in another thread. */
  static attach(shared: SharedPendingContents): PendingContents {
    return new PendingContents(shared);
  }

  share(): SharedPendingContents {
    return this.#shared;
  }

  /** How many claims succeeded, give or take those being made right now. */
  get count(): number {
    return Atomics.load(this.#words, NODE_COUNT);
  }

  /**
   * True for exactly one caller among all threads: it owns the content and must write it. A failed
   * run is abandoned as a whole, so claims are never given back.
   * @throws LIMIT_EXCEEDED when contentsMax contents are claimed
   * @throws CONTENT_ID_INVALID when the key has another length than the set's
   */
  claim(key: Uint8Array, keyOffset: number, keyLength: number): boolean {
    this.#setWanted(key, keyOffset, keyLength);
    this.#startWalk();
    for (;;) {
      const next = this.#walk();
      if (next < 0) return false;
      const node = this.#takeNode();
      const words = this.#words;
      // Plain stores: the compare-and-swap below is what makes them visible.
      words[node] = next;
      for (let i = 0; i < this.#keyWords; i++) words[node + 1 + i] = this.#wanted[i];
      if (Atomics.compareExchange(words, this.#link, next, node) === next) return true;
      // Somebody linked a node in here first; it stands behind #link, where the walk goes on.
      this.#spare = node;
    }
  }

  /** Whether somebody has claimed the key. */
  has(key: Uint8Array, keyOffset: number, keyLength: number): boolean {
    this.#setWanted(key, keyOffset, keyLength);
    this.#startWalk();
    return this.#walk() < 0;
  }

  #setWanted(key: Uint8Array, keyOffset: number, keyLength: number): void {
    const code = PREFIX_CODES[key[keyOffset]];
    if (keyLength !== this.#keyBytes || code === NO_PREFIX_CODE) {
      throw impossibleKey(key.subarray(keyOffset, keyOffset + keyLength), this.#keyBytes);
    }
    const wanted = this.#wanted;
    const end = keyOffset + keyLength;
    let at = keyOffset + 1;
    for (let i = 0; i < wanted.length; i++, at += 4) {
      // Past the end of the key there are zeros; the prefix goes into the last byte of all.
      const b0 = at < end ? key[at] : 0;
      const b1 = at + 1 < end ? key[at + 1] : 0;
      const b2 = at + 2 < end ? key[at + 2] : 0;
      const b3 = at + 3 < end ? key[at + 3] : 0;
      wanted[i] = (b0 << 24) | (b1 << 16) | (b2 << 8) | b3;
    }
    wanted[wanted.length - 1] |= code;
  }

  /** Sets #link to the best known link in front of where the wanted key belongs. */
  #startWalk(): void {
    const words = this.#words;
    const count = Atomics.load(words, NODE_COUNT);
    // Two to four nodes a hint. With one or two most hints were empty, and the way from a coarser
    // one led past five nodes that no cache holds, in place of one or two.
    let level = Math.min(LEVEL_MAX, Math.max(LEVEL_MIN, 30 - Math.clz32(count)));
    const first = this.#hintAt(level);
    let hint = Atomics.load(words, first);
    while (hint === 0 && level > LEVEL_MIN) hint = Atomics.load(words, this.#hintAt(--level));
    this.#link = hint === 0 ? HEAD : hint;
    this.#advanceToBucket(first);
  }

  #hintAt(level: number): number {
    return HINTS + (1 << level) + (this.#wanted[0] >>> (32 - level));
  }

  /**
   * Walks to the last node before all keys that share the hint's bits, and keeps it as the hint.
   * Nodes are only ever added, so a hint that another thread overwrites with an older one is merely
   * a longer walk.
   */
  #advanceToBucket(hintWord: number): void {
    const words = this.#words;
    const level = 31 - Math.clz32(hintWord - HINTS);
    const bucket = this.#wanted[0] >>> (32 - level);
    const start = this.#link;
    let link = start;
    for (;;) {
      const next = Atomics.load(words, link);
      if (next === 0 || words[next + 1] >>> (32 - level) >= bucket) break;
      link = next;
    }
    this.#link = link;
    if (link !== HEAD && link !== Atomics.load(words, hintWord))
      Atomics.store(words, hintWord, link);
  }

  /**
   * Moves #link on until it links past where the wanted key belongs.
   * @returns the node behind #link (0 at the end), or -1 when the key is there
   */
  #walk(): number {
    const words = this.#words;
    for (;;) {
      const next = Atomics.load(words, this.#link);
      if (next === 0) return 0;
      const order = this.#compare(next);
      if (order === 0) return -1;
      if (order > 0) return next;
      this.#link = next;
    }
  }

  /** Sign of node minus wanted. */
  #compare(node: number): number {
    const words = this.#words;
    for (let i = 0; i < this.#keyWords; i++) {
      const a = words[node + 1 + i];
      const b = this.#wanted[i];
      if (a !== b) return a >>> 0 < b >>> 0 ? -1 : 1;
    }
    return 0;
  }

  #takeNode(): number {
    if (this.#spare !== 0) {
      const node = this.#spare;
      this.#spare = 0;
      return node;
    }
    const words = this.#words;
    const { contentsMax } = this.#shared;
    const isFull = Atomics.load(words, NODE_COUNT) >= contentsMax;
    const index = isFull ? contentsMax : Atomics.add(words, NODE_COUNT, 1);
    if (index >= contentsMax) {
      throw new EngineError(
        'LIMIT_EXCEEDED',
        `cannot track more than ${contentsMax} new contents in one run; flush and go on, or ` +
          `back up fewer paths at once`,
      );
    }
    return this.#nodes + index * (1 + this.#keyWords);
  }
}

/** Words of the hash and, in a byte behind it, the prefix. */
function keyWordsOf(keyBytes: number): number {
  return Math.ceil(keyBytes / 4);
}

// Numbers that look random and are the same in every run with the same seed (mulberry32).

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 <= result < below */
  integer(below: number): number {
    return Math.floor((this.#next() / 2 ** 32) * below);
  }

  /** Nothing that compresses. */
  bytes(length: number): Uint8Array {
    const words = new Uint32Array(Math.ceil(length / 4));
    for (let index = 0; index < words.length; index++) words[index] = this.#next();
    return new Uint8Array(words.buffer, 0, length);
  }

  /** Text that compresses as prose does. */
  text(length: number): string {
    let text = '';
    while (text.length < length) text += `${WORDS[this.integer(WORDS.length)] ?? ''} `;
    return text.slice(0, length);
  }

  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[this.integer(items.length)];
  }

  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let value = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return (value ^ (value >>> 14)) >>> 0;
  }
}

const WORDS = (
  'pack blob content object snapshot source harbour crane container quay ship cargo manifest ' +
  'stack yard berth tide rope winch hold deck hatch\n keel mast log\n'
).split(' ');

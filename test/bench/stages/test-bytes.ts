// Bytes that are the same in every run: noise that nothing compresses, and text that compresses
// about as source code does.

import { createCipheriv, type Cipheriv } from 'node:crypto';

const WORDS =
  'const return value index function bytes length offset string number await import export ' +
  'readonly content pack snapshot manifest storage error options result buffer directory';

/** The key stream of a cipher: a GiB in about a second. */
export class NoiseStream {
  readonly #cipher: Cipheriv;
  #zeros = Buffer.alloc(2 ** 20);

  constructor(seed: number) {
    const key = Buffer.alloc(32);
    key.writeUInt32LE(seed >>> 0);
    this.#cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  }

  /** The next `count` bytes. */
  take(count: number): Uint8Array {
    if (count > this.#zeros.length) this.#zeros = Buffer.alloc(count);
    return this.#cipher.update(this.#zeros.subarray(0, count));
  }
}

export function fillWithNoise(bytes: Uint8Array, seed: number): void {
  const noise = new NoiseStream(seed);
  const step = 2 ** 20;
  for (let at = 0; at < bytes.length; at += step) {
    bytes.set(noise.take(Math.min(step, bytes.length - at)), at);
  }
}

/** Words and numbers in lines, as unlike one another as lines of code are. */
export function fillWithText(bytes: Uint8Array, seed: number): void {
  const words = WORDS.split(' ');
  const choices = new Uint8Array(2 ** 16);
  fillWithNoise(choices, seed);
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const choice = choices[i % choices.length] ?? 0;
    const word = words[choice % words.length] ?? '';
    const text = choice < 40 ? `${word}${i};\n` : `${word} `;
    const piece = Buffer.from(text).subarray(0, bytes.length - at);
    bytes.set(piece, at);
    at += piece.length;
  }
}

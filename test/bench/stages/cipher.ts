// Sealing and opening contents in place, by native code and through node:crypto.

import { allocateArena } from '#engine/base/arena.ts';
import { CIPHERS, createCipher } from '#engine/cipher/ciphers.ts';
import { NONCE_BYTES, SEAL_BYTES } from '#engine/cipher/content-cipher.ts';
import { MIB, sizeName, type BenchFigure, type StageOptions } from './figure.ts';
import { fillWithNoise } from './test-bytes.ts';
import { budgetMs, secondsPerCall, speedFigure } from './timing.ts';

const SIZES = [64, 4096, 4 * MIB];
const FORMS = [
  ['native', true],
  ['portable', false],
] as const;

export async function benchCipher(options: StageOptions): Promise<BenchFigure[]> {
  const figures: BenchFigure[] = [];
  for (const name of Object.keys(CIPHERS)) {
    for (const [form, isNative] of FORMS) {
      for (const size of SIZES) figures.push(...benchOne(options, { name, form, isNative, size }));
    }
  }
  return figures;
}

interface CipherCase {
  readonly name: string;
  readonly form: string;
  readonly isNative: boolean;
  readonly size: number;
}

function benchOne(
  options: StageOptions,
  { name, form, isNative, size }: CipherCase,
): BenchFigure[] {
  const arena = allocateArena(size + SEAL_BYTES);
  const opened = allocateArena(size);
  fillWithNoise(arena.bytes, size);
  const secret = new Uint8Array(32).fill(7);
  const iv = new Uint8Array(16).fill(9);
  const cipher = createCipher(name, secret, { native: isNative });
  const sealed = { arena, offset: 0 };
  const plaintext = { arena, offset: NONCE_BYTES };
  const seal = () => cipher.seal(plaintext, size, sealed, iv);
  // Opening leaves the sealed bytes as they are, so that each call has the same to do.
  const open = () => cipher.open(sealed, size + SEAL_BYTES, { arena: opened, offset: 0 }, iv);
  const budget = budgetMs(options) / 2;
  const what = `${name} ${form} ${sizeName(size)}`;
  return [
    speedFigure(`seal ${what}`, size, secondsPerCall(seal, budget)),
    speedFigure(`open ${what}`, size, secondsPerCall(open, budget)),
  ];
}

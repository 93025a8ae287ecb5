// Every hash of the table over small, middling and large contents, by native code and without.

import { allocateArena } from '#engine/base/arena.ts';
import { createHash, HASHES } from '#engine/hash/hashes.ts';
import { MIB, sizeName, type BenchFigure, type StageOptions } from './figure.ts';
import { fillWithNoise } from './test-bytes.ts';
import { budgetMs, secondsPerCall, speedFigure } from './timing.ts';

const SIZES = [64, 4096, 4 * MIB];
const FORMS = [
  ['native', true],
  ['portable', false],
] as const;

export async function benchHash(options: StageOptions): Promise<BenchFigure[]> {
  const arena = allocateArena(4 * MIB);
  fillWithNoise(arena.bytes, 1);
  const secret = arena.bytes.slice(0, 32);
  const figures: BenchFigure[] = [];
  for (const { name, digestBytes, native } of Object.values(HASHES)) {
    const digest = new Uint8Array(digestBytes);
    for (const [form, isNative] of FORMS) {
      if (isNative && native?.(secret) === undefined) continue;
      const hash = createHash(name, secret, { native: isNative });
      for (const size of SIZES) {
        const call = () => hash.digest(arena, 0, size, digest, 0);
        const seconds = secondsPerCall(call, budgetMs(options) / 2);
        figures.push(speedFigure(`${name} ${form} ${sizeName(size)}`, size, seconds));
      }
    }
  }
  return figures;
}

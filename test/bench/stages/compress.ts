// zstd as kopia's two common compressors have it, on text and on noise: 4 MiB contents of files,
// and directory objects of a few KiB.

import { compressorByName } from '#engine/compress/compressors.ts';
import { decompress } from '#engine/compress/decompress.ts';
import { MIB, sizeName, type BenchFigure, type StageOptions } from './figure.ts';
import { fillWithNoise, fillWithText } from './test-bytes.ts';
import { budgetMs, secondsPerCall, speedFigure } from './timing.ts';

const NAMES = ['zstd-fastest', 'zstd'];
const SIZES = [16 * 1024, 4 * MIB];
const KINDS = [
  ['text', fillWithText],
  ['noise', fillWithNoise],
] as const;

export async function benchCompress(options: StageOptions): Promise<BenchFigure[]> {
  const figures: BenchFigure[] = [];
  for (const name of NAMES) {
    for (const size of SIZES) {
      for (const [kind, fill] of KINDS) {
        const plain = new Uint8Array(size);
        fill(plain, 3);
        figures.push(...benchOne(options, name, kind, plain));
      }
    }
  }
  return figures;
}

function benchOne(
  options: StageOptions,
  name: string,
  kind: string,
  plain: Uint8Array,
): BenchFigure[] {
  const compressor = compressorByName(name);
  if (compressor === undefined) throw new Error(`no compressor ${name}`);
  const stored = compressor.compress(plain);
  const what = `${name}, ${kind} ${sizeName(plain.length)}`;
  const compress = secondsPerCall(() => void compressor.compress(plain), budgetMs(options));
  const back = secondsPerCall(
    () => void decompress(compressor.headerId, stored, plain.length),
    budgetMs(options),
  );
  return [
    speedFigure(`compress ${what}`, plain.length, compress),
    speedFigure(`decompress ${what}`, plain.length, back),
    { name: `size after ${what}`, value: (stored.length * 100) / plain.length, unit: '%' },
  ];
}

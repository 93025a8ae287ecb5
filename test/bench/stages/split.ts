// How fast each family of splitters finds cuts in noise that lies in its arena, in WebAssembly and
// in plain JavaScript. Bytes that a splitter may skip count as scanned: what matters is the file.

import { createSplitter, splitterAlgorithm } from '#engine/chunk/splitters.ts';
import type { Splitter } from '#engine/chunk/splitter.ts';
import { MIB, type BenchFigure, type StageOptions } from './figure.ts';
import { fillWithNoise } from './test-bytes.ts';
import { budgetMs, secondsPerCall } from './timing.ts';

const NAMES = [
  'FIXED-4M',
  'DYNAMIC-4M-BUZHASH',
  'DYNAMIC-1M-BUZHASH',
  'DYNAMIC-4M-RABINKARP',
  'FASTCDC-4M',
  'FASTCDC-1M',
];
const FORMS = [
  ['wasm', true],
  ['portable', false],
] as const;
/** As the upload feeds it: the minimum and a little, then steps. */
const STEP_BYTES = MIB;

export async function benchSplit(options: StageOptions): Promise<BenchFigure[]> {
  const inputBytes = (options.isQuick ? 24 : 96) * MIB;
  const noise = new Uint8Array(inputBytes);
  fillWithNoise(noise, 5);
  const figures: BenchFigure[] = [];
  for (const name of NAMES) {
    for (const [form, isNative] of FORMS) {
      const splitter = createSplitter(name, inputBytes, { native: isNative });
      if (isNative && splitter.form === 'portable' && !name.startsWith('FIXED')) continue;
      splitter.arena.bytes.set(noise);
      let chunks = 0;
      const call = () => {
        chunks = cutAll(splitter, inputBytes);
      };
      const seconds = secondsPerCall(call, budgetMs(options));
      const what = name.startsWith('FIXED') ? name : `${name} ${form}`;
      figures.push({ name: what, value: inputBytes / MIB / seconds, unit: 'MiB/s' });
      if (!isNative) continue;
      const meanKib = inputBytes / chunks / 1024;
      figures.push({ name: `${name}: mean chunk`, value: meanKib, unit: 'KiB' });
      if (splitterAlgorithm(name).minBytes === splitterAlgorithm(name).maxBytes) break;
    }
  }
  return figures;
}

function cutAll(splitter: Splitter, inputBytes: number): number {
  let chunks = 0;
  splitter.reset();
  for (let start = 0; start < inputBytes; chunks++) {
    let available = splitter.minBytes;
    for (let cut = 0; cut === 0; start += cut) {
      available = Math.min(inputBytes - start, splitter.maxBytes, available + STEP_BYTES);
      cut = splitter.nextCut(start, available, start + available === inputBytes);
    }
  }
  return chunks;
}

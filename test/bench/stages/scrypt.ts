// Turning the password into a key, which every command does once, and what memory it leaves behind.

import { derivePasswordKey, KEY_DERIVATIONS } from '#engine/format/repository-key.ts';
import type { BenchFigure, StageOptions } from './figure.ts';
import { MIB } from './figure.ts';
import { secondsPerAsyncCall } from './timing.ts';

export async function benchScrypt({ isQuick }: StageOptions): Promise<BenchFigure[]> {
  const uniqueId = new Uint8Array(32).fill(4);
  const figures: BenchFigure[] = [];
  const before = process.memoryUsage().rss;
  for (const name of Object.keys(KEY_DERIVATIONS)) {
    const derive = () => derivePasswordKey(name, 'password', uniqueId);
    const seconds = await secondsPerAsyncCall(derive, isQuick ? 1 : 5);
    figures.push({ name, value: seconds * 1000, unit: 'ms' });
  }
  const peak = process.resourceUsage().maxRSS * 1024 - before;
  const left = process.memoryUsage().rss - before;
  return [
    ...figures,
    { name: 'peak memory', value: peak / MIB, unit: 'MiB' },
    { name: 'memory still resident afterwards', value: left / MIB, unit: 'MiB' },
  ];
}

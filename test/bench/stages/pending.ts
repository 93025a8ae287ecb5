// Claims of new contents: what each thread asks once for every content that the index does not
// have.

import { randomFillSync } from 'node:crypto';
import { PendingContents } from '#engine/index/pending.ts';
import type { BenchFigure, StageOptions } from './figure.ts';

const KEY_BYTES = 17;

export async function benchPending({ isQuick }: StageOptions): Promise<BenchFigure[]> {
  const count = isQuick ? 200_000 : 2_000_000;
  const keys = randomFillSync(new Uint8Array(count * KEY_BYTES));
  for (let at = 0; at < keys.length; at += KEY_BYTES) keys[at] = 0;
  const before = process.memoryUsage().rss;
  const pending = PendingContents.create({ keyBytes: KEY_BYTES });
  const first = claimAll(pending, keys, count);
  const growth = process.memoryUsage().rss - before;
  const again = claimAll(pending, keys, 0);
  return [
    { name: `first claims, ${count} keys`, value: count / first, unit: '/s' },
    { name: 'claims of keys that are taken', value: count / again, unit: '/s' },
    { name: 'resident memory a claim', value: growth / count, unit: 'B' },
  ];
}

/** Seconds; what was claimed is checked, so that nothing wrong is measured. */
function claimAll(pending: PendingContents, keys: Uint8Array, expected: number): number {
  let claimed = 0;
  const start = performance.now();
  for (let at = 0; at < keys.length; at += KEY_BYTES) {
    if (pending.claim(keys, at, KEY_BYTES)) claimed++;
  }
  const seconds = (performance.now() - start) / 1000;
  if (claimed !== expected) throw new Error(`claimed ${claimed} keys, not ${expected}`);
  return seconds;
}

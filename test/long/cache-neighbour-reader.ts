// Keeps a cache busy, on a disk that it shares, until it is killed. `cache-neighbour-reader.ts
// DIRECTORY`; the kubelet's line is at a tenth of the disk.

import { setImmediate as pause } from 'node:timers/promises';
import { Cache } from '#engine/cache/cache.ts';
import { MemoryStorage } from '#engine/storage/memory.ts';
import type { GetOptions } from '#engine/storage/storage.ts';
import { wrap } from '#engine/storage/wrap.ts';
import { MIB, packId, through } from '#test/engine/cache/scratch-cache.ts';
import { SeededRandom } from '#test/support/random.ts';
import { LINE_SHARE } from './cache-neighbour.ts';

const READERS = 8;
const PACKS = 2000;
const [directory = '', seed] = process.argv.slice(2);
process.on('disconnect', () => process.exit());

const random = new SeededRandom(Number(seed));
const noise = random.bytes(2 * MIB);
const inner = wrap(new MemoryStorage(), {
  get: async (_: string, { range }: GetOptions = {}) =>
    noise.slice(range?.offset, (range?.offset ?? 0) + (range?.length ?? MIB)),
});
const cache = await Cache.open({
  directory,
  share: 0.8,
  evictionLines: [{ signal: 'nodefs.available', threshold: { share: LINE_SHARE } }],
});
const storage = through(cache, inner);
process.send?.('open');

async function read(): Promise<void> {
  for (;;) {
    const range = { offset: random.below(MIB), length: 1 + random.below(MIB) };
    await storage.get(packId(random.below(PACKS)), { range });
    await pause();
  }
}

await Promise.all(Array.from({ length: READERS }, read));

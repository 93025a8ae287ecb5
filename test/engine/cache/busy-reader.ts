// Reads packs through a cache in a random order until it is killed; says so after each.
// `busy-reader.ts DIRECTORY LIMIT SEED [NODE]`

import { Cache } from '#engine/cache/cache.ts';
import { SeededRandom } from '#test/support/random.ts';
import { generatedStorage, MIB, packId, through } from './scratch-cache.ts';

const [directory = '', limit, seed, node] = process.argv.slice(2);
const random = new SeededRandom(Number(seed));
const cache = await Cache.open({
  directory,
  node,
  isRootDiskAllowed: true,
  absoluteBytes: Number(limit),
});
const storage = through(cache, generatedStorage(2 * MIB));

async function read(): Promise<void> {
  for (;;) {
    const offset = random.below(2 * MIB - 1);
    const length = Math.min(2 * MIB - offset, 1 + random.below(MIB));
    await storage.get(packId(random.below(12)), { range: { offset, length } });
    process.send?.('read');
  }
}

await Promise.all([read(), read(), read(), read()]);

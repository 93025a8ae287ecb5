// Reads sixty packs through a cache in the directory that is named, which has a quota.

import { Cache } from '#engine/cache/cache.ts';
import { expectedBytes, generatedStorage, MIB, packId, through } from './scratch-cache.ts';

const ROOMY = { totalBytes: 1e12, freeBytes: 1e12, totalInodes: 0, freeInodes: 0 };

const cache = await Cache.open(
  { directory: process.argv[2] ?? '', isRootDiskAllowed: true, absoluteBytes: 200 * MIB },
  { isWatching: false, readDisk: async () => ROOMY },
);
const storage = through(cache, generatedStorage(MIB));
let served = 0;
for (let pack = 0; pack < 60; pack++) {
  const got = await storage.get(packId(pack), { range: { offset: 0, length: MIB } });
  if (Buffer.compare(got, expectedBytes(packId(pack), 0, MIB)) === 0) served++;
}
console.log(
  `served ${served}, EDQUOT ${cache.statistics.errors.EDQUOT ?? 0}`,
  cache.obstacle ?? '',
);
await cache.close();

// Restores snapshots side by side and says what that took.
// `cache-restores-runner.ts DIRECTORY CACHE_BYTES SNAPSHOT…`

import { mkdirSync, rmSync } from 'node:fs';
import { Cache } from '#engine/cache/cache.ts';
import { openRepository, openStorage, restore } from '#engine/index.ts';
import { wrap } from '#engine/storage/wrap.ts';
import { PASSWORD } from './cache-restores.ts';

export interface RunnerReport {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly hitBytes: number;
  readonly missBytes: number;
  readonly storedBytes: number;
  readonly usedBytes: number;
}

const [directory = '', cacheBytes, ...snapshots] = process.argv.slice(2);
const cache = Number(cacheBytes) === 0 ? undefined : await openCache(Number(cacheBytes));
const start = performance.now();
const cpu = process.cpuUsage();
await Promise.all(snapshots.map(restoreOne));
const { user, system } = process.cpuUsage(cpu);
const { hitBytes = 0, missBytes = 0, storedBytes = 0 } = cache?.statistics ?? {};
const report: RunnerReport = {
  wallMs: Math.round(performance.now() - start),
  cpuMs: Math.round((user + system) / 1000),
  hitBytes,
  missBytes,
  storedBytes,
  usedBytes: cache?.ledger.used.bytes ?? 0,
};
await cache?.close();
rmSync(`${directory}/targets`, { recursive: true });
rmSync(`${directory}/cache`, { recursive: true, force: true });
process.send?.(report);
process.disconnect();

async function openCache(absoluteBytes: number): Promise<Cache> {
  mkdirSync(`${directory}/cache`);
  const settings = { directory: `${directory}/cache`, absoluteBytes, isRootDiskAllowed: true };
  // The volumes themselves may fill the disk up to the kubelet's line, and the cache would be none.
  return Cache.open({ ...settings, evictionLines: [] });
}

/** As a storage elsewhere is read: a directory would be read without the cache. */
async function restoreOne(snapshot: string): Promise<void> {
  const local = await openStorage(`file://${directory}/repository`);
  const storage = wrap(local, { localPath: undefined });
  await using repository = await openRepository({ storage, password: PASSWORD, cache });
  const target = `${directory}/targets/${snapshot}`;
  const { differences } = await restore(repository, { snapshot, target });
  if (differences.length > 0) throw new Error('the restored tree differs');
}

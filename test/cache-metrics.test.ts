// What a scrape of the agent says about the cache.

import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { Cache } from '#engine/index.ts';
import { Plan } from '#engine/cache/plan.ts';
import { blobKey } from '#engine/cache/blob-key.ts';
import {
  MIB,
  generatedStorage,
  packId,
  readPacks,
  through,
} from '#test/engine/cache/scratch-cache.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { CACHE_METRICS, registerCacheMetrics } from '#agent/cache-metrics.ts';
import { Registry } from '#agent/prometheus.ts';

/** Everything a label may say; more would be a leak or a flood. */
const LABELS: Readonly<Record<string, readonly string[]>> = {
  reason: [
    'absolute',
    'percentage',
    'emptyDir size',
    'memory',
    'file system',
    'nodefs.available',
    'imagefs.available',
    'nodefs.inodesFree',
    'imagefs.inodesFree',
  ],
  class: ['data', 'metadata', 'index', 'unused', 'bookkeeping', 'foreign'],
  cause: ['room', 'orphan', 'limit', 'damage', 'deleted'],
  code: ['EIO', 'ENOSPC', 'EDQUOT', 'EROFS', 'ENOENT', 'EACCES', 'other'],
};

async function scraped(t: Test) {
  const settings = { directory: fastDirectory(t), absoluteBytes: 8 * MIB, isRootDiskAllowed: true };
  const cache = await Cache.open(settings, { isWatching: false });
  t.teardown(() => cache.close());
  const registry = new Registry();
  registerCacheMetrics(registry, cache);
  const scrape = async (): Promise<Map<string, number>> => {
    const text = await registry.metrics();
    const lines = text.split('\n').filter(line => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
    );
  };
  return { cache, scrape };
}

t.test('a scrape gives the numbers of the cache', async t => {
  const { cache, scrape } = await scraped(t);
  const storage = through(cache, generatedStorage(MIB), { identity: 'a', name: 's3://secret/a/' });
  await readPacks(t, storage, { to: 3, bytes: 100_000 });
  await readPacks(t, storage, { to: 1, bytes: 100_000 });
  using _plan = cache.plans.begin(
    new Plan([{ key: blobKey('a', packId(1)), offset: 0, length: 100_000 }]),
  );
  const found = await scrape();
  const values = (name: string) => found.get(`stevedore_cache_${name}`);
  t.equal(values('available'), 1);
  t.equal(values('limit_bytes{reason="absolute"}'), 8 * MIB);
  t.equal(values('used_bytes{class="data"}'), 300_000);
  t.equal(values('hits_total'), 1);
  t.equal(values('hit_bytes_total'), 100_000);
  t.equal(values('misses_total'), 3);
  t.equal(values('miss_bytes_total'), 300_000);
  t.equal(values('stored_bytes_total'), 300_000);
  t.equal(values('pinned_bytes'), 100_000);
  t.equal(values('orphaned_bytes'), 0);
  t.ok((values('disk_free_bytes') ?? 0) > 0);
  t.equal(values('used_inodes'), cache.ledger.used.inodes);
  const classes = [...found].filter(([name]) => name.startsWith('stevedore_cache_used_bytes{'));
  t.equal(
    classes.reduce((sum, [, value]) => sum + value, 0),
    cache.ledger.used.bytes,
    'the classes are all that counts',
  );
});

t.test('counters do not fall, and count once however often they are scraped', async t => {
  const { cache, scrape } = await scraped(t);
  const storage = through(cache, generatedStorage(MIB));
  await readPacks(t, storage, { to: 20 });
  const first = await scrape();
  const second = await scrape();
  const evicted = 'stevedore_cache_evicted_bytes_total{cause="room"}';
  t.ok((first.get(evicted) ?? 0) > 8 * MIB);
  t.equal(second.get(evicted), first.get(evicted));
  await cache.change({ absoluteBytes: 2 * MIB });
  const third = await scrape();
  t.ok((third.get('stevedore_cache_evicted_bytes_total{cause="limit"}') ?? 0) > 0);
  t.equal(third.get('stevedore_cache_limit_bytes{reason="absolute"}'), 2 * MIB);
});

t.test('labels come from fixed lists, whatever happens, and never name a repository', async t => {
  const { cache, scrape } = await scraped(t);
  for (const name of ['s3://secret/a/', 's3://secret/b/']) {
    const storage = through(cache, generatedStorage(MIB), { identity: name, name });
    await readPacks(t, storage, { to: 12 });
  }
  await cache.forgetRepository('s3://secret/a/');
  for (const code of ['EIO', 'ENOSPC', 'ESTALE', 'EUNHEARDOF', 'EPERM']) {
    cache.diskFailed(Object.assign(new Error(code), { code }));
  }
  cache.diskFailed(new Error('without a code'));
  const found = await scrape();
  for (const name of found.keys()) {
    for (const [, label = '', value = ''] of name.matchAll(/[{,](\w+)="([^"]*)"/g)) {
      t.ok(LABELS[label]?.includes(value), `${label} is ${value}`);
    }
  }
  const series = Object.values(LABELS).reduce((sum, { length }) => sum + length, 0);
  t.ok(found.size <= series + LABELS.reason.length + CACHE_METRICS.length, `${found.size} series`);
  t.equal(found.get('stevedore_cache_available'), 0, 'and the directory was given up');
});

t.test('what is not known is absent, not nought', async t => {
  const { cache, scrape } = await scraped(t);
  const isLineKnown = cache.evictionLines !== undefined;
  const found = await scrape();
  t.equal(found.has('stevedore_cache_eviction_line_distance_bytes'), isLineKnown);
});

t.test('docs/metrics.md has a row for each, and for nothing else', async t => {
  const text = readFileSync(new URL('../docs/metrics.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `(stevedore_cache_\w+)(?:\{(\w+)\})?` \| (\w+) \|/gm)];
  t.strictSame(
    rows.map(([, name, label, kind]) => [name, label === undefined ? [] : [label], kind]),
    CACHE_METRICS.map(({ name, labels = [], kind }) => [name, [...labels], kind]),
  );
});

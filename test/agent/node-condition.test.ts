import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import t from 'tap';
import { nodeCondition } from '#agent/node-condition.ts';
import { MIB, scratchCache } from '#test/engine/cache/scratch-cache.ts';

t.test('a heartbeat has what the disk of the cache has free, limits, and what is used', async t => {
  const directory = t.testdir();
  // A kubelet would allow none on a disk that is as full as the one that this runs on may be.
  const settings = { directory, absoluteBytes: 16 * MIB, evictionLines: [], marginBytes: 0 };
  const { cache } = await scratchCache(t, settings);
  const condition = nodeCondition(cache, 512 * MIB);
  const { bavail, bsize, blocks } = statfsSync(directory);
  const { diskFreeBytes = -1 } = condition;
  // Others on the disk go on meanwhile.
  t.ok(Math.abs(diskFreeBytes - bavail * bsize) < 0.05 * blocks * bsize, `${diskFreeBytes}`);
  t.equal(condition.cache?.reservedBytes, 0);
  t.match(condition, { cache: { limitBytes: 16 * MIB }, memory: { limitBytes: 512 * MIB } });
  t.ok((condition.cache?.usedBytes ?? 0) > 0 && condition.memory.usedBytes > 20 * MIB);
});

t.test('a cache in memory says nothing of a disk, and none nothing at all', async t => {
  const directory = mkdtempSync('/dev/shm/condition-');
  t.teardown(() => rmSync(directory, { recursive: true }));
  const { cache } = await scratchCache(t, { directory, absoluteBytes: MIB });
  t.equal(nodeCondition(cache, undefined).diskFreeBytes, undefined);
  t.match(nodeCondition(undefined, undefined), {
    ...{ diskFreeBytes: undefined, cache: undefined },
    memory: { limitBytes: undefined },
  });
});

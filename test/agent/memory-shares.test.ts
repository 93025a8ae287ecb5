// A cache in memory and the repositories share what the control group allows.

import t from 'tap';
import { memoryShares } from '#agent/memory-shares.ts';
import { MEMORY_BYTES_MIN, MIB } from '#engine/base/memory-plan.ts';

type Asked = Partial<Parameters<typeof memoryShares>[0]>;

function sharesOf(asked: Asked, allowedMib: number, isCacheInMemory = true) {
  const all = { memory: undefined, cacheMemory: undefined, cacheLimit: undefined, ...asked };
  const shares = memoryShares(all, { allowedBytes: allowedMib * MIB, isCacheInMemory });
  return [shares.cacheBytes / MIB, shares.processBytes / MIB];
}

t.test('what a cache in memory may take is not there for repositories', async t => {
  t.strictSame(sharesOf({}, 1000), [250, 750], 'a quarter');
  t.strictSame(sharesOf({ cacheMemory: 400 * MIB }, 1000), [400, 600]);
  t.strictSame(sharesOf({ cacheLimit: { absoluteBytes: 100 * MIB } }, 1000), [100, 900]);
  t.strictSame(sharesOf({ cacheLimit: { share: 0.1 } }, 1000), [250, 750]);
});

t.test('a cache on a disk takes nothing of it', async t => {
  t.strictSame(sharesOf({ cacheMemory: 400 * MIB }, 1000, false)[1], 1000);
});

t.test('what the process was told to take it gets, and the cache what is left', async t => {
  t.strictSame(sharesOf({ memory: 700 * MIB }, 1000), [300, 700]);
  t.strictSame(sharesOf({ memory: 700 * MIB, cacheMemory: 500 * MIB }, 1000), [300, 700]);
  t.strictSame(sharesOf({ memory: 2000 * MIB }, 1000), [0, 2000]);
});

t.test('both together are never more than there is, unless that is too little', async t => {
  const least = MEMORY_BYTES_MIN / MIB;
  t.strictSame(sharesOf({ cacheMemory: 5000 * MIB }, 1000), [1000 - least, least]);
  t.strictSame(sharesOf({}, 200), [200 - least, least]);
  t.strictSame(sharesOf({}, 100), [0, least]);
});

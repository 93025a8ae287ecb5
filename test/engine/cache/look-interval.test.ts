import t from 'tap';
import { headroomBytes } from '#engine/cache/limit.ts';
import { lookIntervalMs } from '#engine/cache/look-interval.ts';

const GIB = 2 ** 30;
const quiet = { fallBytesPerSecond: 0, isFalling: false, cacheBytes: 1 };

t.test('the disk is looked at twice before a neighbour of 1 GB/s reaches the line', async t => {
  const rows: readonly (readonly [number, number])[] = [
    [100 * GIB, 1000],
    [1e9, 500],
    [2e8, 100],
    [4e7, 20],
    [0, 20],
  ];
  for (const [headroom, ms] of rows) {
    t.equal(lookIntervalMs({ ...quiet, headroomBytes: headroom }), ms, `${headroom} bytes`);
  }
});

t.test('a neighbour who is faster is looked after more often', async t => {
  const fast = { ...quiet, fallBytesPerSecond: 4e9, isFalling: true };
  t.equal(lookIntervalMs({ ...fast, headroomBytes: 4e8 }), 50);
  t.equal(lookIntervalMs({ ...fast, headroomBytes: 100 * GIB }), 100, 'and any who writes');
});

t.test('without anything to give back there is no hurry', async t => {
  t.equal(lookIntervalMs({ ...quiet, headroomBytes: 0, cacheBytes: 0 }), 1000);
});

t.test('the highest line counts, and none for a volume of its own', async t => {
  const inodes = { totalInodes: 0, freeInodes: 0, ownInodes: 0 };
  const disk = { ...inodes, totalBytes: 100, freeBytes: 40, ownBytes: 5, fallBytesPerSecond: 0 };
  const line = (share: number) => ({ signal: 'nodefs.available', threshold: { share } }) as const;
  t.equal(headroomBytes({ evictionLines: [line(0.1), line(0.15)] }, disk), 25);
  t.equal(headroomBytes({ evictionLines: [] }, disk), 40);
  t.equal(headroomBytes({ evictionLines: [line(0.5)] }, disk), 0);
});

import t from 'tap';
import { findHoles, holeEndAt, HOLES_MAX, type HoleSeeker } from '#engine/snapshot/source/holes.ts';

/** A file with data in the given ranges. */
function seekerOf(...data: readonly (readonly [start: number, end: number])[]): HoleSeeker {
  return {
    data: offset => {
      const range = data.find(([, end]) => end > offset);
      return range === undefined ? -1 : Math.max(range[0], offset);
    },
    hole: offset => data.find(([start, end]) => start <= offset && offset < end)?.[1] ?? offset,
  };
}

t.test('holes lie between data, before it and behind it', async t => {
  t.equal(findHoles(seekerOf([0, 100]), 100), undefined);
  t.match(findHoles(seekerOf([0, 100]), 150), { ranges: [100, 50], omittedCount: 0 });
  t.match(findHoles(seekerOf([10, 20], [30, 200]), 100), { ranges: [0, 10, 20, 10] });
  t.match(findHoles(seekerOf(), 2 ** 40), { ranges: [0, 2 ** 40] });
  t.equal(findHoles(seekerOf(), 0), undefined);
});

t.test('of too many holes the longest are kept, in order', async t => {
  const count = HOLES_MAX * 5;
  const data = Array.from({ length: count }, (_, index): [number, number] => {
    const hole = index % 5 === 3 ? 50 : 1;
    return [index * 100 + hole, (index + 1) * 100];
  });
  const byEnd = (offset: number) => data[Math.floor(offset / 100)];
  const seeker: HoleSeeker = {
    data: offset => Math.max(offset, byEnd(offset)[0]),
    hole: offset => (offset < byEnd(offset)[0] ? offset : byEnd(offset)[1]),
  };
  const holes = findHoles(seeker, count * 100);
  t.equal(holes?.ranges.length, 2 * HOLES_MAX);
  t.equal(holes?.omittedCount, count - HOLES_MAX);
  t.ok(
    holes?.ranges.every((value, index) => (index % 2 === 1 ? value === 50 : value % 500 === 300)),
  );
});

t.test('where a hole ends, or the next one begins', async t => {
  const ranges = [10, 5, 20, 1];
  const ends = [0, 9, 10, 14, 15, 19, 20, 21].map(at => holeEndAt(ranges, at));
  t.strictSame(ends, [-10, -10, 15, 15, -20, -20, 21, -Infinity]);
  t.equal(holeEndAt([], 5), -Infinity);
  t.equal(holeEndAt([0, 7], 0), 7);
});

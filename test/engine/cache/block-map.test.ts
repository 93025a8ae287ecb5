import t from 'tap';
import { BlockMap, type BlockRun } from '#engine/cache/block-map.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';

t.test('a map fills from its beginning', async t => {
  const map = new BlockMap(100);
  t.same(map.take(10), { start: 0, length: 10 });
  t.same(map.take(10), { start: 10, length: 10 });
  map.release({ start: 0, length: 10 });
  t.same(map.take(4), { start: 0, length: 4 });
});

t.test('where no run is long enough the longest is given', async t => {
  const map = new BlockMap(100);
  map.mark({ start: 30, length: 10 });
  map.mark({ start: 90, length: 10 });
  t.equal(map.longest, 50);
  t.same(map.take(60), { start: 40, length: 50 });
  t.same(map.take(60), { start: 0, length: 30 });
  t.equal(map.take(1), undefined);
  t.equal(map.longest, 0);
});

t.test('blocks that are taken or free already are a mistake', async t => {
  const map = new BlockMap(64);
  map.mark({ start: 5, length: 2 });
  t.throws(() => map.mark({ start: 6, length: 1 }), { code: 'INTERNAL' });
  t.throws(() => map.mark({ start: 63, length: 2 }), { code: 'INTERNAL' });
  t.throws(() => map.release({ start: 4, length: 2 }), { code: 'INTERNAL' });
});

t.test('a map agrees with a list of blocks', async t => {
  const seed = newSeed();
  t.comment(`STEVEDORE_TEST_SEED=${seed}`);
  const random = new SeededRandom(seed);
  for (let run = 0; run < 30; run++) {
    const count = 1 + random.below(300);
    const map = new BlockMap(count);
    const taken = new Array<boolean>(count).fill(false);
    const runs: BlockRun[] = [];
    for (let step = 0; step < 200; step++) {
      if (random.once(3) && runs.length > 0) {
        const [gone] = runs.splice(random.below(runs.length), 1);
        map.release(gone);
        taken.fill(false, gone.start, gone.start + gone.length);
      } else {
        const wanted = 1 + random.below(50);
        const expected = firstFit(taken, wanted);
        const got = map.take(wanted);
        t.same(got, expected, `take ${wanted}`);
        if (got === undefined) continue;
        runs.push(got);
        taken.fill(true, got.start, got.start + got.length);
      }
      if (map.free !== taken.filter(each => !each).length) t.fail('free blocks');
      if (map.longest !== (firstFit(taken, count + 1)?.length ?? 0)) t.fail('longest run');
    }
  }
});

function firstFit(taken: readonly boolean[], wanted: number): BlockRun | undefined {
  let best: BlockRun | undefined;
  for (let start = 0; start < taken.length; start++) {
    let length = 0;
    while (start + length < taken.length && !taken[start + length] && length < wanted) length++;
    if (length === wanted) return { start, length };
    if (length > (best?.length ?? 0)) best = { start, length };
    start += length;
  }
  return best;
}

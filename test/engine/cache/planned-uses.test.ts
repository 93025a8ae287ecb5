import t from 'tap';
import { NEVER, Plan, type PlannedRange, type PlannedWindow } from '#engine/cache/plan.ts';
import { PlannedUses } from '#engine/cache/planned-uses.ts';
import { StepSet } from '#engine/cache/step-set.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';

const MIB = 2 ** 20;
const ROUNDS = 300;

/** The first MiB of each of the packs that are named. */
function rangesOf(...packs: readonly number[]): PlannedRange[] {
  return packs.map(pack => ({ key: { a: pack, b: 0 }, offset: 0, length: MIB }));
}

function packsOf(windows: Iterable<PlannedWindow>): number[] {
  return [...windows].map(({ key }) => key.a);
}

t.test('what one restore reads stays planned by the others', async t => {
  const uses = new PlannedUses();
  const [one, other] = [new Plan(rangesOf(1, 2, 3)), new Plan(rangesOf(1, 2, 3))];
  uses.begin(one);
  uses.begin(other);
  const [first, second] = rangesOf(1, 2);
  uses.read(one, first);
  t.equal(uses.distance(first.key, 0), 0);
  uses.read(other, first);
  t.equal(uses.distance(first.key, 0), NEVER);
  uses.read(one, second);
  t.equal(uses.distance({ a: 3, b: 0 }, 0), 0, 'the nearest of both counts');
});

t.test('a window is planned until the last range that touches it was read', async t => {
  const uses = new PlannedUses();
  const key = { a: 1, b: 0 };
  const ranges = [0, 400_000].map(offset => ({ key, offset, length: 300_000 }));
  const plan = new Plan(ranges);
  uses.begin(plan);
  uses.read(plan, ranges[0]);
  t.equal(uses.distance(key, 0), 0);
  uses.read(plan, ranges[1]);
  t.equal(uses.distance(key, 0), NEVER);
});

t.test('what lies just before one restore and far behind another is the furthest', async t => {
  const uses = new PlannedUses();
  const packs = Array.from({ length: 100 }, (_, pack) => pack);
  const plans = [60, 50, 0].map(done => {
    const plan = new Plan(rangesOf(...packs));
    uses.begin(plan);
    for (const range of rangesOf(...packs.slice(0, done))) uses.read(plan, range);
    return plan;
  });
  t.equal(plans.length, 3);
  for (const pack of [10, 45, 55, 59]) uses.stored({ a: pack, b: 0 }, 0);
  t.same(packsOf(uses.fromTheEnd(() => true)), [45, 10, 59, 55]);
});

t.test('what was there when a plan began is its own, too', async t => {
  const uses = new PlannedUses();
  const early = uses.begin(new Plan(rangesOf(3)));
  uses.stored({ a: 3, b: 0 }, 0);
  uses.begin(new Plan(rangesOf(1, 2, 3)), key => key.a !== 1);
  early[Symbol.dispose]();
  t.same(packsOf(uses.fromTheEnd(() => true)), [3, 2]);
});

t.test('of a plan of more than fits, what nobody will read again is known', async t => {
  const uses = new PlannedUses();
  const [one, other] = [new Plan(rangesOf(1, 2)), new Plan(rangesOf(2, 3))];
  uses.begin(one);
  uses.begin(other);
  for (const range of rangesOf(1, 2)) {
    uses.read(one, range);
    uses.stored(range.key, 0);
  }
  t.same(packsOf(uses.spent(MIB, () => true)), [1]);
  t.same(packsOf(uses.spent(2 * MIB, () => true)), [], 'one that fits may be wanted again');
  uses.read(other, rangesOf(2)[0]);
  t.same(packsOf(uses.spent(MIB, () => true)).sort(), [1, 2]);
  t.same(packsOf(uses.spent(MIB, key => key.a === 2)), [2]);
  uses.begin(new Plan(rangesOf(2)));
  t.same(packsOf(uses.spent(MIB, () => true)), [], 'a restore that begins wants it');
  t.same(packsOf(uses.fromTheEnd(() => true)), [2]);
});

/** In the order in which they may go, by looking at all of them. */
function byDistance(uses: PlannedUses, there: ReadonlySet<number>): [number, number][] {
  return [...there]
    .map((pack): [number, number] => [pack, uses.distance({ a: pack, b: 0 }, 0)])
    .filter(([, distance]) => distance !== NEVER)
    .sort(([, a], [, b]) => b - a);
}

t.test('the furthest come first, whatever plans come, read and go', async t => {
  const seed = newSeed();
  t.comment(`STEVEDORE_TEST_SEED=${seed}`);
  const random = new SeededRandom(seed);
  const uses = new PlannedUses();
  const there = new Set<number>();
  const hasEntries = (key: PlannedWindow['key']): boolean => there.has(key.a);
  const running: { plan: Plan; left: PlannedRange[]; end: Disposable }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    if (running.length < 4 && random.once(5)) {
      const packs = Array.from({ length: 1 + random.below(80) }, () => random.below(90));
      const plan = new Plan(rangesOf(...packs));
      running.push({ plan, left: rangesOf(...packs), end: uses.begin(plan, hasEntries) });
    }
    for (const { plan, left } of running) {
      const [range] = left.splice(random.below(3), 1);
      if (range === undefined) continue;
      uses.read(plan, range);
      there.add(range.key.a);
      uses.stored(range.key, 0);
    }
    for (const pack of there) if (random.once(20)) there.delete(pack);
    const gone = running.findIndex(({ left }) => left.length === 0 || random.once(50));
    if (gone >= 0) for (const { end } of running.splice(gone, 1)) end[Symbol.dispose]();
    const expected = byDistance(uses, there);
    const found = [...uses.fromTheEnd(hasEntries)];
    t.same(
      found.map(({ distance }) => distance),
      expected.map(([, distance]) => distance),
    );
    t.same(packsOf(found).sort(), expected.map(([pack]) => pack).sort());
  }
});

t.test('a set of steps finds its greatest and its least', async t => {
  const seed = newSeed();
  t.comment(`STEVEDORE_TEST_SEED=${seed}`);
  const random = new SeededRandom(seed);
  const set = new StepSet(200);
  const known = new Set<number>();
  for (let round = 0; round < 2000; round++) {
    const [step, limit] = [random.below(200), random.below(201)];
    const isNews = random.once(2)
      ? set.add(step) === !known.has(step) && known.add(step).has(step)
      : set.delete(step) === known.delete(step);
    if (!isNews) t.fail(`${step} is known as it should be`);
    const [below, from] = [set.lastBelow(limit), set.firstFrom(limit)];
    if (below !== Math.max(-1, ...[...known].filter(each => each < limit))) t.fail(`${below}`);
    const least = Math.min(...[...known].filter(each => each >= limit));
    if (from !== (least === Number.POSITIVE_INFINITY ? -1 : least)) t.fail(`${from}`);
  }
  t.ok(known.size > 50);
});

import t from 'tap';
import {
  epochState,
  firstUncoveredEpoch,
  isEpochStateValid,
  isSettled,
  mayWriteByEpochState,
  selectIndexBlobs,
  wasIndexWriteTooSlow,
} from '#engine/format/epochs.ts';
import { newSeed, seededRandom } from '#test/support/seeded.ts';

const listing = (...ids: string[]) => ids.map(id => ({ id, bytes: 1, modifiedMs: 0 }));
const stateOf = (...ids: string[]) => epochState(listing(...ids));
const selected = (...ids: string[]) => selectIndexBlobs(stateOf(...ids)).map(blob => blob.id);

t.test('a new repository is in epoch 0', async t => {
  const state = stateOf();
  t.equal(state.writeEpoch, 0);
  t.equal(state.watermarkSeconds, undefined);
  t.same(selectIndexBlobs(state), []);
  t.same(selected('xn0_a-s1-c1', 'xn1_b-s2-c1', 'xn2_c-s3-c1'), ['xn0_a-s1-c1', 'xn1_b-s2-c1']);
});

t.test('the highest marker and the latest watermark count', async t => {
  const state = stateOf('xe2', 'xe10', 'xe9', 'xw5', 'xw1795169066', 'x-ours', 'xw');
  t.equal(state.writeEpoch, 10);
  t.equal(state.watermarkSeconds, 1795169066);
  t.ok(isSettled(state, 8));
  t.notOk(isSettled(state, 9));
});

t.test('epochs up to the one after the current are read', async t => {
  const blobs = ['xn0_a-s1-c1', 'xn1_b-s2-c1', 'xn2_c-s3-c1', 'xn3_d-s4-c1', 'xn4_e-s5-c1'];
  t.same(selected('xe2', ...blobs), blobs.slice(0, 4));
});

t.test('a settled epoch is read from its compaction and from what is left beside it', async t => {
  t.same(selected('xe2', 'xn0_a-s1-c1', 'xs0_b-s2-c1'), ['xs0_b-s2-c1', 'xn0_a-s1-c1']);
  t.same(selected('xe2', 'xs0_b-s2-c1', 'xs0_b-s3-c1'), ['xs0_b-s2-c1', 'xs0_b-s3-c1']);
  // Two epochs behind is settled, one is not: its compaction is not to be trusted yet.
  t.same(selected('xe2', 'xn1_a-s1-c1', 'xs1_b-s2-c1'), ['xn1_a-s1-c1']);
});

t.test('an incomplete compaction is not read', async t => {
  t.same(selected('xe2', 'xn0_a-s1-c1', 'xs0_b-s2-c2'), ['xn0_a-s1-c1']);
  t.same(selected('xe2', 'xs0_b-s2-c2', 'xs0_c-s2-c2'), ['xs0_b-s2-c2', 'xs0_c-s2-c2']);
  t.same(selected('xe2', 'xs0_b-s2-c2', 'xs0_c-s3-c2'), []);
  t.same(selected('xe2', 'xs0_b'), ['xs0_b']);
});

t.test('incomplete sets of writers are read all the same', async t => {
  t.same(selected('xn0_a-s1-c3'), ['xn0_a-s1-c3']);
});

t.test('a range replaces the epochs in it', async t => {
  const state = stateOf('xe6', 'xr0_3_r-s1-c1', 'xn2_a-s2-c1', 'xs2_b-s3-c1', 'xs4_c-s4-c1');
  t.equal(firstUncoveredEpoch(state), 4);
  t.same(
    selectIndexBlobs(state).map(blob => blob.id),
    ['xr0_3_r-s1-c1', 'xs4_c-s4-c1'],
  );
});

t.test('the chain of ranges that reaches farthest is read', async t => {
  const chain = ['xr0_2_a-s1-c1', 'xr3_5_b-s1-c1', 'xr6_8_c-s1-c1'];
  t.same(selected('xe11', ...chain), chain);
  t.same(selected('xe11', 'xr0_8_d-s1-c1', ...chain), ['xr0_8_d-s1-c1']);
  t.same(selected('xe11', 'xr0_4_d-s1-c1', ...chain), chain);
  t.same(selected('xe11', ...chain.slice(1)), []);
  t.same(selected('xe11', chain[0], chain[2]), [chain[0]]);
  t.same(selected('xe11', chain[0], 'xr3_5_b-s1-c2'), [chain[0]]);
  t.same(selected('xe11', 'xr5_3_x-s1-c1', 'xr4_4_y-s1-c1'), []);
});

t.test('the selection does not depend on the order of the listing', async t => {
  const ids = [
    ...['xe9', 'xe10', 'xe11', 'xr0_2_a-s1-c1', 'xr3_5_b-s1-c1', 'xr0_5_b-s1-c1', 'xr6_8_c-s9-c2'],
    ...[
      'xr6_8_d-s9-c2',
      'xs9_e-s1-c1',
      'xn9_f-s1-c1',
      'xn9_g-s2-c1',
      'xn10_h-s1-c1',
      'xn12_i-s1-c1',
    ],
  ];
  const expected = selected(...ids).sort();
  t.equal(expected.length, 8);
  const seed = newSeed();
  const random = seededRandom(seed);
  for (let round = 0; round < 50; round++) {
    const shuffled = ids.map(id => ({ id, at: random(2 ** 30) })).sort((a, b) => a.at - b.at);
    t.same(selected(...shuffled.map(({ id }) => id)).sort(), expected, `seed ${seed}`);
  }
});

t.test('an absurd marker is an error and not a loop', async t => {
  t.throws(() => selected('xe999999999999'), { code: 'LIMIT_EXCEEDED' });
});

t.test('a write begins with three quarters of the time left and ends within it', async t => {
  const frequency = 20n * 60_000_000_000n;
  const minute = 60_000;
  t.ok(mayWriteByEpochState(0, 5 * minute, frequency));
  t.notOk(mayWriteByEpochState(0, 5 * minute + 1, frequency));
  t.ok(isEpochStateValid(0, 20 * minute - 1, frequency));
  t.notOk(isEpochStateValid(0, 20 * minute, frequency));
});

t.test('a write that two epochs overtook is lost', async t => {
  t.notOk(wasIndexWriteTooSlow(3, 3));
  t.notOk(wasIndexWriteTooSlow(3, 4));
  t.ok(wasIndexWriteTooSlow(3, 5));
});

import t from 'tap';
import { PieceCursor } from '#engine/object/piece-cursor.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';

t.test('pieces are read as the one that they would be together', async t => {
  const seed = newSeed();
  const random = new SeededRandom(seed);
  for (let round = 0; round < 200; round++) {
    const pieces = Array.from({ length: random.below(6) }, () => random.bytes(random.below(5)));
    const whole = Buffer.concat(pieces);
    const cursor = new PieceCursor(pieces);
    t.equal(cursor.length, whole.length);
    for (let start = 0; start < whole.length;) {
      const length = 1 + random.below(whole.length - start);
      const target = new Uint8Array(length + 2).fill(0xff);
      cursor.peek(target, 1, length);
      const expected = Buffer.concat([whole.subarray(start, start + length)]);
      t.ok(expected.equals(target.subarray(1, -1)), `STEVEDORE_TEST_SEED=${seed}`);
      t.strictSame([target[0], target.at(-1)], [0xff, 0xff], 'and nothing else is written');
      const step = 1 + random.below(length);
      cursor.advance(step);
      start += step;
    }
  }
});

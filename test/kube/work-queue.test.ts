import t, { type Test } from 'tap';
import { WorkQueue } from '#kube/work-queue.ts';
import { ManualClock, settle } from './manual-clock.ts';

function start(test: Test) {
  const clock = new ManualClock();
  const queue = new WorkQueue({ onReady: () => undefined, clock, random: () => 0 });
  test.teardown(() => queue.close());
  const takeAll = () => {
    const keys: string[] = [];
    for (let key = queue.take(); key !== undefined; key = queue.take()) {
      keys.push(key);
      queue.done(key);
    }
    return keys;
  };
  return { clock, queue, takeAll };
}

t.test('a key stands in the queue once, in the order of its first coming', async t => {
  const { queue, takeAll } = start(t);
  for (const key of ['b', 'a', 'b']) queue.add(key);
  t.equal(queue.depth, 2);
  t.strictSame(takeAll(), ['b', 'a']);
});

t.test('a key that comes while it is looked at is looked at again, but not before', async t => {
  const { queue } = start(t);
  queue.add('a');
  t.equal(queue.take(), 'a');
  queue.add('a');
  queue.add('a');
  t.equal(queue.take(), undefined);
  queue.done('a');
  t.equal(queue.take(), 'a');
  queue.done('a');
  t.equal(queue.take(), undefined);
});

t.test('delayed keys come when they are due, the earliest first', async t => {
  const { clock, queue, takeAll } = start(t);
  queue.addAfter('late', 2000);
  queue.addAfter('early', 1000);
  queue.addAfter('late', 3000);
  await settle();
  t.equal(clock.sleeperCount, 1, 'one alarm for all');
  await clock.pass(999);
  t.strictSame(takeAll(), []);
  await clock.pass(1);
  t.strictSame(takeAll(), ['early']);
  await clock.pass(1000);
  t.strictSame(takeAll(), ['late']);
  t.equal(queue.delayedCount, 0);
});

t.test('what is taken is not planned any more', async t => {
  const { clock, queue, takeAll } = start(t);
  queue.addAfter('a', 1000);
  queue.add('a');
  t.strictSame(takeAll(), ['a']);
  await clock.pass(2000);
  t.strictSame(takeAll(), []);
});

t.test('each failure of a key doubles its pause, up to a minute', async t => {
  const { clock, queue, takeAll } = start(t);
  const pauses: number[] = [];
  for (let i = 0; i < 15; i++) {
    queue.addFailed('a');
    pauses.push(clock.nextMs);
    await clock.pass(clock.nextMs);
    takeAll();
  }
  t.strictSame(pauses.slice(0, 4), [10, 20, 40, 80]);
  t.equal(pauses.at(-1), 30_000);
  queue.forget('a');
  queue.addFailed('a');
  t.equal(clock.nextMs, 10);
});

t.test('a closed queue has no alarm and takes nothing in', async t => {
  const { clock, queue, takeAll } = start(t);
  queue.addAfter('a', 1000);
  queue.close();
  queue.add('b');
  queue.addAfter('c', 1);
  await settle();
  t.equal(clock.sleeperCount, 0);
  t.strictSame(takeAll(), []);
});

t.test('more keys than there can be objects are refused', async t => {
  const { queue } = start(t);
  for (let i = 0; i < 200_000; i++) queue.add(`k${i}`);
  t.throws(() => queue.add('one more'), { code: 'LIMIT_EXCEEDED' });
  queue.add('k0');
});

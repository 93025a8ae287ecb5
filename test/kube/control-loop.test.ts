import t, { type Test } from 'tap';
import { EngineError } from '#engine/base/errors.ts';
import { ControlLoop, type ControlLoopParts } from '#kube/control-loop.ts';
import { ManualClock, settle } from './manual-clock.ts';

function start(test: Test, reconcile: ControlLoopParts['reconcile'], workers?: number) {
  const clock = new ManualClock();
  const errors: string[] = [];
  const onError = (key: string, error: unknown) => errors.push(`${key}: ${String(error)}`);
  const loop = new ControlLoop({ reconcile, onError, clock, workers, random: () => 0 });
  test.teardown(() => loop.stop());
  return { clock, loop, errors };
}

t.test('what throws is told and looked at again, later each time', async t => {
  let calls = 0;
  const { clock, loop, errors } = start(t, async () => {
    if (++calls < 3) throw new Error(`number ${calls}`);
  });
  loop.enqueue('a');
  await settle();
  await clock.pass(10);
  t.equal(calls, 2);
  await clock.pass(19);
  t.equal(calls, 2);
  await clock.pass(1);
  t.equal(calls, 3);
  t.strictSame(errors, ['a: Error: number 1', 'a: Error: number 2']);
  t.equal(clock.sleeperCount, 0);
});

t.test('a conflict is looked at again without a word', async t => {
  let calls = 0;
  const { clock, loop, errors } = start(t, async () => {
    if (++calls === 1) throw new EngineError('KUBE_CONFLICT', 'somebody was faster');
  });
  loop.enqueue('a');
  await settle();
  await clock.pass(10);
  t.equal(calls, 2);
  t.strictSame(errors, []);
});

t.test('what asks for it is looked at again', async t => {
  let calls = 0;
  const { clock, loop } = start(t, async () => (++calls === 1 ? { requeueAfterMs: 5000 } : {}));
  loop.enqueue('a');
  await settle();
  await clock.pass(4999);
  t.equal(calls, 1);
  await clock.pass(1);
  t.equal(calls, 2);
});

t.test('some keys are looked at at once, and none twice at once', async t => {
  const underWork = new Map<string, number>();
  const release: (() => void)[] = [];
  let keysMax = 0;
  const { loop } = start(
    t,
    async key => {
      underWork.set(key, (underWork.get(key) ?? 0) + 1);
      t.equal(underWork.get(key), 1);
      keysMax = Math.max(keysMax, [...underWork.values()].filter(count => count > 0).length);
      await new Promise<void>(resolve => release.push(resolve));
      underWork.set(key, 0);
    },
    2,
  );
  for (const key of ['a', 'b', 'c', 'a']) loop.enqueue(key);
  await settle();
  loop.enqueue('a');
  t.equal(loop.busyCount, 2);
  while (release.length > 0) {
    release.pop()?.();
    await settle();
  }
  t.equal(keysMax, 2);
  t.equal(loop.depth, 0);
});

t.test('a reconciler never runs while a key is being enqueued', async t => {
  let calls = 0;
  const { loop } = start(t, async () => void calls++);
  loop.enqueue('a');
  t.equal(calls, 0);
  await settle();
  t.equal(calls, 1);
});

t.test('stopping aborts what runs, waits for it and begins nothing', async t => {
  const seen: string[] = [];
  const { loop, clock, errors } = start(
    t,
    async (key, signal) => {
      seen.push(key);
      await clock.sleep(1000, signal);
    },
    1,
  );
  loop.enqueue('a');
  loop.enqueue('b');
  await settle();
  await loop.stop();
  loop.enqueue('c');
  await settle();
  t.strictSame(seen, ['a']);
  t.strictSame(errors, []);
  t.equal(clock.sleeperCount, 0);
});

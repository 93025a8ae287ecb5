import t, { type Test } from 'tap';
import { WorkerPool } from '#engine/workers/pool.ts';
import type { PoolTestTasks } from './pool-thread.ts';

type Pool = WorkerPool<PoolTestTasks>;
const entry = new URL('./pool-thread.ts', import.meta.url);

function newPool(t: Test, size = 2): { pool: Pool; seeded: number[] } {
  const seeded: number[] = [];
  const seed = (workerIndex: number) => {
    seeded.push(workerIndex);
    return { data: { name: `worker ${workerIndex}` } };
  };
  const pool: Pool = new WorkerPool({ entry, size, seed });
  t.teardown(() => pool.close());
  return { pool, seeded };
}

/** Something to wait for in a thread, and a way to end the wait. */
function gate(): { word: SharedArrayBuffer; open: () => void } {
  const word = new SharedArrayBuffer(4);
  const view = new Int32Array(word);
  return {
    word,
    open: () => {
      Atomics.store(view, 0, 1);
      Atomics.notify(view, 0);
    },
  };
}

t.test('threads are started one by one, when the others are busy', async t => {
  const { pool, seeded } = newPool(t);
  t.strictSame(seeded, []);
  await pool.run('whoAmI', undefined);
  await pool.run('whoAmI', undefined);
  t.strictSame(seeded, [0], 'an idle thread is taken first');
  const { word, open } = gate();
  const busy = pool.run('waitFor', { word });
  const { seed } = await pool.run('whoAmI', undefined);
  t.strictSame(seed, { name: 'worker 1' });
  open();
  await busy;
});

t.test('a brief task is no reason to start a thread, until it has waited', async t => {
  const { pool, seeded } = newPool(t);
  const brief = { isBrief: true };
  await Promise.all(Array.from({ length: 20 }, () => pool.run('whoAmI', undefined, brief)));
  t.strictSame(seeded, [0]);
  const { word, open } = gate();
  const busy = [pool.run('waitFor', { word }, brief), pool.run('waitFor', { word }, brief)];
  t.strictSame(seeded, [0], 'a thread has one task in hand and one ready');
  const { seed } = await pool.run('whoAmI', undefined, brief);
  t.strictSame(seed, { name: 'worker 1' });
  open();
  await Promise.all(busy);
});

t.test('brief tasks that turn out not to be have a second thread', async t => {
  const { pool, seeded } = newPool(t);
  const tasks = Array.from({ length: 40 }, () => pool.run('last', 25, { isBrief: true }));
  await Promise.all(tasks);
  t.strictSame(seeded, [0, 1], 'each answered sooner than a task is waited for');
});

t.test('a task waits with us when every thread has one in hand and one ready', async t => {
  const { pool } = newPool(t, 1);
  const { word, open } = gate();
  const order: string[] = [];
  const note = (name: string) => () => void order.push(name);
  const tasks = ['a', 'b', 'c', 'd'].map(name => pool.run('waitFor', { word }).then(note(name)));
  open();
  await Promise.all(tasks);
  t.strictSame(order, ['a', 'b', 'c', 'd']);
});

t.test('an asynchronous task lets others in', async t => {
  const { pool } = newPool(t, 1);
  const { word, open } = gate();
  const waiting = pool.run('waitGently', { word });
  await pool.run('whoAmI', undefined);
  open();
  await waiting;
});

t.test('a task can name its thread', async t => {
  const { pool, seeded } = newPool(t, 3);
  const first = await pool.run('whoAmI', undefined, { workerIndex: 2 });
  const second = await pool.run('whoAmI', undefined, { workerIndex: 2 });
  t.equal(first.threadId, second.threadId);
  t.strictSame(seeded, [2]);
});

t.test('a broadcast reaches the threads that have been started', async t => {
  const { pool } = newPool(t, 3);
  t.strictSame(await pool.broadcast('whoAmI', undefined), []);
  await pool.run('whoAmI', undefined, { workerIndex: 0 });
  await pool.run('whoAmI', undefined, { workerIndex: 2 });
  const answers = await pool.broadcast('whoAmI', undefined);
  t.match(answers, [{ seed: { name: 'worker 0' } }, { seed: { name: 'worker 2' } }]);
});

t.test('errors keep their code, and the thread goes on', async t => {
  const { pool } = newPool(t, 1);
  await t.rejects(pool.run('fail', { isOurs: true }), {
    code: 'PACK_DAMAGED',
    message: 'as asked',
    details: { packId: 'p1' },
  });
  await t.rejects(pool.run('fail', { isOurs: false }), { code: 'INTERNAL', message: 'as asked' });
  await t.rejects(pool.run('uncloneable', undefined), { code: 'INTERNAL' });
  t.match(await pool.run('whoAmI', undefined), { seed: { name: 'worker 0' } });
});

t.test('a kind of task that nobody handles is an error', async t => {
  const { pool } = newPool(t, 1);
  // Only a mistake of ours brings this about, so the types do not allow it.
  const unknown = 'nothing' as unknown as 'whoAmI';
  await t.rejects(pool.run(unknown, undefined), { code: 'INTERNAL' });
});

t.test('buffers move and are not copied', async t => {
  const { pool } = newPool(t, 1);
  const bytes = new Uint8Array(new ArrayBuffer(100)).fill(7);
  const back = await pool.run('giveBack', bytes, { transfer: [bytes.buffer] });
  t.equal(bytes.length, 0);
  t.strictSame(back, new Uint8Array(100).fill(7));
});

t.test('an input that cannot be posted fails its task alone', async t => {
  const { pool } = newPool(t, 1);
  const moved = new Uint8Array(new ArrayBuffer(8));
  structuredClone(moved, { transfer: [moved.buffer] });
  await t.rejects(pool.run('giveBack', moved, { transfer: [moved.buffer] }), {
    name: 'DataCloneError',
  });
  t.match(await pool.run('whoAmI', undefined), { seed: { name: 'worker 0' } });
});

t.test('the death of a thread rejects everything, now and later', async t => {
  const { pool, seeded } = newPool(t, 2);
  const { word } = gate();
  const died = { code: 'WORKER_DIED' };
  const rejected = [
    t.rejects(pool.run('exit', 7), { ...died, message: /status 7/ }),
    t.rejects(pool.run('waitFor', { word }), died, 'running in the other thread'),
    ...[1, 2, 3, 4].map(() => t.rejects(pool.run('whoAmI', undefined), died, 'queued')),
  ];
  await Promise.all(rejected);
  await t.rejects(pool.run('whoAmI', undefined), died);
  await t.rejects(pool.run('whoAmI', undefined, { workerIndex: 1 }), died);
  await t.rejects(pool.broadcast('whoAmI', undefined), died);
  t.strictSame(seeded, [0, 1]);
});

t.test('an error outside of any task is a death', async t => {
  const { pool } = newPool(t, 1);
  const { word } = gate();
  await pool.run('crash', undefined).catch(() => undefined);
  await t.rejects(pool.run('waitGently', { word }), {
    code: 'WORKER_DIED',
    message: /outside of any task/,
  });
});

t.test('close ends threads that are in the middle of something, and is harmless twice', async t => {
  const { pool, seeded } = newPool(t, 1);
  const { word } = gate();
  const waiting = t.rejects(pool.run('waitFor', { word }), { code: 'ABORTED' });
  const queued = t.rejects(pool.run('whoAmI', undefined), { code: 'ABORTED' });
  await pool.close();
  await Promise.all([waiting, queued]);
  await pool.close();
  await t.rejects(pool.run('whoAmI', undefined, { workerIndex: 0 }), { code: 'ABORTED' });
  t.strictSame(seeded, [0], 'no thread is started any more');
});

t.test('what native code holds for a thread is freed when the pool is closed', async t => {
  const { pool } = newPool(t);
  const word = new SharedArrayBuffer(4);
  await Promise.all([pool.run('hold', { word }), pool.run('hold', { word })]);
  await pool.close();
  t.equal(new Int32Array(word)[0], 2);
});

t.test('closing does not wait for a thread that is busy, nor for one that is gone', async t => {
  const { pool } = newPool(t);
  const { word } = gate();
  const busy = pool.run('waitFor', { word });
  await t.rejects(pool.run('exit', 3), { code: 'WORKER_DIED' });
  await t.rejects(busy, { code: 'WORKER_DIED' });
  const startedMs = performance.now();
  await pool.close();
  t.ok(performance.now() - startedMs < 1000);
});

t.test('a pool that is told to hold back uses fewer threads, and never none', async t => {
  const { pool } = newPool(t);
  const { word, open } = gate();
  const first = pool.run('waitFor', { word });
  const second = pool.run('waitFor', { word });
  pool.limitBusy(0.25);
  const third = pool.run('whoAmI', undefined);
  open();
  const threads = [await first, await second, (await third).threadId];
  t.equal(threads[2], threads[0], 'the second thread got nothing more');
  const gateAgain = gate();
  pool.limitBusy(2);
  const again = [0, 1].map(() => pool.run('waitFor', { word: gateAgain.word }));
  gateAgain.open();
  t.equal(new Set(await Promise.all(again)).size, 2, 'until it may');
});

import { execFileSync } from 'node:child_process';
import t from 'tap';
import { WorkerPool } from '#engine/workers/pool.ts';
import { WaitingThread } from '#engine/workers/thread.ts';
import type { PoolTestTasks } from './pool-thread.ts';

const entry = new URL('./pool-thread.ts', import.meta.url);
const TIMEOUT_MS = 20_000;

t.test('a thread that waits becomes the first of a pool', async t => {
  const waiting = WaitingThread.begin(entry);
  const seed = (workerIndex: number) => ({ data: `worker ${workerIndex}` });
  const pool = new WorkerPool<PoolTestTasks>({ entry, size: 2, seed, waiting });
  t.teardown(() => pool.close());
  t.match(await pool.run('whoAmI', undefined, { workerIndex: 0 }), { seed: 'worker 0' });
  t.equal(waiting.take(), undefined, 'it is not there any more');
  t.match(await pool.run('whoAmI', undefined, { workerIndex: 1 }), { seed: 'worker 1' });
});

t.test('a thread does what it is told to until it is told what it is for', async t => {
  const waiting = WaitingThread.begin(entry);
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  waiting.onceReady(resolve);
  waiting.send('before it is ready');
  await ready;
  waiting.onceReady(() => t.pass('it has said so'));
  waiting.send({ and: 'afterwards' });
  const pool = new WorkerPool<PoolTestTasks>({
    entry,
    size: 1,
    seed: () => ({ data: 1 }),
    waiting,
  });
  t.teardown(() => pool.close());
  waiting.send('too early for nothing');
  const { errands, seed } = await pool.run('whoAmI', undefined);
  t.strictSame(
    { errands, seed },
    {
      errands: ['before it is ready', { and: 'afterwards' }, 'too early for nothing'],
      seed: 1,
    },
  );
  waiting.send('too late');
  t.match(await pool.run('whoAmI', undefined), { errands });
});

/** A program that does this and nothing else; throws when it fails or does not end. */
function run(code: string): string {
  const module = JSON.stringify(import.meta.resolve('#engine/workers/thread.ts'));
  const program = `import { WaitingThread } from ${module};\n${code}`;
  const words = ['--input-type=module', '--eval', program];
  return execFileSync(process.execPath, words, { encoding: 'utf8', timeout: TIMEOUT_MS });
}

t.test('a thread that nobody takes does not keep a program running', async t => {
  const text = run(`
    const waiting = WaitingThread.begin(new URL(${JSON.stringify(entry.href)}));
    waiting.close();
    console.log(waiting.take());`);
  t.equal(text, 'undefined\n');
});

t.test('a thread that cannot start is not handed out and ends nothing', async t => {
  const text = run(`
    const waiting = WaitingThread.begin(new URL('file:///no/such/module.js'));
    process.on('exit', () => console.log(waiting.take()));`);
  t.equal(text, 'undefined\n');
});

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import t, { type Test } from 'tap';
import { isNativeAvailable } from '#engine/base/native.ts';
import { startThread } from '#engine/workers/thread.ts';
import { HAS_BEGUN, HAS_ENDED_ITSELF, IS_MADE, WORDS_BYTES } from './binding-words.ts';

const entry = new URL('./binding-thread.ts', import.meta.url);
const TIMEOUT_MS = 20_000;
const BOUND_MS = 5000;
/** Of 20 programs that ended thread after thread without the lock, none outlived ten of them. */
const THREADS = 2;
const ROUNDS = 5;

/** A program with `begin()`, which resolves when all threads of a pool define functions. */
function run(code: string): { status: number | null; stdout: string; stderr: string } {
  const module = JSON.stringify(import.meta.resolve('#engine/workers/pool.ts'));
  const program = `
    import { WorkerPool } from ${module};
    const entry = new URL(${JSON.stringify(entry.href)});
    async function begin() {
      const seed = () => ({ data: undefined });
      const pool = new WorkerPool({ entry, size: ${THREADS}, seed });
      for (let workerIndex = 0; workerIndex < ${THREADS}; workerIndex++) {
        const shared = new SharedArrayBuffer(${WORDS_BYTES});
        pool.run('define', shared, { workerIndex }).catch(() => undefined);
        await Atomics.waitAsync(new Int32Array(shared), ${HAS_BEGUN}, 0).value;
      }
      return pool;
    }
    ${code}`;
  const words = ['--input-type=module', '--eval', program];
  return spawnSync(process.execPath, words, { encoding: 'utf8', timeout: TIMEOUT_MS });
}

const native = { skip: !isNativeAvailable() && 'there are no native functions here' };

t.test('a process lives through the end of threads that define native functions', native, t => {
  const { status, stdout, stderr } = run(`
    for (let round = 0; round < ${ROUNDS}; round++) await (await begin()).close();
    console.log('alive');`);
  t.strictSame({ status, stdout, stderr }, { status: 0, stdout: 'alive\n', stderr: '' });
  t.end();
});

t.test('a process that exits while a thread defines them has its own status', native, t => {
  const { status, stderr } = run(`
    await begin();
    process.exit(7);`);
  t.strictSame({ status, stderr }, { status: 7, stderr: '' });
  t.end();
});

interface SlowDefinition {
  readonly thread: Worker;
  readonly words: Int32Array;
  readonly make: () => void;
}

/** A thread that is in a definition until that is made. */
async function defineSlowly(t: Test): Promise<SlowDefinition> {
  const thread = startThread(entry);
  const words = new Int32Array(new SharedArrayBuffer(WORDS_BYTES));
  const make = (): void => {
    Atomics.store(words, IS_MADE, 1);
    Atomics.notify(words, IS_MADE);
  };
  t.teardown(make);
  // The seed and a task, as a pool sends them.
  thread.postMessage(undefined);
  thread.postMessage({ id: 0, kind: 'defineSlowly', input: words.buffer });
  await Atomics.waitAsync(words, HAS_BEGUN, 0).value;
  return { thread, words, make };
}

t.test('a thread in a definition ends when that is made', async t => {
  const { thread, words, make } = await defineSlowly(t);
  const ended = thread.terminate();
  t.equal(words[HAS_ENDED_ITSELF], 0);
  make();
  await ended;
  t.equal(words[HAS_ENDED_ITSELF], 1);
});

t.test('a definition is not waited for without end, and ends its thread later', async t => {
  const { thread, words, make } = await defineSlowly(t);
  const startedMs = performance.now();
  await thread.terminate();
  t.ok(performance.now() - startedMs < BOUND_MS);
  t.equal(words[HAS_ENDED_ITSELF], 0, 'it was left where it is');
  thread.ref();
  const ended = once(thread, 'exit');
  make();
  await ended;
  t.equal(words[HAS_ENDED_ITSELF], 1);
});

import t from 'tap';
import { EngineError } from '#engine/base/errors.ts';
import { mapBounded } from '#engine/base/map-bounded.ts';

/** Calls that end when they are told to, in any order. */
class Calls {
  readonly started: number[] = [];
  readonly signals: AbortSignal[] = [];
  readonly #ends = new Map<number, PromiseWithResolvers<string>>();

  readonly work = (item: number, signal: AbortSignal): Promise<string> => {
    this.started.push(item);
    this.signals.push(signal);
    const end = Promise.withResolvers<string>();
    this.#ends.set(item, end);
    return end.promise;
  };

  async end(item: number): Promise<void> {
    this.#ends.get(item)?.resolve(`done ${item}`);
    await turn();
  }

  async fail(item: number, error: unknown): Promise<void> {
    this.#ends.get(item)?.reject(error);
    await turn();
  }
}

const turn = () => new Promise<void>(resolve => setImmediate(resolve));

t.test('results come in the order of the items, whatever ends first', async t => {
  const calls = new Calls();
  const mapped = mapBounded([1, 2, 3], { parallelism: 3 }, calls.work);
  await turn();
  for (const item of [3, 1, 2]) await calls.end(item);
  t.strictSame(await mapped, ['done 1', 'done 2', 'done 3']);
});

t.test('no more calls run at once than allowed', async t => {
  const calls = new Calls();
  const mapped = mapBounded([1, 2, 3, 4], { parallelism: 2 }, calls.work);
  await turn();
  t.strictSame(calls.started, [1, 2]);
  await calls.end(2);
  t.strictSame(calls.started, [1, 2, 3]);
  for (const item of [1, 3, 4]) await calls.end(item);
  t.equal((await mapped).length, 4);
});

t.test('asynchronous items are taken as room becomes free', async t => {
  let taken = 0;
  async function* items(): AsyncGenerator<number> {
    for (let item = 1; item <= 5; item++) {
      taken = item;
      yield item;
    }
  }
  const calls = new Calls();
  const mapped = mapBounded(items(), { parallelism: 2 }, calls.work);
  await turn();
  t.equal(taken, 2);
  for (const item of [1, 2, 3, 4, 5]) await calls.end(item);
  t.strictSame(await mapped, ['done 1', 'done 2', 'done 3', 'done 4', 'done 5']);
});

t.test('the first failure aborts the others and is thrown when they have ended', async t => {
  const calls = new Calls();
  const failure = new EngineError('STORAGE_FULL', 'no room');
  let isSettled = false;
  const mapped = mapBounded([1, 2, 3], { parallelism: 2 }, calls.work);
  mapped.catch(() => (isSettled = true));
  await turn();
  await calls.fail(1, failure);
  t.ok(calls.signals[1].aborted);
  t.notOk(isSettled, 'the second call is still running');
  await calls.fail(2, new Error('a consequence'));
  await t.rejects(mapped, failure);
  t.strictSame(calls.started, [1, 2], 'nothing was started after the failure');
});

t.test('the source of the items is told when nobody wants more', async t => {
  let isClosed = false;
  function* items(): Generator<number> {
    try {
      for (;;) yield 1;
    } finally {
      isClosed = true;
    }
  }
  const failing = async () => Promise.reject(new Error('failed'));
  await t.rejects(mapBounded(items(), { parallelism: 2 }, failing), { message: 'failed' });
  t.ok(isClosed);
});

t.test('a failure of the source is thrown', async t => {
  async function* items(): AsyncGenerator<number> {
    yield 1;
    throw new Error('listing failed');
  }
  const mapped = mapBounded(items(), { parallelism: 2 }, async item => item);
  await t.rejects(mapped, { message: 'listing failed' });
});

t.test('an abort starts nothing more', async t => {
  const abort = new AbortController();
  const calls = new Calls();
  const mapped = mapBounded([1, 2], { parallelism: 1, signal: abort.signal }, calls.work);
  await turn();
  abort.abort();
  t.ok(calls.signals[0].aborted);
  const rejected = t.rejects(mapped, { code: 'ABORTED' });
  await calls.end(1);
  await rejected;
  t.strictSame(calls.started, [1]);
});

t.test('what was aborted before is not begun', async t => {
  const calls = new Calls();
  const signal = AbortSignal.abort();
  await t.rejects(mapBounded([1], { parallelism: 1, signal }, calls.work), { code: 'ABORTED' });
  t.strictSame(calls.started, []);
});

t.test('no items give no results', async t => {
  t.strictSame(await mapBounded([], { parallelism: 4 }, async () => 1), []);
});

import t from 'tap';
import { mapAhead } from '#engine/base/map-ahead.ts';

const turn = () => new Promise<void>(resolve => setImmediate(resolve));

/** Work that notes what was started and which signals fired. */
function recorder() {
  const started: number[] = [];
  const aborted: number[] = [];
  const waiting = async (item: number, signal: AbortSignal): Promise<number> => {
    started.push(item);
    const { promise, reject } = Promise.withResolvers<number>();
    signal.addEventListener('abort', () => {
      aborted.push(item);
      reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    });
    return promise;
  };
  return { started, aborted, waiting };
}

t.test('results come in order though later calls end first', async t => {
  const ends = [1, 2, 3].map(() => Promise.withResolvers<string>());
  const mapped = mapAhead([0, 1, 2], { ahead: 3 }, item => ends[item].promise);
  ends[2].resolve('c');
  ends[1].resolve('b');
  ends[0].resolve('a');
  t.strictSame(await Array.fromAsync(mapped), ['a', 'b', 'c']);
});

t.test('at most so many calls run ahead of the consumer', async t => {
  const started: number[] = [];
  const work = async (item: number) => {
    started.push(item);
    return item;
  };
  const mapped = mapAhead([1, 2, 3, 4, 5], { ahead: 2 }, work);
  await turn();
  t.strictSame(started, [], 'nothing before somebody asks');
  t.strictSame(await mapped.next(), { done: false, value: 1 });
  await turn();
  t.strictSame(started, [1, 2]);
  t.strictSame(await mapped.next(), { done: false, value: 2 });
  t.strictSame(started, [1, 2, 3]);
  t.strictSame(await Array.fromAsync(mapped), [3, 4, 5]);
});

t.test('a consumer that stops early ends the calls under way', async t => {
  const { started, aborted, waiting } = recorder();
  const work = (item: number, signal: AbortSignal) =>
    item === 1 ? Promise.resolve(1) : waiting(item, signal);
  for await (const result of mapAhead([1, 2, 3, 4], { ahead: 3 }, work)) {
    t.equal(result, 1);
    break;
  }
  t.strictSame(started, [2, 3]);
  t.strictSame(aborted, [2, 3]);
});

t.test('a failure is thrown when its turn comes, and ends the others', async t => {
  const { aborted, waiting } = recorder();
  const work = (item: number, signal: AbortSignal) => {
    if (item === 1) return Promise.resolve(1);
    return item === 2 ? Promise.reject(new Error('second')) : waiting(item, signal);
  };
  const mapped = mapAhead([1, 2, 3], { ahead: 3 }, work);
  t.strictSame(await mapped.next(), { done: false, value: 1 });
  await t.rejects(mapped.next(), { message: 'second' });
  t.strictSame(aborted, [3]);
});

t.test('a failure that nobody comes to see is not unhandled', async t => {
  const work = (item: number) =>
    item === 1 ? Promise.resolve(1) : Promise.reject(new Error('unseen'));
  const mapped = mapAhead([1, 2], { ahead: 2 }, work);
  await mapped.next();
  await turn();
  await mapped.return();
  t.pass('the process is still alive');
});

t.test('an abort reaches the calls and the consumer', async t => {
  const abort = new AbortController();
  const { aborted, waiting } = recorder();
  const mapped = mapAhead([1, 2], { ahead: 2, signal: abort.signal }, waiting);
  const next = mapped.next();
  await turn();
  abort.abort(new Error('enough'));
  await t.rejects(next, { message: 'enough' });
  t.strictSame(aborted, [1, 2]);
});

t.test('what was aborted before starts nothing', async t => {
  const { started, waiting } = recorder();
  const mapped = mapAhead([1], { ahead: 2, signal: AbortSignal.abort() }, waiting);
  await t.rejects(mapped.next(), { code: 'ABORTED' });
  t.strictSame(started, []);
});

t.test('a failure of the source ends the calls under way', async t => {
  const { aborted, waiting } = recorder();
  async function* items(): AsyncGenerator<number> {
    yield 1;
    throw new Error('listing failed');
  }
  const mapped = mapAhead(items(), { ahead: 3 }, waiting);
  await t.rejects(mapped.next(), { message: 'listing failed' });
  t.strictSame(aborted, [1]);
});

t.test('calls that run ahead have no more bytes together than allowed, save one alone', async t => {
  const started: number[] = [];
  const work = async (bytes: number) => {
    started.push(bytes);
    return bytes;
  };
  const limits = { ahead: 10, bytesMax: 10, bytesOf: (bytes: number) => bytes };
  const mapped = mapAhead([4, 6, 1, 50, 2], limits, work);
  t.match(await mapped.next(), { value: 4 });
  t.strictSame(started, [4, 6], 'the third would have been too much');
  t.match(await mapped.next(), { value: 6 });
  t.strictSame(started, [4, 6, 1]);
  t.match(await mapped.next(), { value: 1 });
  t.match(await mapped.next(), { value: 50 });
  t.strictSame(started, [4, 6, 1, 50], 'a large one runs alone');
  t.strictSame(await Array.fromAsync(mapped), [2]);
});

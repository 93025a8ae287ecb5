import t from 'tap';
import type { Clock } from '#engine/base/clock.ts';
import type { ErrorCode } from '#engine/base/error-codes.ts';
import { EngineError } from '#engine/base/errors.ts';
import { MemoryStorage } from '#engine/storage/memory.ts';
import { RETRY_POLICY, retryDelayMs } from '#engine/storage/retry-policy.ts';
import { retrying, type RetryEvent } from '#engine/storage/retrying.ts';
import { wrap } from '#engine/storage/wrap.ts';
import { bytes, failsWith, ids, read } from './storage-asserts.ts';

/** Stands still but for what is slept; remembers the sleeps. */
function fakeClock(): Clock & { slept: number[] } {
  let nowMs = 0;
  const slept: number[] = [];
  return {
    slept,
    now: () => nowMs,
    nowNanoseconds: () => BigInt(nowMs) * 1_000_000n,
    monotonic: () => nowMs,
    sleep: async ms => {
      slept.push(ms);
      nowMs += ms;
    },
  };
}

function failing(times: number, code: ErrorCode, details = {}): () => void {
  let left = times;
  return () => {
    if (left-- > 0) throw new EngineError(code, 'again', { details });
  };
}

t.test('delays double up to a most, half of each by chance', async t => {
  const error = new EngineError('STORAGE_UNAVAILABLE', 'x');
  const delay = (attempt: number, random: number) =>
    retryDelayMs(RETRY_POLICY, { error, attempt, elapsedMs: 0, random });
  t.equal(delay(1, 0), 50);
  t.equal(delay(1, 1), 100);
  t.equal(delay(4, 1), 800);
  t.equal(delay(9, 1), 20_000);
  t.equal(delay(10, 1), undefined, 'the tenth is the last');
  const late = { error, attempt: 9, elapsedMs: RETRY_POLICY.totalMsMax - 10, random: 0 };
  t.equal(retryDelayMs(RETRY_POLICY, late), undefined, 'the total is bounded');
  for (const thrown of [new Error('x'), new EngineError('STORAGE_FULL', 'x'), undefined]) {
    const failed = { error: thrown, attempt: 1, elapsedMs: 0, random: 0 };
    t.equal(retryDelayMs(RETRY_POLICY, failed), undefined);
  }
});

t.test('Retry-After is followed up to a most', async t => {
  const delay = (retryAfterMs: unknown) => {
    const error = new EngineError('STORAGE_THROTTLED', 'x', { details: { retryAfterMs } });
    return retryDelayMs(RETRY_POLICY, { error, attempt: 1, elapsedMs: 0, random: 0 });
  };
  t.equal(delay(7000), 7000);
  t.equal(delay(10), 50, 'never sooner than without');
  t.equal(delay(86_400_000), RETRY_POLICY.retryAfterMsMax);
  t.equal(delay('soon'), 50);
});

t.test('what may succeed is tried ten times and told', async t => {
  const clock = fakeClock();
  const events: RetryEvent[] = [];
  const memory = new MemoryStorage();
  await memory.put('a', [bytes('x')]);
  const fail = failing(9, 'STORAGE_UNAVAILABLE');
  const inner = wrap(memory, { get: async id => (fail(), memory.get(id)) });
  const onRetry = (event: RetryEvent): void => void events.push(event);
  t.equal(await read(retrying(inner, { clock, onRetry }), 'a'), 'x');
  t.equal(clock.slept.length, 9);
  t.match(events[0], { operation: 'get', id: 'a', attempt: 1 });
  const fail10 = failing(10, 'STORAGE_UNAVAILABLE');
  const worse = wrap(memory, { get: async id => (fail10(), memory.get(id)) });
  await failsWith(t, 'STORAGE_UNAVAILABLE', () => retrying(worse, { clock }).get('a'));
});

t.test('what cannot succeed is not tried again', async t => {
  const clock = fakeClock();
  const storage = retrying(new MemoryStorage(), { clock });
  await failsWith(t, 'STORAGE_BLOB_NOT_FOUND', () => storage.get('a'));
  t.same(clock.slept, []);
});

t.test('a listing that breaks goes on without saying a blob twice', async t => {
  const memory = new MemoryStorage();
  for (const id of ['a', 'b', 'c', 'd']) await memory.put(id, [bytes(id)]);
  let breaks = 3;
  const inner = wrap(memory, {
    async *list(prefix) {
      let count = 0;
      for await (const blob of memory.list(prefix)) {
        if (count++ === 2 && breaks-- > 0) throw new EngineError('STORAGE_UNAVAILABLE', 'x');
        yield blob;
      }
    },
  });
  const clock = fakeClock();
  t.same(await ids(retrying(inner, { clock }), ''), ['a', 'b', 'c', 'd']);
  t.equal(clock.slept.length, 3);
});

t.test("a consumer's own error is not retried", async t => {
  const memory = new MemoryStorage();
  await memory.put('a', [bytes('x')]);
  const clock = fakeClock();
  const consume = async (): Promise<void> => {
    for await (const blob of retrying(memory, { clock }).list('')) {
      throw new EngineError('STORAGE_UNAVAILABLE', blob.id);
    }
  };
  await failsWith(t, 'STORAGE_UNAVAILABLE', consume);
  t.same(clock.slept, []);
});

t.test('a conditional put whose answer was lost finds its own blob', async t => {
  const memory = new MemoryStorage();
  let isLost = true;
  const inner = wrap(memory, {
    put: async (id, pieces, options) => {
      await memory.put(id, pieces, options);
      if (!isLost) return;
      isLost = false;
      throw new EngineError('STORAGE_TIMEOUT', 'the answer was lost');
    },
  });
  const storage = retrying(inner, { clock: fakeClock() });
  await storage.put('lock', [bytes('mi'), bytes('ne')], { ifAbsent: true });
  const code = 'STORAGE_BLOB_EXISTS';
  await failsWith(t, code, () => storage.put('lock', [bytes('mine')], { ifAbsent: true }));
  await memory.put('taken', [bytes('theirs')]);
  const fail = failing(1, 'STORAGE_TIMEOUT');
  const other = wrap(memory, { put: async (...call) => (fail(), memory.put(...call)) });
  const late = retrying(other, { clock: fakeClock() });
  await failsWith(t, code, () => late.put('taken', [bytes('mine')], { ifAbsent: true }));
});

t.test('an abort ends the waiting', async t => {
  const memory = new MemoryStorage();
  const inner = wrap(memory, { get: async () => Promise.reject(unavailable()) });
  const controller = new AbortController();
  const storage = retrying(inner, { onRetry: () => controller.abort() });
  await failsWith(t, 'ABORTED', () => storage.get('a', { signal: controller.signal }));
});

function unavailable(): EngineError {
  return new EngineError('STORAGE_UNAVAILABLE', 'x', { details: { retryAfterMs: 50_000 } });
}

import t from 'tap';
import { isEngineError } from '#engine/base/errors.ts';
import { MemoryStorage } from '#engine/storage/memory.ts';
import { PendingOperations } from '#engine/storage/pending-operations.ts';
import type { CallOptions, Storage } from '#engine/storage/storage.ts';
import { wrap } from '#engine/storage/wrap.ts';
import { ManualClock, settle } from '#test/kube/manual-clock.ts';
import { bytes, ids } from './storage-asserts.ts';

/** A storage that hangs for the ids that begin with `slow`, until it is aborted or let go. */
function scene() {
  const clock = new ManualClock();
  const pending = new PendingOperations(clock);
  const letGo = Promise.withResolvers<void>();
  const memory = new MemoryStorage();
  const hang = async (id: string, signal: AbortSignal | undefined) => {
    if (!id.startsWith('slow')) return;
    const aborted = Promise.withResolvers<never>();
    signal?.addEventListener('abort', () => aborted.reject(signal.reason as Error));
    await Promise.race([letGo.promise, aborted.promise]);
  };
  const slow: Storage = wrap(memory, {
    get: async (id, call) => {
      await hang(id, call?.signal);
      return memory.get(id, call);
    },
    list: async function* (prefix: string, call?: CallOptions) {
      yield* memory.list('', call);
      await hang(prefix, call?.signal);
    },
  });
  return { clock, pending, letGo, memory, storage: pending.watch(slow) };
}

t.test('what is asked for without an answer is counted from the last answer to any', async t => {
  const { clock, pending, letGo, memory, storage } = scene();
  await memory.put('slow1', [bytes('1')]);
  await memory.put('quick', [bytes('2')]);
  await clock.pass(1000);
  t.equal(pending.unansweredMs, 0, 'nothing is asked for');
  const waiting = storage.get('slow1');
  await clock.pass(500);
  t.equal(pending.unansweredMs, 500);
  await storage.get('quick');
  t.equal(pending.unansweredMs, 0, 'another one has had an answer');
  await clock.pass(70);
  t.equal(pending.unansweredMs, 70);
  t.strictSame(pending.list, [
    { operation: 'get', storage: 'memory', id: 'slow1', durationMs: 570 },
  ]);
  letGo.resolve();
  t.same(await waiting, bytes('1'));
  t.equal(pending.unansweredMs, 0);
  t.strictSame(pending.list, []);
});

t.test('a listing is answered by each blob that it names', async t => {
  const { clock, pending, letGo, memory, storage } = scene();
  await memory.put('slow1', [bytes('1')]);
  const listing = storage.list('slow')[Symbol.asyncIterator]();
  await listing.next();
  await clock.pass(300);
  t.equal(pending.unansweredMs, 300);
  letGo.resolve();
  await listing.next();
  t.strictSame(pending.list, []);
  const left = storage.list('slow');
  for await (const _blob of left) break;
  t.strictSame(pending.list, [], 'nor is one asked for that nobody reads to its end');
});

t.test('what is cut off ends at once, and nothing is begun afterwards', async t => {
  const { pending, memory, storage } = scene();
  const own = new AbortController();
  const ends = [
    storage.get('slow1'),
    storage.get('slow2', { signal: own.signal }),
    ids(storage, ''),
  ];
  const codes = Promise.all(
    ends.map(end =>
      end.then(
        () => 'done',
        (error: unknown) => (isEngineError(error) ? error.code : String(error)),
      ),
    ),
  );
  await settle();
  t.match(pending.cut(), [{ id: 'slow1' }, { id: 'slow2' }]);
  t.strictSame(await codes, ['ABORTED', 'ABORTED', 'done']);
  await t.rejects(storage.put('x', [bytes('1')]), { code: 'ABORTED' });
  await t.rejects(ids(storage, ''), { code: 'ABORTED' });
  t.strictSame(await ids(memory, ''), [], 'the storage was not asked');
  t.strictSame(pending.cut(), []);
});

t.test('a caller who gives up is heard', async t => {
  const { pending, storage } = scene();
  const own = new AbortController();
  const waiting = storage.get('slow1', { signal: own.signal });
  own.abort(new Error('enough'));
  await t.rejects(waiting, /enough/);
  t.strictSame(pending.list, []);
  await t.rejects(storage.get('x', { signal: own.signal }));
});

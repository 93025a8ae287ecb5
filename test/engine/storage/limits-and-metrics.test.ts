import { writeFile } from 'node:fs/promises';
import t from 'tap';
import { throwIfAborted } from '#engine/base/abort.ts';
import type { Clock } from '#engine/base/clock.ts';
import { openFilesystem } from '#engine/storage/filesystem.ts';
import { limited } from '#engine/storage/limited.ts';
import { MemoryStorage } from '#engine/storage/memory.ts';
import { metered, type StorageSample } from '#engine/storage/metered.ts';
import { Pace } from '#engine/storage/pace.ts';
import { readOnly } from '#engine/storage/readonly.ts';
import { retaining } from '#engine/storage/retaining.ts';
import { Slots } from '#engine/storage/slots.ts';
import { wrap } from '#engine/storage/wrap.ts';
import { bytes, failsWith, ids } from './storage-asserts.ts';

/** Time passes only by sleeping; sleeps end in the order of their ends. */
function fakeClock(): Clock & { nowMs: number } {
  const clock = {
    nowMs: 0,
    now: () => clock.nowMs,
    nowNanoseconds: () => BigInt(clock.nowMs) * 1_000_000n,
    monotonic: () => clock.nowMs,
    sleep: async (ms: number, signal?: AbortSignal) => {
      throwIfAborted(signal);
      clock.nowMs += ms;
    },
  };
  return clock;
}

t.test('bytes flow at the rate, evenly, after one burst', async t => {
  const clock = fakeClock();
  const pace = new Pace({ bytesPerSecond: 1000, burstBytes: 100 }, clock);
  const times: number[] = [];
  for (let index = 0; index < 11; index++) {
    await pace.take(100);
    times.push(clock.nowMs);
  }
  t.same(times, [0, 0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
  clock.nowMs += 60_000;
  await pace.take(100);
  await pace.take(5000);
  const beforeMs = clock.nowMs;
  await pace.take(1);
  t.equal(clock.nowMs - beforeMs, 5000, 'a rest saves one burst and no more');
  t.throws(() => new Pace({ bytesPerSecond: 0 }, clock), { code: 'USAGE' });
});

t.test('who gives up while waiting has used nothing', async t => {
  const clock = fakeClock();
  const pace = new Pace({ bytesPerSecond: 1000, burstBytes: 0 }, clock);
  await pace.take(1000);
  await failsWith(t, 'ABORTED', () => pace.take(50_000, AbortSignal.abort()));
  await pace.take(1);
  t.equal(clock.nowMs, 1000);
});

t.test('uploads and downloads have each their own rate', async t => {
  const clock = fakeClock();
  const limits = { uploadBytesPerSecond: 1000, downloadBytesPerSecond: 500 };
  const storage = limited(new MemoryStorage(), limits, clock);
  const blob = new Uint8Array(1000);
  for (const id of ['a', 'b', 'c']) await storage.put(id, [blob.subarray(500), blob.subarray(500)]);
  t.equal(clock.nowMs, 1000, 'a burst of a second, then a second a blob');
  for (let index = 0; index < 4; index++) {
    await storage.get('a', { range: { offset: 0, length: 500 } });
  }
  t.equal(clock.nowMs, 3000);
  t.equal(typeof storage.stage, 'undefined', 'a limited storage has no files');
});

t.test('no more operations at once than allowed', async t => {
  let active = 0;
  let most = 0;
  const memory = new MemoryStorage();
  await memory.put('a', [bytes('x')]);
  const slow = wrap(memory, {
    get: async id => {
      most = Math.max(most, ++active);
      await new Promise(resolve => setImmediate(resolve));
      active--;
      return memory.get(id);
    },
  });
  const storage = limited(slow, { operationsMax: 3 });
  await Promise.all(Array.from({ length: 20 }, () => storage.get('a')));
  t.equal(most, 3);
});

t.test('a slot that is waited for can be given up', async t => {
  const slots = new Slots(1);
  await slots.acquire();
  const controller = new AbortController();
  const given = failsWith(t, 'ABORTED', () => slots.acquire(controller.signal));
  const next = slots.acquire();
  controller.abort();
  await given;
  slots.release();
  await next;
  slots.release();
  await slots.acquire();
  t.throws(() => new Slots(0), { code: 'INTERNAL' });
});

t.test('each operation gives one sample', async t => {
  const samples: StorageSample[] = [];
  const metrics = { operationEnded: (sample: StorageSample) => void samples.push(sample) };
  const storage = metered(new MemoryStorage(), metrics, fakeClock());
  await storage.put('a', [bytes('12'), bytes('345')]);
  await storage.get('a');
  await storage.get('a', { range: { offset: 1, length: 2 } });
  await storage.head('a');
  await ids(storage, '');
  await failsWith(t, 'STORAGE_BLOB_NOT_FOUND', () => storage.get('absent'));
  await storage.delete('a');
  t.same(
    samples.map(({ operation, outcome, bytes, blobs }) => [operation, outcome, bytes, blobs]),
    [
      ['put', 'ok', 5, 1],
      ['get', 'ok', 5, 1],
      ['get', 'ok', 2, 1],
      ['head', 'ok', 0, 1],
      ['list', 'ok', 0, 1],
      ['get', 'STORAGE_BLOB_NOT_FOUND', 0, 1],
      ['delete', 'ok', 0, 1],
    ],
  );
});

t.test('a staged blob counts as a put with its bytes', async t => {
  const samples: StorageSample[] = [];
  const inner = await openFilesystem(t.testdir(), { create: true });
  const storage = metered(inner, { operationEnded: sample => void samples.push(sample) });
  const staged = await storage.stage?.('a');
  await writeFile(staged?.path ?? '', '12345');
  await staged?.commit();
  t.match(samples, [{ operation: 'put', outcome: 'ok', bytes: 5 }]);
  await storage.close();
});

t.test('packs, indexes and format blobs are locked, the rest is not', async t => {
  const memory = new MemoryStorage();
  const settings = { mode: 'COMPLIANCE', periodMs: 5000 } as const;
  const storage = retaining(memory, () => settings, { now: () => 1000 });
  const locked = ['p1', 'q1', 'xn0_1', 'n1', 'kopia.repository', 'kopia.blobcfg'];
  const free = ['s1', '_log_1', 'kopia.maintenance', 'm1'];
  for (const id of [...locked, ...free]) await storage.put(id, [bytes('x')]);
  for (const id of locked) {
    t.same(memory.retentionOf(id), { mode: 'COMPLIANCE', untilMs: 6000 });
  }
  for (const id of free) t.equal(memory.retentionOf(id), undefined);
  const retention = { mode: 'GOVERNANCE' as const, untilMs: 7 };
  await storage.put('p2', [bytes('x')], { retention });
  t.same(memory.retentionOf('p2'), retention, "the caller's own wins");
});

t.test('a read-only storage reads and refuses to change', async t => {
  const memory = new MemoryStorage();
  await memory.put('a', [bytes('x')]);
  const storage = readOnly(memory);
  t.same(await ids(storage, ''), ['a']);
  await failsWith(t, 'STORAGE_READ_ONLY', () => storage.put('b', [bytes('x')]));
  await failsWith(t, 'STORAGE_READ_ONLY', () => storage.delete('a'));
  t.same(await ids(memory, ''), ['a']);
});

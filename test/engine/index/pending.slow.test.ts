import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { PendingContents } from '#engine/index/pending.ts';
import { hexOf, pickSeed, randomFrom } from './model.ts';
import { raceKeys, type RaceOrder } from './pending-racer.ts';

const seed = pickSeed();
t.comment(`seed ${seed}`);

async function race(order: RaceOrder): Promise<number[]> {
  const worker = new Worker(new URL('./pending-racer.ts', import.meta.url), { workerData: order });
  const [claimed] = (await once(worker, 'message')) as [number[]];
  await worker.terminate();
  return claimed;
}

for (const keyBytes of [17, 33]) {
  t.test(`four threads racing for keys of ${keyBytes} bytes: one owner each`, async t => {
    const keys = 30_000;
    const racers = 4;
    const pending = PendingContents.create({ keyBytes, contentsMax: keys + racers });
    const order = { pending: pending.share(), gate: new SharedArrayBuffer(4), racers, seed, keys };
    const results = await Promise.all(Array.from({ length: racers }, () => race(order)));
    const owners = new Uint8Array(keys);
    for (const claimed of results) for (const key of claimed) owners[key]++;
    t.ok(owners.every(count => count === 1));
    t.comment(`claims by thread: ${results.map(claimed => claimed.length).join(', ')}`);
    const bytes = raceKeys(order, keyBytes);
    let unknown = 0;
    for (let i = 0; i < keys; i++) if (!pending.has(bytes, i * keyBytes, keyBytes)) unknown++;
    t.equal(unknown, 0);
  });
}

t.test('claims agree with a set of strings, also for keys that hardly differ', async t => {
  const random = randomFrom(seed);
  for (const keyBytes of [17, 29, 33]) {
    const pending = PendingContents.create({ keyBytes, contentsMax: 20_000 });
    const known = new Set<string>();
    const key = new Uint8Array(keyBytes + 3);
    let wrong = 0;
    for (let i = 0; i < 20_000; i++) {
      if (random(3) > 0) key.fill(random(2) * 255);
      else for (let byte = 0; byte < key.length; byte++) key[byte] = random(256);
      key[3] = random(2) * 0x7a;
      key[4 + random(4)] = random(20);
      key[key.length - 1] = random(20);
      const name = hexOf(key.subarray(3));
      if (pending.has(key, 3, keyBytes) !== known.has(name)) wrong++;
      if (pending.claim(key, 3, keyBytes) === known.has(name)) wrong++;
      known.add(name);
    }
    t.equal(wrong, 0);
    t.equal(pending.count, known.size);
  }
});

t.test('claims beyond the limit fail, and known keys are still known', async t => {
  const pending = PendingContents.create({ keyBytes: 17, contentsMax: 3 });
  const key = new Uint8Array(17);
  for (key[5] = 0; key[5] < 3; key[5]++) t.equal(pending.claim(key, 0, 17), true);
  t.throws(() => pending.claim(key, 0, 17), { code: 'LIMIT_EXCEEDED' });
  t.throws(() => pending.claim(key, 0, 17), { code: 'LIMIT_EXCEEDED' });
  t.equal(pending.has(key, 0, 17), false);
  key[5] = 1;
  t.equal(pending.claim(key, 0, 17), false);
  t.equal(pending.count, 3);
});

t.test('keys of another length or with an impossible prefix are refused', async t => {
  const pending = PendingContents.create({ keyBytes: 17 });
  t.throws(() => pending.claim(new Uint8Array(33), 0, 33), { code: 'CONTENT_ID_INVALID' });
  t.throws(() => pending.has(new Uint8Array(17).fill(1), 0, 17), { code: 'CONTENT_ID_INVALID' });
});

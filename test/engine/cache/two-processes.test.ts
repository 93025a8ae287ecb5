// Two agents on one directory, each a process of its own.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Clock } from '#engine/base/clock.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import {
  expectedBytes,
  generatedStorage,
  MIB,
  packId,
  scratchCache,
  through,
} from './scratch-cache.ts';

const LIMIT = 8 * MIB;
const PROGRAM = fileURLToPath(new URL('busy-reader.ts', import.meta.url));

async function busyAgent(directory: string): Promise<ChildProcess> {
  const child = fork(PROGRAM, [directory, String(LIMIT), '1']);
  await once(child, 'message');
  return child;
}

t.test('the second waits while the first lives, and has its directory after kill -9', async t => {
  const directory = fastDirectory(t);
  const first = await busyAgent(directory);
  t.teardown(() => first.kill('SIGKILL'));
  let nowMs = 0;
  const clock: Clock = {
    now: () => nowMs,
    nowNanoseconds: () => 0n,
    monotonic: () => nowMs,
    sleep: async () => undefined,
  };
  const { cache } = await scratchCache(t, { directory, absoluteBytes: LIMIT }, { clock });
  const inner = generatedStorage(2 * MIB);
  const storage = through(cache, inner);
  const range = { offset: 0, length: 2 * MIB };
  for (let look = 0; look < 3; look++) {
    nowMs += 10_000;
    await cache.look();
    t.equal(cache.obstacle, 'another process uses the directory');
    t.equal(cache.volume, undefined);
    const got = await storage.get(packId(1), { range });
    t.equal(Buffer.compare(got, expectedBytes(packId(1), 0, 2 * MIB)), 0, 'served without');
  }
  t.equal(inner.gets, 3);

  const exited = once(first, 'exit');
  first.kill('SIGKILL');
  await exited;
  nowMs += 10_000;
  await cache.look();
  t.equal(cache.obstacle, undefined);
  t.ok(cache.ledger.used.bytes <= LIMIT, 'within the limit at once');
  await cache.recovered();
  t.ok((cache.volume?.table.count ?? 0) > 0, 'with what the first has read');
  for (let pack = 0; pack < 12; pack++) {
    const got = await storage.get(packId(pack), { range });
    t.equal(Buffer.compare(got, expectedBytes(packId(pack), 0, 2 * MIB)), 0, `pack ${pack}`);
  }
});

// Two agents on one directory or one volume, each a process of its own.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Clock } from '#engine/base/clock.ts';
import { allocatedFor } from '#engine/cache/foreign-files.ts';
import { siblingCaches } from '#engine/cache/sibling-caches.ts';
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

async function busyAgent(directory: string, ...node: string[]): Promise<ChildProcess> {
  const child = fork(PROGRAM, [directory, String(LIMIT), '1', ...node]);
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

t.test('two nodes on one volume have a directory, a lock and a limit each', async t => {
  const volume = fastDirectory(t);
  const nodes = ['one', 'two'] as const;
  const agents: ChildProcess[] = [];
  for (const node of nodes) {
    const agent = await busyAgent(volume, node);
    t.teardown(() => agent.kill('SIGKILL'));
    agents.push(agent);
  }
  const nameOf = (node: string): string => `stevedore-cache-${node}`;
  const highest = [0, 0];
  for (let sample = 0; sample < 200; sample++) {
    await Promise.race(agents.map(agent => once(agent, 'message')));
    for (const [index, node] of nodes.entries()) {
      const { bytes } = await allocatedFor(volume, [nameOf(node)]);
      highest[index] = Math.max(highest[index], bytes);
    }
  }
  t.comment(`at most ${highest.join(' and ')} of ${LIMIT} bytes`);
  t.ok(highest.every(bytes => bytes <= LIMIT && bytes > LIMIT / 2));
  t.strictSame(readdirSync(volume).sort(), nodes.map(nameOf));
  const locks = nodes.map(node => statSync(`${volume}/${nameOf(node)}/lock`).ino);
  t.equal(new Set(locks).size, 2);

  const settings = { directory: volume, node: 'one', absoluteBytes: LIMIT };
  const refused = await scratchCache(t, settings);
  t.equal(refused.cache.obstacle, 'another process uses the directory', 'of that node');
  await refused.cache.close();
  const [first, second] = agents;
  const exited = once(first, 'exit');
  first.kill('SIGKILL');
  await exited;
  const { cache } = await scratchCache(t, settings);
  await cache.recovered();
  t.ok((cache.volume?.table.count ?? 0) > 0, 'what that node has read is there again');
  const own = (await allocatedFor(volume, [nameOf('one')])).bytes;
  t.ok(cache.ledger.used.bytes >= own && cache.ledger.used.bytes <= LIMIT, 'and it alone counts');
  await once(second, 'message');
  t.match(await siblingCaches({ location: volume, node: 'one' }), [
    { directory: `${volume}/${nameOf('two')}`, isHeld: true },
  ]);
});

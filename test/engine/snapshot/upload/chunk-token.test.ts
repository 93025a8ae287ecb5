import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { ChunkToken, COMPRESSION_STATE } from '#engine/snapshot/upload/chunk-token.ts';
import type { TokenThreadSeed } from './token-thread.ts';

const TURNS = 20_000;

t.test('threads take every turn once and never two at a time', async t => {
  const token = ChunkToken.create();
  const holders = new SharedArrayBuffer(4);
  const workerData: TokenThreadSeed = { token: token.shared, holders, turns: TURNS };
  const entry = new URL('./token-thread.ts', import.meta.url);
  // Held until all are there, so that they have to wait for each other.
  token.take();
  const threads = [1, 2, 3].map(() => new Worker(entry, { workerData }));
  await Promise.all(threads.map(thread => once(thread, 'online')));
  const answers = threads.map(async thread => {
    const [answer] = (await once(thread, 'message')) as [{ taken: number[]; isAlone: boolean }];
    return answer;
  });
  token.passOn();
  const all = await Promise.all(answers);
  t.ok(all.every(({ isAlone }) => isAlone));
  const turns = all.flatMap(({ taken }) => taken).sort((a, b) => a - b);
  t.equal(turns.length, TURNS);
  t.ok(turns.every((turn, index) => turn === index));
  for (const { taken } of all) t.ok(taken.every((turn, i) => i === 0 || turn > taken[i - 1]));
  await Promise.all(threads.map(thread => thread.terminate()));
});

t.test('what one holder leaves the next one finds', async t => {
  const token = ChunkToken.create();
  const other = ChunkToken.attach(token.shared);
  t.equal(other.nextOffset, 0);
  t.equal(other.isDone, false);
  t.equal(other.compressionState, COMPRESSION_STATE.undecided);
  token.take();
  token.nextOffset = 2 ** 52 + 1;
  token.compressionState = COMPRESSION_STATE.yes;
  token.finish();
  token.passOn();
  other.take();
  t.equal(other.nextOffset, 2 ** 52 + 1, 'offsets beyond 32 bits are exact');
  t.equal(other.compressionState, COMPRESSION_STATE.yes);
  t.equal(other.isDone, true);
  other.passOn();
});

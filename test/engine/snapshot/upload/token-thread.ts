// A worker thread for chunk-token.test.ts: takes numbered turns until there are no more.

import { parentPort, workerData } from 'node:worker_threads';
import { ChunkToken } from '#engine/snapshot/upload/chunk-token.ts';

export interface TokenThreadSeed {
  readonly token: SharedArrayBuffer;
  /** One word, in which each holder of the token looks for others. */
  readonly holders: SharedArrayBuffer;
  readonly turns: number;
}

const { token: shared, holders, turns } = workerData as TokenThreadSeed;
const token = ChunkToken.attach(shared);
const count = new Int32Array(holders);
const taken: number[] = [];
let isAlone = true;

for (;;) {
  token.take();
  if (Atomics.add(count, 0, 1) !== 0) isAlone = false;
  const turn = token.nextOffset;
  const isDone = token.isDone;
  if (!isDone) {
    taken.push(turn);
    token.nextOffset = turn + 1;
    if (turn + 1 === turns) token.finish();
  }
  Atomics.sub(count, 0, 1);
  token.passOn();
  if (isDone) break;
}
parentPort?.postMessage({ taken, isAlone });

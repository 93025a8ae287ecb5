// A worker thread for pack-tickets.test.ts: asks for tickets as it is told and answers with them.

import { parentPort, workerData } from 'node:worker_threads';
import { serializeError } from '#engine/base/errors.ts';
import { IndexRows } from '#engine/index/rows.ts';
import { type PackKind, TicketHolder, type TicketLine } from '#engine/workers/pack-tickets.ts';

export interface TicketThreadSeed {
  readonly line: TicketLine;
  /** One word: 1 stops. */
  readonly stop: SharedArrayBuffer;
}

const { line, stop } = workerData as TicketThreadSeed;
const stopped = new Int32Array(stop);
const tickets = new TicketHolder(line, () => Atomics.load(stopped, 0) === 1);

parentPort?.on('message', (kind: PackKind | 'give back' | 'fail') => {
  parentPort?.postMessage(answerTo(kind));
});

function answerTo(request: PackKind | 'give back' | 'fail'): unknown {
  try {
    if (request === 'fail') {
      tickets.fail(new Error('the disk is full'));
      return 'told';
    }
    if (request !== 'give back') return tickets.take(request);
    const { rows, transferList } = new IndexRows(17).transfer();
    const buffer = new ArrayBuffer(8);
    const finished = { packId: 'p1', kind: 'p' as const, bytes: 8, rows, buffer };
    tickets.giveBack(finished, [...transferList, buffer]);
    return { bytesLeft: buffer.byteLength };
  } catch (error) {
    return serializeError(error);
  }
}

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t, { type Test } from 'tap';
import { EngineError } from '#engine/base/errors.ts';
import {
  type FinishedPack,
  openTicketLine,
  type PackKind,
  type PackTicket,
} from '#engine/workers/pack-tickets.ts';
import type { TicketThreadSeed } from './ticket-thread.ts';

/** A worker with a line to an office that answers when the test says so. */
function scene(t: Test) {
  const asked: PackKind[] = [];
  const accepted: FinishedPack[] = [];
  const failures: unknown[] = [];
  const answers: PromiseWithResolvers<PackTicket>[] = [];
  const reached = Promise.withResolvers<void>();
  const line = openTicketLine({
    grant: kind => {
      asked.push(kind);
      const answer = Promise.withResolvers<PackTicket>();
      answers.push(answer);
      reached.resolve();
      return answer.promise;
    },
    accept: pack => void accepted.push(pack),
    fail: error => void failures.push(error),
  });
  const stop = new SharedArrayBuffer(4);
  const workerData: TicketThreadSeed = { line, stop };
  const entry = new URL('./ticket-thread.ts', import.meta.url);
  const worker = new Worker(entry, { workerData, transferList: [line.port] });
  t.teardown(() => worker.terminate());
  const ask = async (request: PackKind | 'give back' | 'fail'): Promise<unknown> => {
    worker.postMessage(request);
    const [answer] = (await once(worker, 'message')) as [unknown];
    return answer;
  };
  return { asked, accepted, failures, answers, reached: reached.promise, stop, ask };
}

t.test('a worker waits for its ticket, blocked, until the office gives it', async t => {
  const { asked, answers, reached, ask } = scene(t);
  const ticket = ask('p');
  await reached;
  t.strictSame(asked, ['p']);
  const buffer = new ArrayBuffer(100);
  answers[0].resolve({ packId: 'p1', kind: 'p', buffer });
  t.match(await ticket, { packId: 'p1', kind: 'p', buffer: { byteLength: 100 } });
  t.equal(buffer.byteLength, 0, 'the buffer has moved');
  const second = ask('q');
  while (answers.length < 2) await new Promise(resolve => setImmediate(resolve));
  answers[1].resolve({ packId: 'q1', kind: 'q', stagedPath: '/x' });
  t.strictSame(await second, { packId: 'q1', kind: 'q', stagedPath: '/x' });
});

t.test('what the office refuses with is thrown in the worker', async t => {
  const { answers, reached, ask } = scene(t);
  const ticket = ask('p');
  await reached;
  answers[0].reject(new EngineError('CLOCK_SKEW', 'the clock is off'));
  t.match(await ticket, { code: 'CLOCK_SKEW', message: 'the clock is off' });
});

t.test('a worker that waits notices that the run was stopped', async t => {
  const { reached, stop, ask } = scene(t);
  const ticket = ask('p');
  await reached;
  Atomics.store(new Int32Array(stop), 0, 1);
  t.match(await ticket, { code: 'ABORTED' });
});

t.test('finished packs move to the office, and failures are told', async t => {
  const { accepted, failures, ask } = scene(t);
  t.strictSame(await ask('give back'), { bytesLeft: 0 });
  t.equal(await ask('fail'), 'told');
  while (failures.length === 0) await new Promise(resolve => setImmediate(resolve));
  t.match(accepted, [{ packId: 'p1', bytes: 8, buffer: { byteLength: 8 } }]);
  t.match(failures, [{ code: 'INTERNAL', message: 'the disk is full' }]);
});

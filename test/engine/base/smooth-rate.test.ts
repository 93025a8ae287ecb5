// In any second at most 1.2 times the rate passes, in virtual time.

import t from 'tap';
import { SmoothRate } from '#engine/base/smooth-rate.ts';
import { ManualClock, settle } from '#test/kube/manual-clock.ts';

const RATE = 1_000_000;
const STEP_MS = 20;

class Flow {
  readonly clock = new ManualClock();
  readonly rate: SmoothRate;
  /** What passed in each step. */
  readonly steps: number[] = [];
  #passed = 0;

  constructor(bytesPerSecond: number | undefined) {
    this.rate = new SmoothRate(bytesPerSecond, this.clock);
  }

  async send(bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    for await (const piece of this.rate.pieces(bytes, signal)) this.#passed += piece.length;
  }

  async run(ms: number): Promise<void> {
    for (let atMs = 0; atMs < ms; atMs += STEP_MS) {
      await settle();
      this.steps.push(this.#passed);
      this.#passed = 0;
      await this.clock.pass(STEP_MS);
    }
  }

  /** The most that passed in any second. */
  get mostInASecond(): number {
    const length = 1000 / STEP_MS;
    let most = 0;
    for (let start = 0; start < this.steps.length; start++) {
      most = Math.max(most, sumOf(this.steps.slice(start, start + length)));
    }
    return most;
  }
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

t.test('one large pack and many small ones pass evenly', async t => {
  const flow = new Flow(RATE);
  await flow.run(5_000);
  const sent = [flow.send(new Uint8Array(5 * RATE))];
  for (let count = 0; count < 50; count++) sent.push(flow.send(new Uint8Array(RATE / 50)));
  await flow.run(7_000);
  await Promise.all(sent);
  t.ok(flow.mostInASecond <= 1.2 * RATE, `${flow.mostInASecond} in a second, after a rest`);
  t.equal(sumOf(flow.steps), 6 * RATE);
  t.ok(sumOf(flow.steps.slice(250, 550)) > 5.9 * RATE, 'and none of it is wasted');
});

t.test('a rate that changes holds at once for those who wait', async t => {
  const flow = new Flow(10 * RATE);
  const sent = flow.send(new Uint8Array(13 * RATE));
  await flow.run(1_000);
  flow.rate.set(RATE);
  const before = flow.steps.length;
  await flow.run(2_000);
  const after = flow.steps.slice(before);
  t.ok(sumOf(after.slice(0, 50)) <= 1.2 * RATE, `${sumOf(after.slice(0, 50))} after the change`);
  flow.rate.set(0);
  const stopped = flow.steps.length;
  await flow.run(2_000);
  t.ok(sumOf(flow.steps.slice(stopped)) <= RATE / 10, 'a rate of 0 lets nothing pass');
  flow.rate.set(undefined);
  await flow.run(200);
  await sent;
  t.equal(sumOf(flow.steps), 13 * RATE);
});

t.test('who is aborted leaves, and the others pass in their turn', async t => {
  const flow = new Flow(RATE);
  const abort = new AbortController();
  const first = flow.send(new Uint8Array(RATE));
  const second = t.rejects(flow.send(new Uint8Array(RATE), abort.signal), { code: 'ABORTED' });
  const third = flow.send(new Uint8Array(RATE / 2));
  await flow.run(300);
  abort.abort();
  await second;
  await flow.run(2_000);
  await Promise.all([first, third]);
  t.ok(sumOf(flow.steps) < 1.9 * RATE);
  await t.rejects(flow.rate.take(1, AbortSignal.abort()), { code: 'ABORTED' });
});

t.test('without a limit nothing waits', async t => {
  const flow = new Flow(undefined);
  await flow.send(new Uint8Array(10 * RATE));
  t.equal(flow.clock.sleeperCount, 0);
});

t.test('what was charged is waited for, and what was given back is not', async t => {
  const flow = new Flow(RATE);
  const { rate } = flow;
  rate.charge(RATE / 2);
  let isTaken = false;
  const taken = rate.take(1).then(() => (isTaken = true));
  await flow.run(400);
  t.notOk(isTaken);
  await flow.run(200);
  t.ok(isTaken);
  await taken;
  const reserving = rate.reserve(RATE / 2);
  await flow.run(600);
  (await reserving)[Symbol.dispose]();
  await rate.take(1);
  t.equal(rate.passedBytes, RATE / 2 + 2);
});

t.test('how long somebody has waited is counted once for all', async t => {
  const { clock, rate } = new Flow(0);
  const end = new AbortController();
  const waiting = [rate.whenOpen(end.signal), rate.take(1, end.signal), rate.take(1, end.signal)];
  const ended = Promise.allSettled(waiting);
  await settle();
  await clock.pass(1000);
  t.equal(rate.heldUpMs, 1000);
  end.abort();
  t.ok((await ended).every(({ status }) => status === 'rejected'));
  await clock.pass(1000);
  t.equal(rate.heldUpMs, 1000);
});

import t from 'tap';
import type { Clock } from '#engine/base/clock.ts';
import { EngineError } from '#engine/base/errors.ts';
import { retryNotice } from '#engine/cli/retry-notice.ts';

t.test('a single failure is not worth a line, those that follow are, now and then', async t => {
  let nowMs = 0;
  const clock: Clock = {
    now: () => nowMs,
    nowNanoseconds: () => 0n,
    monotonic: () => nowMs,
    sleep: async () => {},
  };
  const said: string[] = [];
  const notice = retryNotice(text => said.push(text), clock);
  const error = new EngineError('STORAGE_UNAVAILABLE', 'no \u001b answer');
  const fail = (attempt: number) =>
    notice({ operation: 'get', id: 'p1', attempt, delayMs: 400, error });
  fail(1);
  t.strictSame(said, []);
  fail(2);
  fail(3);
  t.strictSame(said, ['stevedore: trying again in 400 ms (failed 2 times): no \\x1b answer\n']);
  nowMs = 5000;
  fail(4);
  t.equal(said.length, 2);
});

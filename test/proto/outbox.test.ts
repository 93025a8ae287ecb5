// What waits to be sent is bounded by the number of kinds, whoever reads it.

import t from 'tap';
import { Outbox } from '#proto/outbox.ts';
import { SendWatch } from '#proto/send-watch.ts';
import { SEND_MS_MAX } from '#proto/wire-limits.ts';
import { ManualClock } from '#test/kube/manual-clock.ts';

function newOutbox(pauseMs?: (bytes: number, sentCount: number) => number) {
  const clock = new ManualClock();
  const sent: string[] = [];
  const failures: object[] = [];
  let taken: () => void = () => undefined;
  const end = new AbortController();
  const outbox = new Outbox({
    clock,
    watch: new SendWatch(clock, end.signal),
    pauseMs,
    onFailed: failure => failures.push(failure),
    write: (bytes, done) => {
      sent.push(bytes.toString());
      taken = done;
    },
  });
  const put = (kind: string, text: string) => outbox.put(kind, () => Buffer.from(text));
  return { clock, end, outbox, sent, failures, put, take: () => taken() };
}

t.test('one message is under way, and the newest of each kind waits', async t => {
  const { outbox, sent, put, take } = newOutbox();
  put('a', 'a1');
  for (let count = 2; count <= 1000; count++) put('a', `a${count}`);
  put('b', 'b1');
  put('a', 'a1001');
  t.strictSame(sent, ['a1']);
  t.equal(outbox.waitingCount, 2);
  take();
  take();
  t.strictSame(sent, ['a1', 'a1001', 'b1']);
  take();
  t.equal(outbox.waitingCount, 0);
});

t.test('a message is made when it is sent, and is none where nothing is left to say', async t => {
  const { outbox, sent, put, take } = newOutbox();
  let state = 'old';
  put('a', 'first');
  outbox.put('b', () => undefined);
  outbox.put('c', () => Buffer.from(state));
  state = 'new';
  take();
  t.strictSame(sent, ['first', 'new']);
});

t.test('a reader that takes nothing for long is said to be stuck', async t => {
  const { clock, failures, put } = newOutbox();
  put('a', 'a1');
  await clock.pass(SEND_MS_MAX - 1);
  t.strictSame(failures, []);
  await clock.pass(1);
  t.match(failures, [{ isStuck: true }]);
});

t.test('a message that cannot be made is a failure, and nothing goes after it', async t => {
  const { outbox, failures, sent, put } = newOutbox();
  outbox.put('a', () => {
    throw new Error('oops');
  });
  put('b', 'b1');
  t.match(failures, [{ isStuck: false, error: { message: 'oops' } }]);
  t.strictSame(sent, []);
});

t.test('pauses are kept between messages, and end with the outbox', async t => {
  const { clock, end, outbox, sent, put, take } = newOutbox((_, count) => (count > 1 ? 200 : 0));
  for (const kind of ['a', 'b', 'c', 'd']) put(kind, kind);
  take();
  take();
  t.strictSame(sent, ['a', 'b']);
  await clock.pass(199);
  t.equal(sent.length, 2);
  await clock.pass(1);
  t.strictSame(sent, ['a', 'b', 'c']);
  take();
  outbox.close();
  end.abort();
  await clock.pass(1_000);
  t.equal(sent.length, 3);
  t.equal(clock.sleeperCount, 0, 'no timer is left');
});

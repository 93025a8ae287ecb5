import t from 'tap';
import { SendWatch } from '#proto/send-watch.ts';
import { SEND_MS_MAX } from '#proto/wire-limits.ts';
import { ManualClock } from '#test/kube/manual-clock.ts';

function newWatch() {
  const clock = new ManualClock();
  const end = new AbortController();
  const stuck: string[] = [];
  const watch = new SendWatch(clock, end.signal);
  const [one, other] = ['one', 'other'].map(name => () => void stuck.push(name));
  return { clock, end, stuck, watch, one, other };
}

t.test('each message has its own time, and one timer is there for all', async t => {
  const { clock, stuck, watch, one, other } = newWatch();
  watch.began(one);
  await clock.pass(1_000);
  watch.began(other);
  t.equal(clock.sleeperCount, 1);
  await clock.pass(SEND_MS_MAX - 1_001);
  t.strictSame(stuck, []);
  await clock.pass(1);
  t.strictSame(stuck, ['one']);
  await clock.pass(999);
  t.strictSame(stuck, ['one']);
  await clock.pass(1);
  t.strictSame(stuck, ['one', 'other']);
  t.equal(clock.sleeperCount, 0, 'nothing is under way');
});

t.test('a message that is taken is not stuck, and the next one counts anew', async t => {
  const { clock, stuck, watch, one, other } = newWatch();
  watch.began(one);
  watch.began(other);
  await clock.pass(SEND_MS_MAX - 1);
  watch.ended(one);
  watch.began(one);
  await clock.pass(1);
  t.strictSame(stuck, ['other'], 'the one that began again stands behind it');
  await clock.pass(SEND_MS_MAX - 1);
  t.strictSame(stuck, ['other', 'one']);
});

t.test('after a rest it looks again', async t => {
  const { clock, stuck, watch, one } = newWatch();
  watch.began(one);
  watch.ended(one);
  await clock.pass(SEND_MS_MAX);
  t.equal(clock.sleeperCount, 0);
  watch.began(one);
  await clock.pass(SEND_MS_MAX);
  t.strictSame(stuck, ['one']);
});

t.test('nobody is told after its end, and no timer is left', async t => {
  const { clock, end, stuck, watch, one } = newWatch();
  watch.began(one);
  end.abort();
  await clock.pass(SEND_MS_MAX);
  t.strictSame(stuck, []);
  t.equal(clock.sleeperCount, 0);
});

import t from 'tap';
import { systemClock } from '#engine/base/clock.ts';
import { DiskWatch, LookDelay } from '#engine/cache/disk-watch.ts';

t.test('where looks come late the next is asked for sooner', async t => {
  const delay = new LookDelay();
  t.equal(delay.waitMs(1000), 1000);
  delay.note(300, 1000);
  t.equal(delay.waitMs(1000), 700);
  t.equal(delay.waitMs(310), 20, 'but not all the time');
  t.equal(delay.waitMs(5), 5, 'and never later than it should');
  delay.note(0, 2000);
  t.equal(delay.waitMs(1000), 850, 'the latest counts for a while');
  delay.note(-1, 2000 + 60_000);
  t.ok(delay.waitMs(1000) > 999.9, 'one that came early is not late');
});

t.test('each look comes after the one before has ended, until it is stopped', async t => {
  let running = 0;
  let looks = 0;
  await new Promise<void>(resolve => {
    // The timer of a watch keeps no process alive.
    const alive = setInterval(() => undefined, 1000);
    const watch = new DiskWatch({
      clock: systemClock,
      intervalMs: () => 1,
      look: async () => {
        t.equal(++running, 1);
        await new Promise(setImmediate);
        running--;
        if (++looks < 5) return;
        watch.stop();
        clearInterval(alive);
        resolve();
      },
    });
    watch.start();
  });
  // Timers of the same length come in order: one of the watch would have been there by then.
  await new Promise(resolve => setTimeout(resolve, 1));
  t.equal(looks, 5);
});

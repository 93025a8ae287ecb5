import t from 'tap';
import { TaskTime } from '#engine/snapshot/upload/task-time.ts';

/** How many entries pass until it is over. */
function entriesUntilOver(time: TaskTime, bytesEach = 0): number {
  let entries = 1;
  while (entries < 10_000_000 && !time.isOver(bytesEach * entries)) entries += 1;
  return entries;
}

t.test('without any time it is over after each entry', async t => {
  const time = new TaskTime(0);
  t.equal(time.isOver(0), true);
});

t.test('the time is looked at once in many entries, and sooner when much is read', async t => {
  t.equal(entriesUntilOver(new TaskTime(-1)), 256);
  t.equal(entriesUntilOver(new TaskTime(-1), 8 * 1024 * 1024), 2);
});

t.test('it is over when its time has passed, counted from the first look', async t => {
  const before = performance.now();
  entriesUntilOver(new TaskTime(5));
  t.ok(performance.now() - before >= 5);
});

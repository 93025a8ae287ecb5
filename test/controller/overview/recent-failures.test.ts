// What a controller remembers of moves that did not end as they should have.

import t from 'tap';
import { RecentFailures } from '#controller/overview/recent-failures.ts';

const move = (id: string, endedAgoMs: number) => ({
  ...{ id, move: `PodVolumeBackup/${id}`, namespace: 'shop', pod: 'web-0', volumeName: 'files' },
  ...{ phase: 'Failed', code: '', message: 'it failed', endedAgoMs },
});

t.test('what each heartbeat says again is known once, by the time it was heard first', async t => {
  const time = { ms: 100_000 };
  const failures = new RecentFailures({ now: () => time.ms });
  failures.heard('n1', [move('a', 10_000)]);
  time.ms += 10_000;
  failures.heard('n1', [move('b', 0), move('a', 21_000)]);
  t.match(failures.list(), [
    { id: 'b', node: 'n1', endedAtMs: 110_000 },
    { id: 'a', node: 'n1', endedAtMs: 90_000 },
  ]);
  failures.heard('n1', [{ ...move('a', 0), phase: 'Canceled' }]);
  t.match(failures.list()[0], { id: 'a', phase: 'Canceled' });
});

t.test('a move that the controller has ended is among them', async t => {
  const failures = new RecentFailures({ now: () => 7 });
  failures.ended(move('a', 5), '');
  t.match(failures.list(), [{ id: 'a', phase: 'Failed', code: '', node: '', endedAtMs: 7 }]);
});

t.test('the newest 200 are kept, however often older ones are said', async t => {
  const failures = new RecentFailures({ now: () => 1_000_000 });
  for (let index = 0; index < 250; index += 1) failures.heard('n', [move(`m${index}`, index)]);
  failures.heard('n', [move('m249', 249), move('m0', 0)]);
  const ids = failures.list().map(({ id }) => id);
  t.equal(ids.length, 200);
  t.strictSame([ids[0], ids.at(-1)], ['m0', 'm199']);
});

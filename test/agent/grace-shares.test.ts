import t from 'tap';
import { shareGrace } from '#agent/grace-shares.ts';

t.test('moves get most of the grace period, however short it is', async t => {
  for (const graceMs of [1000, 5000, 25_000, 55_000, 600_000]) {
    const shares = Object.values<number>({ ...shareGrace(graceMs) });
    const othersMs = shares.reduce((sum, ms) => sum + ms);
    t.ok(graceMs - othersMs >= 0.6 * graceMs, `${graceMs} ms`);
    t.ok(Math.min(...shares) > 0, 'and nobody gets nothing');
  }
});

t.test('a long grace period is not for looking and tidying', async t => {
  const seconds = { successorMs: 10_000, eventsMs: 2000, settleMs: 1000, closeMs: 2000 };
  t.strictSame(shareGrace(600_000), seconds);
});

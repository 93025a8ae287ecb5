import t from 'tap';
import { PAUSE_MS_MAX, pauseMs, readBoot } from '#engine/cache/repository-age.ts';

const HOUR_MS = 60 * 60 * 1000;
const YEAR_MS = 365 * 24 * HOUR_MS;
const NOTED = { wallMs: 1.7e12, bootId: 'a', uptimeMs: 5 * HOUR_MS };

const ROWS = [
  {
    title: 'within one start of the machine its uptime counts',
    now: { wallMs: 1.7e12 + HOUR_MS, bootId: 'a', uptimeMs: 6 * HOUR_MS },
    expected: HOUR_MS,
  },
  {
    title: 'there a wall clock that steps forward plays no part',
    now: { wallMs: 1.7e12 + 10 * YEAR_MS, bootId: 'a', uptimeMs: 6 * HOUR_MS },
    expected: HOUR_MS,
  },
  {
    title: 'nor does one that steps back',
    now: { wallMs: 0, bootId: 'a', uptimeMs: 6 * HOUR_MS },
    expected: HOUR_MS,
  },
  {
    title: 'an uptime that began anew within one start, as a container’s may, is nothing',
    now: { wallMs: 1.7e12 + HOUR_MS, bootId: 'a', uptimeMs: HOUR_MS },
    expected: 0,
  },
  {
    title: 'after another start the wall clock counts',
    now: { wallMs: 1.7e12 + HOUR_MS, bootId: 'b', uptimeMs: 2 * HOUR_MS },
    expected: HOUR_MS,
  },
  {
    title: 'but for no longer than the machine is up',
    now: { wallMs: 1.7e12 + YEAR_MS, bootId: 'b', uptimeMs: 2 * HOUR_MS },
    expected: 2 * HOUR_MS,
  },
  {
    title: 'and never backwards',
    now: { wallMs: 5000, bootId: 'b', uptimeMs: 2 * HOUR_MS },
    expected: 0,
  },
  {
    title: 'a pause is a day at most',
    now: { wallMs: 1.7e12 + YEAR_MS, bootId: 'a', uptimeMs: YEAR_MS },
    expected: PAUSE_MS_MAX,
  },
  {
    title: 'on a machine that does not say which start it is, no uptime is believed alone',
    noted: { wallMs: 1.7e12, bootId: '', uptimeMs: 0 },
    now: { wallMs: 1.7e12 + HOUR_MS, bootId: '', uptimeMs: 9 * HOUR_MS },
    expected: HOUR_MS,
  },
];

for (const { title, noted = NOTED, now, expected } of ROWS) {
  t.test(title, async t => {
    t.equal(pauseMs(noted, now), expected);
  });
}

t.test('this machine tells which start it is', async t => {
  t.match(readBoot(), { bootId: /^[0-9a-f-]{36}$/ });
  t.ok(readBoot().uptimeMs > 0);
  t.equal(readBoot().bootId, readBoot().bootId);
});

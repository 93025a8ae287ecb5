// Windows of rates by the clock of a time zone, changes to and from summer time included.

import t from 'tap';
import { RateWindows } from '#controller/bandwidth/rate-windows.ts';

const OFFICE = {
  name: 'office hours',
  from: '0 8 * * 1-5',
  until: '0 18 * * 1-5',
  timeZone: 'Europe/Berlin',
  uploadBytesPerSecond: 50e6,
};

function at(windows: RateWindows, time: string) {
  return windows.at(Date.parse(time));
}

t.test('a window is open from one time until the other, weekends excepted', async t => {
  const windows = new RateWindows({ uploadBytesPerSecond: 200e6 }, [OFFICE]);
  const cases = [
    { time: '2026-11-26T06:59:59.999Z', upload: 200e6, until: '2026-11-26T07:00:00Z' },
    { time: '2026-11-26T07:00:00.000Z', upload: 50e6, until: '2026-11-26T17:00:00Z' },
    { time: '2026-11-26T16:59:59.999Z', upload: 50e6, until: '2026-11-26T17:00:00Z' },
    { time: '2026-11-26T17:00:00.000Z', upload: 200e6, until: '2026-11-27T07:00:00Z' },
    { time: '2026-11-27T17:00:00.500Z', upload: 200e6, until: '2026-11-30T07:00:00Z' },
    { time: '2026-11-29T11:00:00.000Z', upload: 200e6, until: '2026-11-30T07:00:00Z' },
  ];
  for (const { time, upload, until } of cases) {
    const rates = at(windows, time);
    t.equal(rates.uploadBytesPerSecond, upload, time);
    t.equal(rates.untilMs, Date.parse(until), `${time}: looked at again in time`);
    t.equal(rates.window, upload === 50e6 ? 'office hours' : undefined);
  }
});

t.test('eight in the morning is eight in the morning in summer too', async t => {
  const windows = new RateWindows({}, [OFFICE]);
  t.equal(at(windows, '2026-07-01T05:59:59Z').window, undefined);
  t.equal(at(windows, '2026-07-01T06:00:00Z').window, 'office hours');
  const tokyo = new RateWindows({}, [{ ...OFFICE, timeZone: 'Asia/Tokyo' }]);
  t.equal(at(tokyo, '2026-07-01T00:00:00Z').window, 'office hours');
});

t.test('a window over midnight and over the hour that does not exist', async t => {
  const night = { ...OFFICE, name: 'night', from: '30 2 * * *', until: '0 4 * * *' };
  const windows = new RateWindows({}, [night]);
  // On 29 March 2026 two o'clock is followed by three o'clock in Berlin.
  t.equal(at(windows, '2026-03-29T01:45:00Z').window, 'night');
  t.equal(at(windows, '2026-03-29T02:00:00Z').window, undefined);
  const over = new RateWindows({}, [{ ...OFFICE, from: '0 22 * * *', until: '0 6 * * *' }]);
  t.equal(at(over, '2026-11-26T23:30:00Z').window, 'office hours');
  t.equal(at(over, '2026-11-26T05:00:00Z').window, undefined);
});

t.test(
  'of several open windows the first says what holds, all that it does not say is free',
  async t => {
    const always = { ...OFFICE, name: 'always', from: '0 0 * * *', until: '0 0 1 1 *' };
    const windows = new RateWindows({ downloadBytesPerSecond: 1 }, [
      OFFICE,
      { ...always, uploadBytesPerSecond: undefined, downloadBytesPerSecond: 0 },
    ]);
    const noon = at(windows, '2026-11-26T11:00:00Z');
    t.match(noon, { window: 'office hours', uploadBytesPerSecond: 50e6 });
    t.equal(noon.downloadBytesPerSecond, undefined);
    t.match(at(windows, '2026-11-26T20:00:00Z'), { window: 'always', downloadBytesPerSecond: 0 });
  },
);

t.test('without windows the rates hold for ever', async t => {
  const rates = new RateWindows({ uploadBytesPerSecond: 7 }, []).at(0);
  t.match(rates, { uploadBytesPerSecond: 7, window: undefined, untilMs: undefined });
});

t.test('what is no time is refused with the reason', async t => {
  const wrong = [{ from: '0 25 * * *' }, { until: 'soon' }, { timeZone: 'Europe/Atlantis' }];
  for (const part of [...wrong, { from: '* * * * * *' }]) {
    t.throws(() => new RateWindows({}, [{ ...OFFICE, ...part }]), { code: 'USAGE' });
  }
});

t.test('people are told which windows are open, which of them holds, and what comes', async t => {
  const always = { ...OFFICE, name: 'always', from: '0 0 * * *', until: '0 0 30 2 *' };
  const windows = new RateWindows({ uploadBytesPerSecond: 200e6 }, [OFFICE, always]);
  const [office, other] = windows.describe(Date.parse('2026-11-26T09:00:00Z'));
  t.match(office, {
    ...{ name: 'office hours', isOpen: true, holds: true, uploadBytesPerSecond: 50e6 },
    opensMs: Date.parse('2026-11-27T07:00:00Z'),
    closesMs: Date.parse('2026-11-26T17:00:00Z'),
  });
  t.match(other, { isOpen: true, holds: false, closesMs: undefined });
  const [closed, holding] = windows.describe(Date.parse('2026-11-28T09:00:00Z'));
  t.match(
    [closed, holding],
    [
      { isOpen: false, holds: false },
      { isOpen: true, holds: true },
    ],
  );
  t.equal(windows.outside.uploadBytesPerSecond, 200e6);
});

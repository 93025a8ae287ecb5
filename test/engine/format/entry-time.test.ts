import t from 'tap';
import { formatTimestamp, parseTimestamp } from '#engine/base/timestamp.ts';
import {
  formatEntryTime,
  joinNanoseconds,
  parseEntryTime,
  splitNanoseconds,
  wrapEntryTime,
} from '#engine/format/entry-time.ts';
import { newSeed, seededRandom } from '#test/support/seeded.ts';

t.test('times have the form of the reference', async t => {
  const cases: [number, number, string][] = [
    [0, 0, '1970-01-01T00:00:00Z'],
    [1767323045, 678_900_000, '2026-01-02T03:04:05.6789Z'],
    [-1, 999_999_999, '1969-12-31T23:59:59.999999999Z'],
    [-86_400, 1, '1969-12-31T00:00:00.000000001Z'],
    [1e9, 120_000_000, '2001-09-09T01:46:40.12Z'],
    [1e9, 1000, '2001-09-09T01:46:40.000001Z'],
  ];
  for (const [seconds, nanoseconds, text] of cases) {
    t.equal(formatEntryTime(seconds, nanoseconds), text);
    t.same(parseEntryTime(text), { seconds, nanoseconds });
  }
});

t.test('times beyond 64 bits of nanoseconds wrap around as in Go', async t => {
  // Go's zero time through UnixNano, as Velero stores it for block devices.
  const zero = { seconds: -62_135_596_800, nanoseconds: 0 };
  t.equal(formatEntryTime(zero.seconds, 0), '1754-08-30T22:43:41.128654848Z');
  t.same(parseEntryTime('0001-01-01T00:00:00Z'), wrapEntryTime(zero));
  t.equal(formatEntryTime(13_569_465_600, 0), '1815-06-13T00:25:26.290448384Z');
  t.equal(wrapEntryTime(splitNanoseconds(5n)).nanoseconds, 5);
});

t.test('offsets and long fractions are read', async t => {
  const expected = { seconds: 1767323045, nanoseconds: 678_900_000 };
  t.same(parseEntryTime('2026-01-01T22:04:05.6789-05:00'), expected);
  t.same(parseEntryTime('2026-01-02T03:04:05.678900000999Z'), expected);
});

t.test('what is no time is refused', async t => {
  const texts = ['', 'now', '2026-13-01T00:00:00Z', '2026-02-30T00:00:00Z', '2026-01-01 00:00:00Z'];
  for (const text of [...texts, '2026-01-01T00:00:00', '2026-1-1T00:00:00Z']) {
    t.equal(parseEntryTime(text), undefined, text);
  }
});

t.test('the fast paths agree with the slow ones', async t => {
  const seed = newSeed();
  const random = seededRandom(seed);
  for (let round = 0; round < 3000; round++) {
    const seconds = random(2 ** 31) * (random(2) === 0 ? 1 : -4) + random(1000);
    const nanoseconds = random(10 ** random(10)) * 10 ** random(2);
    const time = { seconds, nanoseconds: nanoseconds % 1e9 };
    const text = formatEntryTime(time.seconds, time.nanoseconds);
    const joined = joinNanoseconds(time);
    t.equal(text, formatTimestamp(joined), `seed ${seed}`);
    t.same(parseEntryTime(text), time, `seed ${seed}`);
    t.equal(parseTimestamp(text), joined, `seed ${seed}`);
    t.same(splitNanoseconds(joined), time, `seed ${seed}`);
  }
});

t.test('more days than are remembered make no difference', async t => {
  for (let day = 0; day < 5000; day++) {
    const text = formatEntryTime(day * 86_400, 0);
    if (parseEntryTime(text)?.seconds !== day * 86_400) t.fail(text);
  }
  t.pass('5,000 days');
});

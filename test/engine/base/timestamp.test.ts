import t from 'tap';
import { formatSeconds, formatTimestamp, parseTimestamp } from '#engine/base/timestamp.ts';

const SECOND = 1_000_000_000n;

t.test('RFC 3339 text becomes nanoseconds since 1970', async t => {
  const table: readonly [text: string, nanoseconds: bigint][] = [
    ['1970-01-01T00:00:00Z', 0n],
    ['1970-01-01T00:00:00.000000001Z', 1n],
    ['1969-12-31T23:59:59.5Z', -SECOND / 2n],
    ['2026-01-02T03:04:05.6789Z', 1_767_323_045n * SECOND + 678_900_000n],
    ['2026-01-02T03:04:05.1234567899Z', 1_767_323_045n * SECOND + 123_456_789n],
    ['2026-01-02T05:04:05+02:00', 1_767_323_045n * SECOND],
    ['2026-01-01T15:34:05-11:30', 1_767_323_045n * SECOND],
    ['2024-02-29T23:59:59Z', 1_709_251_199n * SECOND],
    ['0001-01-01T00:00:00Z', -62_135_596_800n * SECOND],
    ['0099-12-31T00:00:00Z', -59_011_545_600n * SECOND],
  ];
  for (const [text, nanoseconds] of table) t.equal(parseTimestamp(text), nanoseconds, text);
});

t.test('what no calendar and no clock shows is refused', async t => {
  const refused = [
    '',
    'yesterday',
    '2026-01-02',
    '2026-01-02 03:04:05Z',
    '2026-01-02T03:04:05',
    '2026-01-02T03:04:05z',
    '2026-00-02T03:04:05Z',
    '2026-13-02T03:04:05Z',
    '2026-01-00T03:04:05Z',
    '2026-01-32T03:04:05Z',
    '2026-02-29T03:04:05Z',
    '2026-04-31T03:04:05Z',
    '2026-01-02T24:00:00Z',
    '2026-01-02T03:60:05Z',
    '2026-01-02T03:75:05Z',
    '2026-01-02T03:04:60Z',
    '2026-01-02T03:04:05.Z',
    '2026-01-02T03:04:05,5Z',
    '2026-01-02T03:04:05+24:00',
    '2026-01-02T03:04:05+01:60',
    '12026-01-02T03:04:05Z',
  ];
  for (const text of refused) t.equal(parseTimestamp(text), undefined, text);
});

t.test('zeros at the end of the fraction are trimmed', async t => {
  t.equal(formatTimestamp(0n), '1970-01-01T00:00:00Z');
  t.equal(formatTimestamp(120_000_000n), '1970-01-01T00:00:00.12Z');
  t.equal(formatTimestamp(1n), '1970-01-01T00:00:00.000000001Z');
  t.equal(formatTimestamp(-1n), '1969-12-31T23:59:59.999999999Z');
  t.equal(formatSeconds(-1, 500_000_000), '1969-12-31T23:59:59.5Z');
});

t.test('a time survives being written and read', async t => {
  for (const time of [-(2n ** 63n), -SECOND - 1n, -1n, 0n, 999_999_999n, 2n ** 63n - 1n]) {
    t.equal(parseTimestamp(formatTimestamp(time)), time, String(time));
  }
});

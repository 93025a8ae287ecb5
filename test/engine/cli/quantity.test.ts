import t from 'tap';
import {
  counted,
  formatAge,
  formatBytes,
  formatDuration,
  formatRate,
  formatShare,
  parseBytes,
} from '#engine/cli/quantity.ts';

const MIB = 2 ** 20;

t.test('sizes have a unit and at most three significant digits', async t => {
  const rows: [number, string][] = [
    [0, '0 B'],
    [1, '1 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [1700, '1.66 KiB'],
    [20 * MIB, '20 MiB'],
    [20.5 * MIB, '20.5 MiB'],
    [345.6 * MIB, '346 MiB'],
    [1023.7 * MIB, '1 GiB'],
    [3 * 2 ** 40, '3 TiB'],
    [-1536, '-1.5 KiB'],
  ];
  for (const [bytes, text] of rows) t.equal(formatBytes(bytes), text, String(bytes));
});

t.test('durations have two units at most', async t => {
  const rows: [number, string][] = [
    [0, '0 ms'],
    [999, '999 ms'],
    [1000, '1 s'],
    [3450, '3.5 s'],
    [9960, '10 s'],
    [59_400, '59 s'],
    [59_600, '1 min'],
    [125_000, '2 min 5 s'],
    [3_599_700, '1 h'],
    [12_000_000, '3 h 20 min'],
    [356_400_000, '4 d 3 h'],
  ];
  for (const [ms, text] of rows) t.equal(formatDuration(ms), text, String(ms));
});

t.test('ages look both ways', async t => {
  const now = Date.UTC(2026, 10, 20, 12);
  t.equal(formatAge(now - 5_000, now), 'just now');
  t.equal(formatAge(now - 60_000, now), '1 minute ago');
  t.equal(formatAge(now - 2 * 3_600_000, now), '2 hours ago');
  t.equal(formatAge(now - 800 * 86_400_000, now), '2 years ago');
  t.equal(formatAge(now + 7_200_000, now), 'in 2 hours');
});

t.test('a share is 0 % or 100 % only when it is exactly that', async t => {
  t.equal(formatShare(0, 10_000), '0 %');
  t.equal(formatShare(1, 10_000), '1 %');
  t.equal(formatShare(9_999, 10_000), '99 %');
  t.equal(formatShare(10_000, 10_000), '100 %');
  t.equal(formatShare(0, 0), '-');
});

t.test('counts and rates read well', async t => {
  t.equal(counted(1, 'file'), '1 file');
  t.equal(counted(1234567, 'file'), '1,234,567 files');
  t.equal(counted(2, 'directory', 'directories'), '2 directories');
  t.equal(formatRate(10 * MIB, 2000), '5 MiB/s');
  t.equal(formatRate(10, 0), '-');
});

t.test('sizes are read in units of 1024', async t => {
  const cases = [
    ['0', 0],
    ['500', 500],
    ['10b', 10],
    ['10K', 10_240],
    ['1.5 MiB', 1_572_864],
    ['2g', 2 ** 31],
    ['1TB', 2 ** 40],
    ['', undefined],
    ['K', undefined],
    ['1 P', undefined],
    ['1e3', undefined],
    ['-1', undefined],
  ] as const;
  for (const [text, bytes] of cases) t.equal(parseBytes(text), bytes, text);
});

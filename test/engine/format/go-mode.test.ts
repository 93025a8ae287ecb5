import t from 'tap';
import { formatGoMode, parseGoMode } from '#engine/format/go-mode.ts';

t.test("the bits beyond the permissions are Go's", async t => {
  const cases: [number, string][] = [
    [0o4755, '040000755'],
    [0o2755, '020000755'],
    [0o1777, '04000777'],
    [0o644, '0644'],
    [0o7000, '064000000'],
    [0o001, '01'],
    [0, ''],
  ];
  for (const [mode, text] of cases) {
    t.equal(formatGoMode(mode), text);
    if (text !== '') t.equal(parseGoMode(text), mode);
  }
});

t.test('type bits are not written', async t => {
  t.equal(formatGoMode(0o100644), '0644');
});

t.test('all modes convert both ways', async t => {
  for (let mode = 1; mode < 0o10000; mode++) {
    if (parseGoMode(formatGoMode(mode)) !== mode) t.fail(formatGoMode(mode));
  }
  t.pass('4,095 modes');
});

t.test('numbers are read as Go reads them, whatever their base', async t => {
  const cases: [string, number][] = [
    ['0', 0],
    ['00644', 0o644],
    ['0o644', 0o644],
    ['0x1a4', 0o644],
    ['0b110', 0o6],
    ['420', 0o644],
    ['0_644', 0o644],
    ['0100644', 0o644],
  ];
  for (const [text, mode] of cases) t.equal(parseGoMode(text), mode, text);
});

t.test('what Go refuses is refused', async t => {
  for (const text of ['', '0899', 'rwx', '-0644', '0x', '1e3', '0644 ', '020000000000', '1.0']) {
    t.equal(parseGoMode(text), undefined, text);
  }
});

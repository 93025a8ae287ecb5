import t from 'tap';

import { IGNORE_FILE_BYTES_MAX, ignoreFileLines } from '#engine/snapshot/source/ignore-file.ts';

const linesOf = (text: string | Uint8Array) =>
  ignoreFileLines(new Uint8Array(Buffer.from(text))).map(({ text: line }) =>
    Buffer.from(line).toString(),
  );

t.test('comments, blank lines and line ends of both kinds are no patterns', async t => {
  t.same(linesOf('#a\n\n  \t\n b\r\nc #\n #d\n\ufeff#e\nlast'), [
    ' b',
    'c #',
    ' #d',
    '\ufeff#e',
    'last',
  ]);
  t.same(linesOf(''), []);
});

t.test('lines are numbered as an editor numbers them', async t => {
  const lines = ignoreFileLines(new Uint8Array(Buffer.from('# why\r\n\na\n \nb')));
  t.same(
    lines.map(({ number }) => number),
    [3, 5],
  );
});

t.test('reading ends at a line of 64 KiB, as kopia ends', async t => {
  t.same(linesOf(`a\n#${'x'.repeat(65_534)}\nb\n`), ['a', 'b']);
  t.same(linesOf(`a\n#${'x'.repeat(65_535)}\nb\n`), ['a']);
  t.same(linesOf(`a\n${' '.repeat(65_530)}*.log`).length, 2);
  t.same(linesOf(`a\n${' '.repeat(65_531)}*.log`), ['a']);
});

t.test('a file beyond the limit is refused', async t => {
  const text = new Uint8Array(IGNORE_FILE_BYTES_MAX + 1);
  t.throws(() => ignoreFileLines(text), { code: 'LIMIT_EXCEEDED' });
});

import t from 'tap';
import { renderFields, renderTable } from '#engine/cli/table.ts';
import { columnsOf, safeText, shortened } from '#engine/cli/terminal-text.ts';

t.test('what a terminal would act on is shown and not done', async t => {
  t.equal(safeText('\u001b[2Jgone'), '\\x1b[2Jgone');
  t.equal(safeText('a\nb\r\tc'), 'a\\nb\\r\\tc');
  t.equal(safeText('\u009b31mred'), '\\x9b31mred');
  t.equal(safeText('gpj.\u202eexe'), 'gpj.\\u202eexe');
  t.equal(safeText('\ud800'), '\\ud800');
  t.equal(safeText('\u007f\u0000'), '\\x7f\\x00');
});

t.test('ordinary names stay as they are, those that look escaped are told apart', async t => {
  for (const name of ['a b', 'naïve', '日本', '🙂', 'back\\slash', '\\n']) {
    t.equal(safeText(name), name);
  }
  t.equal(safeText('\\n\n'), '\\\\n\\n');
});

t.test('columns count wide characters twice and marks not at all', async t => {
  t.equal(columnsOf('abc'), 3);
  t.equal(columnsOf('日本'), 4);
  t.equal(columnsOf('🙂'), 2);
  t.equal(columnsOf('e\u0301'), 1);
});

t.test('long text loses its middle', async t => {
  t.equal(shortened('abcdef', 6), 'abcdef');
  t.equal(shortened('/usr/share/doc/readme', 10), '/us…readme');
  t.equal(shortened('/usr/share/doc/readme', 10).length, 10);
  t.equal(shortened('abc', 2), 'ab');
});

t.test('tables align, whatever the width of their cells', async t => {
  const rows = [
    { name: 'a', size: '1' },
    { name: '日本', size: '100' },
  ];
  const text = renderTable(
    [
      { title: 'name', text: row => row.name },
      { title: 'size', isRight: true, text: row => row.size },
    ],
    rows,
  );
  t.equal(text, 'name  size\na        1\n日本   100\n');
  t.equal(
    renderFields([
      ['a', '1'],
      ['bcd', '2'],
    ]),
    '  a    1\n  bcd  2\n',
  );
});

import t from 'tap';
import { blocksIn } from './page-blocks.ts';
import { commandBlocks, ROWS, rowOf } from './where-blocks-run.ts';

t.test('every block of commands is run somewhere, or it is said why not', async t => {
  const blocks = commandBlocks();
  t.ok(blocks.length > 30);
  for (const block of blocks) {
    const { place, why } = rowOf(block) ?? {};
    t.ok(place ?? why, `${block.page}:${block.line} has a row in test/docs/where-blocks-run.ts`);
  }
});

t.test('every row is of a block, and says one of both', async t => {
  const used = new Set(commandBlocks().map(rowOf));
  for (const row of ROWS) {
    const { page, section = '', having = '', place, why } = row;
    t.ok(used.has(row), `${page} ${section} ${having} has a block`);
    t.not(place === undefined, why === undefined, page);
  }
});

t.test('a block knows its line, its heading and its language', async t => {
  const text = '# Page\n\n```sh\none\n```\n\n## Part\n\n  ```yaml title\n  two: 2\n  ```\n';
  t.same(blocksIn('a.md', text), [
    { page: 'a.md', line: 3, section: 'Page', language: 'sh', text: 'one' },
    { page: 'a.md', line: 9, section: 'Part', language: 'yaml', text: 'two: 2' },
  ]);
  t.throws(() => blocksIn('a.md', '```sh\none\n'), /a\.md:1 a block has no end/);
});

import t from 'tap';
import { wrapComments } from './wrap-comments.ts';

const long = (lead: string) => `${lead}${'word '.repeat(19)}tail`;

t.test('what is too wide goes on in the next line of the paragraph', async t => {
  const wrapped = wrapComments(`${long('// ')} end\n// of it.\ncode();\n`);
  t.equal(wrapped, `// ${'word '.repeat(19).trim()}\n// tail end of it.\ncode();\n`);
});

t.test('lists, tags and blank lines begin something new', async t => {
  for (const next of ['// - item', '//   code', '//', '// @throws X', 'code();']) {
    const [, second, third] = wrapComments(`${long('// ')} end\n${next}`).split('\n');
    t.equal(second, '// tail end', next);
    t.equal(third, next);
  }
});

t.test('a comment of one line becomes a block', async t => {
  t.equal(
    wrapComments(`  /** ${'word '.repeat(18)}more */\n  code();`),
    `  /**\n   * ${'word '.repeat(18)}more\n   */\n  code();`,
  );
});

t.test('code, and what has no blank to break at, stays as it is', async t => {
  for (const line of [`// ${'x'.repeat(120)}`, `const a = '${'word '.repeat(30)}';`, '// short']) {
    t.equal(wrapComments(line), line);
  }
});

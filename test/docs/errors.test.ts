import { readFileSync } from 'node:fs';
import t from 'tap';
import { ERROR_CODES } from '#engine/base/error-codes.ts';

const text = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
const sections = text
  .split(/^### /m)
  .slice(1)
  .map(section => {
    const [title = '', ...lines] = section.split('\n');
    return {
      title,
      body: lines
        .join('\n')
        .replace(/^## .*$/m, '')
        .trim(),
    };
  });

t.test('docs/errors.md has one paragraph for each code and for nothing else', async t => {
  const titles = sections.map(({ title }) => title);
  t.strictSame(titles.toSorted(), Object.keys(ERROR_CODES).toSorted());
});

t.test('the paragraphs stand in the order of the codes', async t => {
  t.strictSame(
    sections.map(({ title }) => title),
    Object.keys(ERROR_CODES),
  );
});

t.test('each says more than its name', async t => {
  for (const { title, body } of sections) {
    t.ok(body.split(/\s+/).length >= 12, `${title} has ${body.split(/\s+/).length} words`);
    t.notOk(body.includes('\n\n'), `${title} is one paragraph`);
  }
});

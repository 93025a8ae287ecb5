// docs/README.md leads to every page, and the README of the repository to it.

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { REPOSITORY_ROOT } from '#test/tidy/source-files.ts';

const read = (page: string) => readFileSync(join(REPOSITORY_ROOT, page), 'utf8');
const pages = globSync('*.md', { cwd: join(REPOSITORY_ROOT, 'docs') });
const index = read('docs/README.md');

t.test('the index leads to every page', async t => {
  for (const page of pages.filter(page => page !== 'README.md')) {
    t.match(index, new RegExp(`\\]\\(${page}[)#]`), page);
  }
});

t.test('it is begun at the README of the repository', async t => {
  t.match(read('README.md'), '](docs/README.md)');
});

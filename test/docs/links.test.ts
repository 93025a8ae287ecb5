// The documentation points only to what is there, and to itself by headings that exist.

import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { STORAGE_URL_PARAMETERS } from '#engine/storage/storage-url.ts';
import { GLOBAL_OPTIONS, VERBS } from '#engine/cli/verbs.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const pages = globSync(['*.md', 'docs/**/*.md', 'changelog/**/*.md'], { cwd: root });

function read(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

/** As GitHub makes them from headings. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

for (const page of pages) {
  t.test(`links of ${page} lead somewhere`, async t => {
    const text = read(page).replace(/```.*?```/gs, '');
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      t.ok(existsSync(join(root, file)), target);
      if (anchor !== undefined) t.ok(anchorsOf(read(file)).includes(anchor), target);
    }
    for (const [, path = ''] of text.matchAll(/`((?:agent|test|docs)\/[\w./-]+)`/g)) {
      t.ok(existsSync(join(root, path)), path);
    }
  });
}

t.test('docs/cli.md lists every parameter of a storage address', async t => {
  const text = read('docs/cli.md');
  for (const { scheme, name } of STORAGE_URL_PARAMETERS) {
    t.match(text, `| \`${scheme}\` | \`${name}\` |`);
  }
});

t.test('docs/cli.md uses every verb and no option that there is not', async t => {
  const text = read('docs/cli.md');
  for (const { words } of VERBS) t.match(text, `stevedore ${words.join(' ')}`);
  const rows = [...GLOBAL_OPTIONS, ...VERBS.flatMap(verb => verb.options)];
  const known = new Set(rows.map(({ flags }) => /--[a-z-]+/.exec(flags)?.[0]));
  const own = text.split('\n').filter(line => !line.includes('kopia '));
  for (const [option] of own.join('\n').matchAll(/(?<![\w-])--[a-z][a-z-]*/g)) {
    t.ok(known.has(option), option);
  }
});

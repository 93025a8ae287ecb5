import { chmodSync, lutimesSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { changeTree } from './change-tree.ts';
import { Random } from './random.ts';
import { compareTrees, digestTree } from './tree-digest.ts';

t.test('every kind of change to a tree is seen, and nothing else is', async t => {
  const directory = t.testdir({ a: { b: 'text' }, c: '' });
  const [file, link] = [join(directory, 'a/b'), join(directory, 'link')];
  symlinkSync('x', link);
  lutimesSync(link, 1, 1);
  utimesSync(file, 1, 1);
  const changes: [string, () => void][] = [
    ['/a/b', () => chmodSync(file, 0o600)],
    ['/a/b', () => utimesSync(file, 1, 1.5)],
    ['/link', () => lutimesSync(link, 2, 2)],
    [
      '/c',
      () => {
        const path = join(directory, 'c');
        writeFileSync(path, '1');
      },
    ],
  ];
  for (const [path, change] of changes) {
    const before = await digestTree(directory);
    t.strictSame(compareTrees(before, await digestTree(directory)), []);
    change();
    const found = compareTrees(before, await digestTree(directory));
    t.equal(found.length, 1);
    t.ok(found[0]?.startsWith(`${path}: `), found[0]);
    t.strictSame(compareTrees(before, await digestTree(directory), new Set([path])), []);
  }
});

t.test('names that are not UTF-8 are compared by their bytes', async t => {
  const directory = t.testdir({});
  const before = await digestTree(directory);
  writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xff, 0xfe])]), 'x');
  const found = compareTrees(before, await digestTree(directory));
  t.ok(found.some(line => line.startsWith('/\u00ff\u00fe: nothing -> ')));
});

t.test('a day of changes touches what it says, whatever the directory holds', async t => {
  const full = t.testdir({ dir: { a: 'a' }, b: 'bb', c: 'ccc', d: 'dddd' });
  const before = await digestTree(full);
  t.equal((await changeTree(full, new Random(1))).length, 6);
  t.ok(compareTrees(before, await digestTree(full)).length >= 5);
  const empty = t.testdir({});
  t.strictSame(await changeTree(empty, new Random(1)), ['1 added']);
});

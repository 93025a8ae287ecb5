import t from 'tap';
import { diffSnapshots } from '#engine/snapshot/diff.ts';
import { MemoryContents } from '#test/support/memory-contents.ts';
import { manifestsOver, putSnapshot, storeTree, type Node } from '#test/support/stored-tree.ts';

const file = (text: string, metadata = {}): Node => ({ file: text, ...metadata });

async function diff(before: Node, after: Node) {
  const contents = new MemoryContents();
  const manifests = manifestsOver(contents);
  const [a, b] = [before, after].map(node => putSnapshot(manifests, storeTree(contents, node)));
  contents.reads.length = 0;
  const lines: string[] = [];
  for await (const { path, kind, attributes } of diffSnapshots({ contents, manifests }, a, b)) {
    lines.push([kind, path, ...attributes].join(' '));
  }
  return { lines, reads: contents.reads.length };
}

t.test('equal trees have no differences and are not opened', async t => {
  const tree: Node = { directory: [['d', { directory: [['a', file('a')]] }]] };
  t.same(await diff(tree, tree), { lines: [], reads: 0 });
});

t.test('what was added, removed and changed is named with its attributes', async t => {
  const before: Node = {
    directory: [
      ['same', { directory: [['a', file('a')]] }],
      ['gone', { directory: [['x', { directory: [['y', file('y')]] }]] }],
      ['attributes', file('a', { mode: 0o600 })],
      ['bytes', file('old')],
      ['length', file('old')],
      ['kind', { directory: [['k', file('k')]] }],
      ['deep', { directory: [['er', { directory: [['file', file('1')]] }]] }],
    ],
  };
  const after: Node = {
    directory: [
      ['same', { directory: [['a', file('a')]] }],
      ['attributes', file('a', { mode: 0o644, uid: 77, gid: 78, mtimeNanoseconds: 1 })],
      ['bytes', file('new')],
      ['length', file('newer')],
      ['kind', { link: 'k', mode: 0o755 }],
      ['deep', { directory: [['er', { directory: [['file', file('2')]] }]] }],
      ['new', { directory: [['n', file('n')]] }],
    ],
  };
  const { lines, reads } = await diff(before, after);
  t.same(lines, [
    'changed attributes mode uid gid mtime',
    'changed bytes content',
    'changed deep/er/file content',
    'removed gone',
    'removed gone/x',
    'removed gone/x/y',
    'changed kind type mode size content',
    'removed kind/k',
    'changed length size content',
    'added new',
    'added new/n',
  ]);
  t.equal(reads, 2 + 4 + 2 + 1 + 1, 'directories that are equal are not read');
});

t.test('files, and names that read the same, can be compared', async t => {
  t.same((await diff(file('a'), file('b'))).lines, ['changed  content']);
  const twice = (text: string): Node => ({
    directory: [
      ['\ufffd', file('first')],
      ['\ufffd', file(text)],
    ],
  });
  t.same((await diff(twice('second'), twice('others'))).lines, ['changed \ufffd content']);
});

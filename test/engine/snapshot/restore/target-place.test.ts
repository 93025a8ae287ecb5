import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  isSamePlace,
  isWithin,
  placeOfDirectory,
  placeOfEntry,
} from '#engine/snapshot/restore/target-place.ts';
import type { Node } from '#test/support/stored-tree.ts';
import { isRoot, sceneOf, small } from './restore-scene.ts';

t.test('a place is the same by whichever path, there or not', async t => {
  const root = t.testdir({ real: { sub: {} }, link: t.fixture('symlink', 'real') });
  const place = (path: string) => placeOfDirectory(join(root, path));
  const rows: readonly (readonly [string, string, boolean])[] = [
    ['real', 'link', true],
    ['real/sub', 'link/sub', true],
    ['real/new/er', 'link/new/er', true],
    ['real', 'real/sub', false],
    ['real/new', 'link/old', false],
    ['real/new/er', 'real/sub/er', false],
  ];
  for (const [a, b, expected] of rows) {
    t.equal(isSamePlace(await place(a), await place(b)), expected, `${a} and ${b}`);
  }
  t.ok(isWithin(await place('link/sub/new'), await place('real')));
  t.ok(isWithin(await place('link/new/er'), await place('real/new')));
  t.notOk(isWithin(await place('real'), await place('real/new')));
  t.notOk(isWithin(await place('real/newer'), await place('real/new')));
  const entry = await placeOfEntry(join(root, 'link'), 'file');
  t.ok(isSamePlace(entry, await placeOfEntry(join(root, 'real'), 'file')));
  t.notOk(isSamePlace(await placeOfEntry(root, 'link'), await place('real')));
});

t.test('targets that are one place by two paths are refused', async t => {
  const tree = { directory: [['a', { directory: [['one', small('1')]] }]] } as const;
  const existing = { real: {}, link: t.fixture('symlink', 'real') };
  const { directory, run, snapshot } = sceneOf(t, tree, existing);
  const rows: readonly (readonly [string, string])[] = [
    ['real', 'link'],
    ['real/new', 'link/new'],
    ['real', 'real/new/..'],
    ['link', 'link/'],
  ];
  for (const [first, second] of rows) {
    const further = [{ snapshot: `${snapshot}:/a`, target: `${directory}/${second}` }];
    const request = { target: `${directory}/${first}`, further };
    await t.rejects(run(request), { code: 'USAGE' }, `${first} and ${second}`);
  }
  const files = ['real', 'link'].map(name => ({
    snapshot: `${snapshot}:/a/one`,
    target: join(directory, name, 'file'),
  }));
  await t.rejects(run({ ...files[0], further: [files[1]] }), { code: 'USAGE' });
  t.same(fs.readdirSync(join(directory, 'real')), []);
});

t.test('a target in another by a link is refused where extra entries are removed', async t => {
  const tree = { directory: [['a', { directory: [['one', small('1')]] }]] } as const;
  const existing = { real: { mine: '' }, link: t.fixture('symlink', 'real') };
  const { directory, run, snapshot } = sceneOf(t, tree, existing);
  const further = [{ snapshot: `${snapshot}:/a`, target: join(directory, 'link/inner') }];
  const request = { target: join(directory, 'real'), overwrite: 'never', further } as const;
  await t.rejects(run({ ...request, deleteExtra: true }), { code: 'USAGE' });
  t.same(fs.readdirSync(join(directory, 'real')), ['mine']);
  await run(request);
  t.ok(fs.existsSync(join(directory, 'real/inner/one')));
});

t.test('a target in another is refused where files that are there are written over', async t => {
  const file = (text: string): Node => ({ file: text.repeat(3000), chunkBytes: 1000 });
  const of = (...directory: [string, Node][]): Node => ({ directory });
  const tree = of(['one', of(['sub', of(['f', file('a')])])], ['two', of(['f', file('b')])]);
  const { directory, run, ...scene } = sceneOf(t, tree, {
    tn: { sub: { f: 'c'.repeat(3000) } },
    link: t.fixture('symlink', 'tn/sub'),
  });
  const [one, two] = ['one', 'two'].map(name => `${scene.snapshot}:/${name}`);
  const tn = join(directory, 'tn');
  for (const mode of [
    { delta: true },
    { overwrite: 'if-different' },
    { overwrite: 'always' },
    { overwrite: 'if-different', delta: true },
  ] as const) {
    for (const [snapshot, target] of [
      [`${two}/f`, join(tn, 'sub/f')],
      [`${two}/f`, join(directory, 'link/f')],
      [`${two}/f`, `${tn}/sub/`],
      [two, join(tn, 'sub')],
      [two, join(tn, 'new')],
    ]) {
      const refused = { code: 'USAGE', message: /one is in the other; name places that are apart/ };
      const request = { snapshot: one, target: tn, further: [{ snapshot, target }], ...mode };
      await t.rejects(run(request), refused);
    }
  }
  t.equal(fs.readFileSync(join(tn, 'sub/f'), 'utf8'), 'c'.repeat(3000));
  t.notOk(fs.existsSync(join(tn, 'new')));
  const apart = [{ snapshot: `${two}/f`, target: join(directory, 'f') }];
  t.equal((await run({ snapshot: one, target: tn, further: apart, delta: true })).files, 2);
});

t.test('a bind of a directory is the directory', { skip: !isRoot && 'needs root' }, async t => {
  const root = t.testdir({ real: { sub: {} }, bind: {} });
  const [real, bind] = ['real', 'bind'].map(name => join(root, name));
  if (spawnSync('mount', ['--bind', real, bind]).status !== 0) {
    t.comment('skipped: mounts are not allowed here');
    return;
  }
  try {
    t.ok(isSamePlace(await placeOfDirectory(real), await placeOfDirectory(bind)));
    const inner = await placeOfDirectory(join(bind, 'sub'));
    t.ok(isWithin(inner, await placeOfDirectory(real)));
  } finally {
    spawnSync('umount', [bind]);
  }
});

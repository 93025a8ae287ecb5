import fs from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { planRestore } from '#engine/snapshot/restore/restore.ts';
import { isRoot, sceneOf, small } from './restore-scene.ts';

function scene(t: Test) {
  return sceneOf(
    t,
    { directory: [['a', small('bytes')]] },
    {
      file: 'mine',
      directory: {},
      dangling: t.fixture('symlink', 'gone'),
      loop: t.fixture('symlink', 'loop'),
      toFile: t.fixture('symlink', 'file'),
    },
  );
}

t.test('a target that is no directory is said to be what it is', async t => {
  const { directory, parts, snapshot, run } = scene(t);
  const rows = [
    ['file', /file is a file, and what is restored needs a directory there/],
    ['toFile', /toFile is a file, and/],
    ['dangling', /dangling is a link to gone, which is not there; remove the link or make/],
    ['loop', /loop is a link to loop, which is not there/],
    ['file/below/it', /\/file is a file, and/],
    ['dangling/below', /dangling is a link to gone, which/],
  ] as const;
  for (const [name, message] of rows) {
    const target = join(directory, name);
    for (const overwrite of [undefined, 'always'] as const) {
      const refused = { code: 'TARGET_NOT_WRITABLE', message };
      await t.rejects(run({ target, overwrite }), refused, name);
      await t.rejects(planRestore(parts, { snapshot, target, overwrite }), refused, name);
    }
  }
  t.equal(fs.readFileSync(join(directory, 'file'), 'utf8'), 'mine');
  t.same(fs.readdirSync(directory).length, 5);
});

t.test('nothing is made where one of several targets is in the way', async t => {
  const { directory, snapshot, run } = scene(t);
  const further = [{ snapshot, target: join(directory, 'file') }];
  await t.rejects(run({ target: join(directory, 'new'), further }), { message: /is a file/ });
  t.notOk(fs.existsSync(join(directory, 'new')));
});

t.test('a file goes into the directory that a slash at the end of its target means', async t => {
  const { directory, snapshot, parts, run } = scene(t);
  const one = { snapshot: `${snapshot}:/a` };
  const read = (path: string) => fs.readFileSync(join(directory, path), 'utf8');
  t.match(await planRestore(parts, { ...one, target: `${directory}/new/` }), { files: 1 });
  t.notOk(fs.existsSync(join(directory, 'new')));
  for (const [target, path] of [
    ['new/', 'new/a'],
    ['new/er//', 'new/er/a'],
    ['directory/', 'directory/a'],
    ['name', 'name'],
  ]) {
    const outcome = await run({ ...one, target: `${directory}/${target}` });
    t.match(outcome, { files: 1, directories: 0, differences: [] });
    t.equal(outcome.target, join(directory, target).replace(/\/+$/, ''));
    t.equal(read(path), 'bytes');
  }
  const target = `${directory}/file/`;
  for (const overwrite of [undefined, 'always'] as const) {
    await t.rejects(run({ ...one, target, overwrite }), { message: /is a file, and/ });
  }
  t.equal(read('file'), 'mine');
});

t.test('a directory that a slash means counts as what it becomes', async t => {
  const { directory, snapshot, run } = scene(t);
  const one = { snapshot: `${snapshot}:/a` };
  const further = [{ ...one, target: `${directory}/new` }];
  await run({ ...one, target: `${directory}/other/`, further });
  t.same(fs.readdirSync(join(directory, 'other')), ['a']);
  const same = [{ ...one, target: `${directory}/both/a` }];
  const both = run({ ...one, target: `${directory}/both/`, further: same });
  await t.rejects(both, { code: 'USAGE', message: /they are one place/ });
});

t.test('with several targets a path says in which it is', async t => {
  const { directory, snapshot, parts, run } = sceneOf(
    t,
    {
      directory: [
        ['a', small('bytes')],
        ['sub', { directory: [['b', small('more')]] }],
      ],
    },
    { one: { a: { in: 'the way' } }, other: { extra: '', sub: { b: { in: 'the way' } } } },
  );
  const at = (path: string) => join(directory, path);
  const further = [
    { snapshot, target: at('other') },
    { snapshot: `${snapshot}:/a`, target: at('one/') },
  ];
  const request = { target: at('new'), further, overwrite: 'always' } as const;
  const { toRemove, ...plan } = await planRestore(parts, {
    ...{ ...request, further: further.slice(0, 1) },
    ...{ snapshot, deleteExtra: true },
  });
  t.same(toRemove, [at('other/extra'), at('other/sub/b')]);
  t.same(plan.furtherTargets, [at('other')]);
  const outcome = await run(request);
  t.same(outcome.furtherTargets, [at('other'), at('one')]);
  t.same(outcome.differences.map(({ path }) => path).toSorted(), [at('one/a'), at('other/sub/b')]);
});

t.test('a target that cannot be looked at is told by its errno', async t => {
  if (isRoot) return t.comment('skipped: root may look anywhere');
  const { directory, run } = scene(t);
  fs.chmodSync(join(directory, 'directory'), 0);
  const refused = run({ target: join(directory, 'directory/new') });
  await t.rejects(refused, { code: 'TARGET_NOT_WRITABLE', message: /EACCES; check its rights/ });
});

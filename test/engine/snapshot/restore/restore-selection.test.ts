import fs from 'node:fs';
import t, { type Test } from 'tap';
import { planRestore, type RestoreRequest } from '#engine/snapshot/restore/restore.ts';
import { sceneOf, small } from './restore-scene.ts';

const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));
const LATIN = bytesOf('caf\xe9.conf');

/** A target with what `selection` takes of one tree. */
async function restored(t: Test, selection: Partial<RestoreRequest>) {
  const { target, run, parts, snapshot } = sceneOf(t, {
    directory: [
      ['.a.conf', small('hidden')],
      ['b.conf', small('seen')],
      ['caf\ufffd.conf', { file: 'latin', extras: { nameBytes: LATIN } }],
      ['.config', { directory: [['deep', { directory: [['c.txt', small('deep')]] }]] }],
      ['q?', small('question')],
      ['qq', small('queue')],
    ],
  });
  const outcome = await run(selection);
  const plan = await planRestore(parts, { snapshot, target, overwrite: 'always', ...selection });
  t.same(plan.differences, outcome.differences, 'a dry run says the same');
  const names = fs.readdirSync(target, { recursive: true, encoding: 'latin1' }).sort();
  return {
    ...outcome,
    names: names.filter(name => !fs.statSync(pathIn(target, name)).isDirectory()),
  };
}

function pathIn(target: string, name: string): Buffer {
  return Buffer.concat([Buffer.from(`${target}/`), bytesOf(name)]);
}

t.test('globs see hidden names, and names that are not UTF-8', async t => {
  const conf = ['.a.conf', 'b.conf', 'caf\xe9.conf'];
  const other = ['.config/deep/c.txt', 'q?', 'qq'];
  const all = [...conf, ...other].sort();
  for (const [include, names] of [
    [['*.conf'], conf],
    [['**'], all],
    [['/*'], all],
    [['c.txt'], ['.config/deep/c.txt']],
    [['/.config/**'], ['.config/deep/c.txt']],
    [['caf?.conf'], ['caf\xe9.conf']],
    [['/q\\?'], ['q?']],
  ] as const) {
    const { status, names: found } = await restored(t, { include });
    t.same({ status, found }, { status: 'Completed', found: names }, include.join());
  }
  const { names } = await restored(t, { exclude: ['*.conf'] });
  t.same(names, other);
});

t.test('a glob to include that matches nothing is named', async t => {
  const { status, names, differences, missingCount } = await restored(t, {
    include: ['b.conf', '/nothing/there', '*.cnof'],
  });
  t.same(names, ['b.conf']);
  t.equal(status, 'CompletedWithDifferences');
  t.equal(missingCount, 0);
  const named = { path: '', attribute: 'selection', found: 'nothing matches it' };
  t.strictSame(differences, [
    { ...named, expected: '/nothing/there' },
    { ...named, expected: '*.cnof' },
  ]);
});

t.test('a glob is not named whose matches are excluded, inside another, or stay', async t => {
  for (const selection of [
    { include: ['*.conf'], exclude: ['b.conf', '.a.conf', 'caf*'] },
    { include: ['/.config', 'c.txt', '/.config/deep/c.txt', '*.txt'] },
    { include: ['/.config/deep'], exclude: ['/nothing/there'] },
  ]) {
    const { status } = await restored(t, selection);
    t.equal(status, 'Completed', JSON.stringify(selection));
  }
  const { run } = sceneOf(t, { directory: [['a', small('a')]] }, { target: { a: 'mine' } });
  t.match(await run({ include: ['a'], overwrite: 'never' }), { status: 'Completed', filesKept: 1 });
});

t.test('what lies in an excluded directory is not looked for, and that is said', async t => {
  const { differences } = await restored(t, { include: ['c.txt', 'x/y'], exclude: ['.config'] });
  const found = 'nothing matches it outside of what is excluded';
  t.match(differences, [
    { expected: 'c.txt', found },
    { expected: 'x/y', found },
  ]);
  const anchored = await restored(t, { include: ['/q?/x'], exclude: ['.config'] });
  t.match(anchored.differences, [{ expected: '/q?/x', found: 'nothing matches it' }]);
});

t.test('a glob that one of several parts has matched is not named', async t => {
  const { snapshot, directory, run } = sceneOf(t, {
    directory: [
      ['one', { directory: [['a', small('a')]] }],
      ['two', { directory: [['b', small('b')]] }],
    ],
  });
  const parts = {
    snapshot: `${snapshot}:/one`,
    further: [{ snapshot: `${snapshot}:/two`, target: `${directory}/two` }],
  };
  t.match(await run({ ...parts, include: ['/a', '/b'] }), { status: 'Completed', files: 2 });
});

t.test('a single file is chosen by the name that the snapshot has', async t => {
  const tree = {
    directory: [
      ['fstab', small('text')],
      ['caf\ufffd', { file: 'latin', extras: { nameBytes: bytesOf('caf\xe9') } }],
    ],
  } as const;
  const { snapshot, target, directory, run } = sceneOf(t, tree, { there: {} });
  const one = { snapshot: `${snapshot}:/fstab`, target: `${directory}/renamed` };
  t.match(await run({ ...one, include: ['/renamed'] }), {
    files: 0,
    differences: [{ attribute: 'selection', expected: '/renamed' }],
  });
  t.match(await run({ ...one, exclude: ['renamed'] }), { status: 'Completed', files: 1 });
  const again = { ...one, overwrite: 'always' } as const;
  t.match(await run({ ...again, include: ['/fstab'] }), { status: 'Completed', files: 1 });
  t.match(await run({ ...again, exclude: ['fs*'] }), { status: 'Completed', files: 0 });
  const there = { ...one, target: `${directory}/there` };
  t.match(await run({ ...there, include: ['fstab'] }), { status: 'Completed', files: 1 });
  const latin = { snapshot: `${snapshot}:/caf\ufffd`, target };
  t.match(await run({ ...latin, include: ['/caf?'] }), { status: 'Completed', files: 1 });
});

t.test('a glob that can match nothing is refused before anything is made', async t => {
  const { target, run } = sceneOf(t, { directory: [['a', small('a')]] });
  for (const glob of ['', '/', '//', '.', './x', '/./qq', '..', 'a/../b', '[a', 'a\\', '{,.}']) {
    for (const selection of [{ include: ['a', glob] }, { exclude: [glob] }]) {
      await t.rejects(run(selection), { code: 'USAGE', message: /matches nothing/ }, glob);
    }
  }
  t.notOk(fs.existsSync(target));
});

import fs from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Node } from '#test/support/stored-tree.ts';
import { restore } from '#engine/snapshot/restore/restore.ts';
import { isRoot, sceneOf, small } from './restore-scene.ts';

t.test('a tree comes back with its bytes, modes, times and links', async t => {
  const big = Buffer.alloc(3_000_000, 'stevedore');
  const { target, run } = sceneOf(t, {
    mode: 0o750,
    mtimeNanoseconds: 1,
    directory: [
      ['empty', { directory: [], mode: 0o3777, mtimeSeconds: -5, mtimeNanoseconds: 999_999_999 }],
      ['sub', { mode: 0o500, directory: [['inner', { directory: [['deep', small('deep')]] }]] }],
      ['big', { file: big, chunkBytes: 700_001, mode: 0o4711 }],
      ['zero', small('')],
      ['none', { file: 'secret', mode: 0, mtimeSeconds: 0, mtimeNanoseconds: 0 }],
      ['link', { link: '/etc/passwd', mtimeNanoseconds: 987_654_321 }],
      ['dangling \n\u{1f600}', { link: '../no/where' }],
      ['x'.repeat(255), small('long name')],
    ],
  });
  const outcome = await run();
  t.same(outcome.differences, []);
  t.equal(outcome.files, 5);
  t.equal(outcome.directories, 4);
  t.equal(outcome.bytes, big.length + 4 + 6 + 9);
  t.ok(outcome.bytesFetched > big.length);
  t.ok(big.equals(fs.readFileSync(join(target, 'big'))));
  t.equal(fs.readFileSync(join(target, 'sub/inner/deep'), 'utf8'), 'deep');
  t.equal(fs.readlinkSync(join(target, 'link')), '/etc/passwd');
  t.equal(fs.readlinkSync(join(target, 'dangling \n\u{1f600}')), '../no/where');
  const mode = (path: string) => fs.lstatSync(join(target, path)).mode & 0o7777;
  t.same(
    [mode('.'), mode('empty'), mode('sub'), mode('big'), mode('none')],
    [0o750, 0o3777, 0o500, 0o4711, 0],
  );
  const time = (path: string) => fs.lstatSync(join(target, path), { bigint: true }).mtimeNs;
  t.equal(time('.'), 1_700_000_000_000_000_001n);
  t.equal(time('empty'), -4_000_000_001n);
  t.equal(time('none'), 0n);
  t.equal(time('link'), 1_700_000_000_987_654_321n);
  t.equal(time('sub'), 1_700_000_000_123_456_789n);
  fs.chmodSync(join(target, 'sub'), 0o700);
});

t.test('a large file comes back whole, and whole again over one that is there', async t => {
  const big = Buffer.alloc(9_000_001, 'of many long chunks');
  const { target, run } = sceneOf(t, {
    directory: [['big', { file: big, chunkBytes: 2_000_003 }]],
  });
  const path = join(target, 'big');
  t.match(await run({ verify: true }), { differences: [], files: 1 });
  t.ok(big.equals(fs.readFileSync(path)));
  fs.writeFileSync(path, Buffer.concat([Buffer.alloc(3_000_000, 'x'), big.subarray(3_000_000)]));
  t.match(await run({ delta: true, verify: true }), { differences: [] });
  t.ok(big.equals(fs.readFileSync(path)));
});

t.test('neighbouring contents are read once for all the files that need them', async t => {
  const files = Array.from({ length: 1000 }, (_, i): [string, Node] => {
    return [`f${i}`, small(`content ${i % 100}`)];
  });
  const { contents, run } = sceneOf(t, { directory: files });
  const outcome = await run();
  t.same(outcome.differences, []);
  t.equal(outcome.files, 1000);
  const data = contents.reads.filter(id => !/^[km]/.test(id));
  t.equal(data.length, 100);
});

t.test('more files and directories than one window holds come back', async t => {
  const directories = Array.from({ length: 600 }, (_, i): [string, Node] => {
    const files = Array.from({ length: 3 }, (_, j): [string, Node] => [`${j}`, small(`${i}/${j}`)]);
    return [`d${i}`, { mode: 0o555, directory: files }];
  });
  const { target, run } = sceneOf(t, { directory: directories });
  const outcome = await run();
  t.same(outcome.differences, []);
  t.equal(outcome.files, 1800);
  for (const i of [0, 255, 511, 512, 599]) {
    t.equal(fs.readFileSync(join(target, `d${i}/2`), 'utf8'), `${i}/2`);
  }
});

t.test('a tree of more levels than handles are kept comes back', async t => {
  let tree: Node = { directory: [['end', small('reached')]] };
  for (let i = 0; i < 600; i++) {
    tree = {
      mode: 0o711,
      directory: [
        ['d', tree],
        [`f${i}`, small(`${i}`)],
      ],
    };
  }
  const { target, run } = sceneOf(t, tree);
  const outcome = await run();
  t.same(outcome.differences, []);
  t.equal(outcome.files, 601);
  t.equal(fs.readFileSync(join(target, 'd/'.repeat(600), 'end'), 'utf8'), 'reached');
  t.equal(fs.readFileSync(join(target, 'd/'.repeat(599), 'f0'), 'utf8'), '0');
});

t.test('a part of a tree and a single file can be restored', async t => {
  const tree: Node = {
    directory: [
      ['a', { directory: [['b', small('bee')] as const] }],
      ['l', { link: 'a/b' }],
    ],
  };
  const part = sceneOf(t, tree);
  t.equal((await part.run({ snapshot: `${part.snapshot}:/a` })).files, 1);
  t.equal(fs.readFileSync(join(part.target, 'b'), 'utf8'), 'bee');
  fs.rmSync(part.target, { recursive: true });
  t.equal((await part.run({ snapshot: `${part.snapshot}:/a/b` })).directories, 0);
  t.equal(fs.readFileSync(part.target, 'utf8'), 'bee', 'the target is the file');
  fs.rmSync(part.target);
  fs.mkdirSync(part.target);
  fs.chmodSync(part.target, 0o711);
  await part.run({ snapshot: `${part.snapshot}:a/b` });
  t.equal(fs.readFileSync(join(part.target, 'b'), 'utf8'), 'bee', 'the target is around the file');
  t.equal(fs.statSync(part.target).mode & 0o777, 0o711, 'and keeps its attributes');
  await part.run({ snapshot: `${part.snapshot}:/l` });
  t.equal(fs.readlinkSync(join(part.target, 'l')), 'a/b');
});

t.test('names that lead elsewhere are named and skipped', async t => {
  const hostile = ['..', '.', '', '/etc/x', 'a/b', '../evil', 'nul\0byte'];
  const entries = hostile.map((name): [string, Node] => [name, small('evil')]);
  const { target, directory, run } = sceneOf(t, {
    directory: [
      ...entries,
      ['../updir', { directory: [['x', small('evil')]] }],
      ['../uplink', { link: 'x' }],
      ['good', small('good')],
    ],
  });
  const outcome = await run();
  t.same(fs.readdirSync(target), ['good']);
  t.same(fs.readdirSync(directory), ['target']);
  t.equal(outcome.files, 1);
  t.same(
    new Set(outcome.differences.map(difference => difference.expected)),
    new Set([...hostile, '../updir', '../uplink'].map(name => JSON.stringify(name))),
  );
  t.ok(outcome.differences.every(({ found }) => found.startsWith('TARGET_NAME_UNSAFE: ')));
});

t.test('a name that is longer than tables can say is named and not cut', async t => {
  const long = `good${'x'.repeat(0x1_0000)}`;
  const { target, run } = sceneOf(t, { directory: [[long, small('evil')]] });
  const { differences } = await run();
  t.match(differences, [{ found: /TARGET_NAME_UNSAFE: .* 65540 bytes/ }]);
  t.same(fs.readdirSync(target), []);
});

t.test('names that are equal on disk are not restored over each other', async t => {
  for (const overwrite of [undefined, 'always'] as const) {
    const { target, run } = sceneOf(t, {
      directory: [
        ['a\ufffd', small('first')],
        ['a\ufffd', small('second')],
        ['b\ud800', small('first')],
        ['b\udbff', small('second')],
      ],
    });
    const outcome = await run({ overwrite });
    t.equal(outcome.files, 2);
    t.equal(outcome.differences.length, 2);
    for (const name of fs.readdirSync(target)) {
      t.equal(fs.readFileSync(join(target, name), 'utf8'), 'first');
    }
  }
});

t.test('a target that holds something is refused and stays as it is', async t => {
  const { target, run } = sceneOf(
    t,
    { directory: [['a', small('new')]] },
    {
      target: { other: 'old' },
    },
  );
  await t.rejects(run(), { code: 'TARGET_NOT_EMPTY' });
  t.same(fs.readdirSync(target), ['other']);
});

t.test('overwriting replaces files and links, follows none, and keeps directories', async t => {
  const { target, directory, run } = sceneOf(
    t,
    {
      directory: [
        ['dir', { directory: [['inner', small('new')]] }],
        ['linked', { directory: [['inner', small('new')]] }],
        ['file', small('new')],
        ['toFile', small('new')],
        ['hard', small('new')],
        ['wasDirectory', small('new')],
        ['sym', { link: 'new' }],
      ],
    },
    {
      outside: { victim: 'untouched' },
      target: {
        dir: { kept: 'kept', inner: 'old' },
        linked: t.fixture('symlink', '../outside'),
        file: 'old and longer',
        toFile: t.fixture('symlink', '../outside/victim'),
        hard: t.fixture('link', '../outside/victim'),
        wasDirectory: { full: 'kept' },
        sym: t.fixture('symlink', '../outside'),
      },
    },
  );
  const outcome = await run({ overwrite: 'always' });
  t.same(
    outcome.differences.map(({ path, attribute }) => [path, attribute]),
    [['wasDirectory', 'entry']],
  );
  const read = (path: string) => fs.readFileSync(join(directory, path), 'utf8');
  t.same(fs.readdirSync(join(directory, 'outside')), ['victim']);
  t.equal(read('outside/victim'), 'untouched');
  for (const path of ['dir/inner', 'linked/inner', 'file', 'toFile', 'hard']) {
    t.equal(read(`target/${path}`), 'new', path);
  }
  t.equal(read('target/dir/kept'), 'kept');
  t.equal(read('target/wasDirectory/full'), 'kept');
  t.equal(fs.readlinkSync(join(target, 'sym')), 'new');
  t.notOk(fs.lstatSync(join(target, 'linked')).isSymbolicLink());
});

t.test('a directory that becomes a symlink during the restore leads nowhere', async t => {
  const files = (count: number) =>
    Array.from({ length: count }, (_, i): [string, Node] => {
      return [`f${i}`, { file: Buffer.alloc(40_000, i), chunkBytes: 10_000 }];
    });
  const { contents, target, directory, run } = sceneOf(
    t,
    { directory: [['victim', { directory: [...files(40), ['zsub', { directory: files(3) }]] }]] },
    { outside: {} },
  );
  let isSwapped = false;
  contents.onRead = contentId => {
    // The first data content is read when the directories have been made.
    if (isSwapped || /^[kmx]/.test(contentId)) return;
    isSwapped = true;
    fs.renameSync(join(target, 'victim'), join(directory, 'moved'));
    fs.symlinkSync(join(directory, 'outside'), join(target, 'victim'));
  };
  await run();
  t.ok(isSwapped);
  t.same(fs.readdirSync(join(directory, 'outside')), [], 'nothing was written through the link');
  t.equal(fs.readdirSync(join(directory, 'moved')).length, 41, 'what was opened was written to');
});

t.test('progress counts up to what the outcome says', async t => {
  const { run } = sceneOf(t, { directory: [['d', { directory: [['a', small('abc')]] }]] });
  let last = { files: 0, bytes: 0 };
  const { files, bytes } = await run({}, { onProgress: progress => (last = progress) });
  t.match(last, { files, bytes, phase: 'restore' });
});

t.test('owners come back', { skip: !isRoot && 'needs root' }, async t => {
  const { target, run } = sceneOf(t, {
    uid: 1234,
    gid: 2345,
    directory: [
      ['file', { file: 'x', uid: 4294967294, gid: 1, mode: 0o6755 }],
      ['link', { link: 'x', uid: 5, gid: 6 }],
    ],
  });
  const { differences } = await run();
  t.same(differences, []);
  const owner = (path: string) => {
    const { uid, gid } = fs.lstatSync(join(target, path));
    return [uid, gid];
  };
  t.same(owner('.'), [1234, 2345]);
  t.same(owner('file'), [4294967294, 1]);
  t.same(owner('link'), [5, 6]);
  t.equal(fs.statSync(join(target, 'file')).mode & 0o7777, 0o6755);
});

t.test('owners that cannot be set are named, and set-id bits with them', async t => {
  const { target, run } = sceneOf(t, {
    directory: [['file', { file: 'x', uid: 1, gid: 1, mode: 0o4755 }]],
  });
  if (isRoot) {
    t.comment('skipped: root may give files away');
    return;
  }
  const { differences } = await run();
  t.same(
    differences.map(({ path, attribute }) => `${path} ${attribute}`),
    ['file uid', 'file gid', 'file mode'],
  );
  t.equal(fs.statSync(join(target, 'file')).mode & 0o7777, 0o755);
});

t.test('without native calls the rest comes back, and what nobody sees is named', async t => {
  const { target, parts, snapshot } = sceneOf(t, {
    directory: [
      ['file', { file: 'x', mode: 0o640 }],
      ['link', { link: 'x' }],
    ],
  });
  const { status, differences } = await restore(
    { ...parts, isNativeAllowed: false },
    { snapshot, target },
  );
  const unseen = differences.filter(
    ({ path, found }) => path === '' && found.startsWith('unknown'),
  );
  t.equal(status, 'CompletedWithDifferences');
  t.strictSame(
    unseen.map(({ attribute }) => attribute),
    ['xattrs', 'flags', 'projectId', 'holes'],
  );
  const others = differences.filter(difference => !unseen.includes(difference));
  t.ok(
    others.every(({ attribute }) => attribute === 'mtime'),
    'the last digits of times',
  );
  const { mtimeMs, mode } = fs.statSync(join(target, 'file'));
  t.equal(Math.floor(mtimeMs), 1_700_000_000_123);
  t.equal(mode & 0o777, 0o640);
});

t.test('runs of zeros are left as holes where that was asked for', async t => {
  const data = Buffer.concat([Buffer.alloc(4 << 20), Buffer.from('end')]);
  const { directory, target, run } = sceneOf(t, {
    directory: [['sparse', { file: data, chunkBytes: 1 << 20 }]],
  });
  fs.closeSync(fs.openSync(join(directory, 'empty'), 'w'));
  fs.truncateSync(join(directory, 'empty'), data.length);
  t.same((await run({ sparse: true })).differences, []);
  const file = join(target, 'sparse');
  t.ok(data.equals(fs.readFileSync(file)));
  if (fs.statSync(join(directory, 'empty')).blocks > 0) {
    t.comment('skipped: the file system has no holes');
    return;
  }
  t.ok(fs.statSync(file).blocks * 512 < 1 << 20);
});

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { SpecialEntry } from '#engine/format/entry-extras.ts';
import { wrapEntryTime } from '#engine/format/entry-time.ts';
import type { Node } from '#test/support/stored-tree.ts';
import { isRoot, sceneOf, small } from './restore-scene.ts';

const attributes = {
  mode: 0o640,
  uid: process.getuid?.() ?? 0,
  gid: process.getgid?.() ?? 0,
  mtimeSeconds: 1_700_000_000,
  mtimeNanoseconds: 5,
};

t.test('names of one file become links to it, across directories', async t => {
  const name = { file: 'shared', extras: { linkGroup: '8:1:5' } };
  const { target, run } = sceneOf(t, {
    directory: [
      ['a', { mtimeSeconds: 1_600_000_000, directory: [['one', name]] }],
      ['b', { mtimeSeconds: 1_600_000_001, directory: [['two', name]] }],
      ['three', name],
      ['lone', { file: 'lone', extras: { linkGroup: '8:1:6' } }],
    ],
  });
  const outcome = await run();
  t.same(outcome.differences, []);
  t.equal(outcome.files, 4);
  const inodes = ['a/one', 'b/two', 'three'].map(path => fs.statSync(join(target, path)).ino);
  t.equal(new Set(inodes).size, 1);
  t.equal(fs.statSync(join(target, 'three')).nlink, 3);
  t.equal(fs.statSync(join(target, 'lone')).nlink, 1);
  const { mtimeMs } = fs.statSync(join(target, 'b'));
  t.equal(Math.floor(mtimeMs), 1_600_000_001_123, 'links come before times');
});

t.test('names in one target never become links to a file of another', async t => {
  const extras = { linkGroup: '8:1:5' };
  const { target, directory, run, snapshot } = sceneOf(t, {
    directory: [
      ['a', { directory: [['one', { file: 'of a', extras }]] }],
      ['b', { directory: [['one', { file: 'of b', extras }]] }],
    ],
  });
  // As two snapshots would have it: the same number for two files.
  const other = join(directory, 'other');
  await run({
    snapshot: `${snapshot}:/a`,
    further: [{ snapshot: `${snapshot}:/b`, target: other }],
  });
  t.equal(fs.readFileSync(join(target, 'one'), 'utf8'), 'of a');
  t.equal(fs.readFileSync(join(other, 'one'), 'utf8'), 'of b');
});

t.test('a name that could not be restored leads no other name', async t => {
  const name = { file: 'shared', extras: { linkGroup: '8:1:5' }, mode: 0o4755 };
  const tree: Node = { directory: ['one', 'two'].map(text => [text, name]) };
  const { target, run } = sceneOf(t, tree, { target: { one: 'old', two: 'good' } });
  const outcome = await run({ overwrite: 'always', policy: { setId: 'refuse' } });
  t.same(
    outcome.differences.map(({ path }) => path),
    ['one', 'two'],
  );
  t.equal(fs.readFileSync(join(target, 'two'), 'utf8'), 'good', 'nothing took its place');
  t.equal(fs.statSync(join(target, 'one')).nlink, 1);
});

t.test('what a policy refuses is not written into a file that is there', async t => {
  const { target, run } = sceneOf(
    t,
    { directory: [['set', { file: 'snapshot', mode: 0o4755 }]] },
    { target: { set: 'original' } },
  );
  const outcome = await run({ delta: true, policy: { setId: 'refuse' } });
  t.match(outcome.differences, [{ path: 'set' }]);
  t.equal(fs.readFileSync(join(target, 'set'), 'utf8'), 'original');
});

const lending = { xattrs: [{ name: 'trusted.t', value: new Uint8Array([1]) }] };

t.test('a link that a policy refuses is not made, and nothing gives way to it', async t => {
  const link: Node = { link: 'there', extras: lending };
  const tree: Node = {
    directory: [
      ['missing', link],
      ['mine', link],
    ],
  };
  const { target, run } = sceneOf(t, tree, { target: { mine: 'precious' } });
  const outcome = await run({ overwrite: 'always', policy: { privilegedXattrs: 'refuse' } });
  t.match(outcome.differences, [
    { path: 'mine', attribute: 'entry', found: /^TARGET_ENTRY_REFUSED/ },
    { path: 'missing', attribute: 'entry', found: /^TARGET_ENTRY_REFUSED/ },
  ]);
  t.same(fs.readdirSync(target), ['mine']);
  t.equal(fs.readFileSync(join(target, 'mine'), 'utf8'), 'precious');
});

t.test('a directory is made without what a policy refuses, which is named', async t => {
  const { target, run } = sceneOf(t, {
    directory: [['d', { directory: [['f', small('f')]], mode: 0o751, extras: lending }]],
  });
  const { differences } = await run({ policy: { privilegedXattrs: 'refuse' } });
  t.match(differences, [{ path: 'd', attribute: 'xattr:trusted.t', found: 'left out by policy' }]);
  t.equal(differences.length, 1);
  t.equal(fs.readFileSync(join(target, 'd/f'), 'utf8'), 'f');
  t.equal(fs.statSync(join(target, 'd')).mode & 0o777, 0o751);
});

t.test('zeros are written where other bytes are', async t => {
  const zeros = Buffer.alloc(100_000);
  const { target, run } = sceneOf(
    t,
    { directory: [['zeros', { file: zeros }]] },
    { target: { zeros: 'OLD!'.repeat(25_000) } },
  );
  await run({ delta: true, sparse: true });
  t.ok(zeros.equals(fs.readFileSync(join(target, 'zeros'))));
});

t.test('a single file has the name that was asked for, whatever its own was', async t => {
  const extras = { nameBytes: Buffer.from([0x61, 0xff]) };
  const { target, directory, run, snapshot } = sceneOf(t, {
    directory: [['a\ufffd', { file: 'text', extras }]],
  });
  const file = join(directory, 'mine');
  await run({ snapshot: `${snapshot}:/a\\xff`, target: file });
  t.equal(fs.readFileSync(file, 'utf8'), 'text');
  t.notOk(fs.existsSync(target));
});

t.test('places that are not apart are refused', async t => {
  const { target, directory, run, snapshot } = sceneOf(t, {
    directory: [['a', { directory: [['one', small('1')]] }]],
  });
  const other = { snapshot: `${snapshot}:/a`, target };
  await t.rejects(run({ further: [other] }), { code: 'USAGE' });
  const inner = { ...other, target: join(target, 'inner') };
  const removing = { overwrite: 'never', deleteExtra: true, further: [inner] } as const;
  await t.rejects(run(removing), { code: 'USAGE' });
  const selected = { overwrite: 'always', deleteExtra: true, exclude: ['one'] } as const;
  await t.rejects(run(selected), { code: 'USAGE' });
  t.notOk(fs.existsSync(join(directory, 'target')));
});

t.test('a name that stays as it is leads no other name', async t => {
  const name = { file: 'shared', extras: { linkGroup: '8:1:5' } };
  const tree: Node = { directory: ['one', 'two', 'three'].map(text => [text, name]) };
  const existing = { target: { one: 'not the same' } };
  const { target, run } = sceneOf(t, tree, existing);
  const outcome = await run({ overwrite: 'never' });
  t.same(outcome.differences, []);
  t.equal(fs.readFileSync(join(target, 'one'), 'utf8'), 'not the same');
  t.equal(fs.readFileSync(join(target, 'two'), 'utf8'), 'shared');
  const inodes = ['two', 'three'].map(path => fs.statSync(join(target, path)).ino);
  t.equal(inodes[0], inodes[1]);
  t.equal(fs.statSync(join(target, 'one')).nlink, 1);
});

t.test('a name that is there already leads when it looks the same', async t => {
  const name = { file: 'shared', extras: { linkGroup: '8:1:5' } };
  const { target, run } = sceneOf(t, {
    directory: [
      ['one', name],
      ['two', name],
    ],
  });
  await run();
  fs.rmSync(join(target, 'two'));
  t.same((await run({ overwrite: 'never' })).differences, []);
  const inodes = ['one', 'two'].map(path => fs.statSync(join(target, path)).ino);
  t.equal(inodes[0], inodes[1]);
});

t.test('a time that kopia cannot hold comes back', async t => {
  // The year 2300; ext4 ends in 2446.
  const { seconds, nanoseconds } = wrapEntryTime({ seconds: 10_413_792_000, nanoseconds: 7 });
  const late = {
    mtimeSeconds: seconds,
    mtimeNanoseconds: nanoseconds,
    extras: { mtimeEras: 1 },
  };
  const { target, run } = sceneOf(t, { directory: [['file', { file: 'text', ...late }]] });
  t.same((await run()).differences, []);
  const { mtimeNs } = fs.statSync(join(target, 'file'), { bigint: true });
  t.equal(mtimeNs, 10_413_792_000_000_000_007n);
});

t.test('pipes, sockets and devices are made', { skip: !isRoot && 'needs root' }, async t => {
  const special: SpecialEntry[] = [
    { ...attributes, name: 'block', type: 'b', major: 7, minor: 300 },
    { ...attributes, name: 'character', type: 'c', major: 1, minor: 3 },
    { ...attributes, name: 'pipe', type: 'p', major: 0, minor: 0 },
    { ...attributes, name: 'socket', type: 'k', major: 0, minor: 0 },
  ];
  const { target, run } = sceneOf(t, { directory: [['f', small('f')]], special });
  t.same((await run()).differences, []);
  const stat = (name: string) => fs.lstatSync(join(target, name), { bigint: true });
  t.ok(stat('pipe').isFIFO());
  t.ok(stat('socket').isSocket());
  t.ok(stat('character').isCharacterDevice());
  t.ok(stat('block').isBlockDevice());
  t.equal(execFileSync('stat', ['-c', '%t:%T', join(target, 'block')]).toString(), '7:12c\n');
  for (const { name } of special) {
    t.equal(Number(stat(name).mode) & 0o7777, 0o640, name);
    t.equal(stat(name).mtimeNs, 1_700_000_000_000_000_005n, name);
  }
});

t.test('devices can be left out or refused', async t => {
  const device = { ...attributes, name: 'd', type: 'c' as const, major: 1, minor: 3 };
  for (const devices of ['strip', 'refuse'] as const) {
    const { target, run } = sceneOf(t, { directory: [['f', small('f')]], special: [device] });
    const { differences } = await run({ policy: { devices } });
    t.match(differences, [{ path: 'd', attribute: 'entry' }], devices);
    t.same(fs.readdirSync(target), ['f']);
  }
});

t.test('bytes in holes are not fetched and the holes come back', async t => {
  const data = Buffer.concat([
    Buffer.from('head'),
    Buffer.alloc((4 << 20) - 8),
    Buffer.from('tail'),
  ]);
  const holes = [65_536, (4 << 20) - 131_072];
  const { contents, directory, target, run } = sceneOf(t, {
    directory: [['sparse', { file: data, chunkBytes: 1 << 20, extras: { holes } }]],
  });
  fs.closeSync(fs.openSync(join(directory, 'empty'), 'w'));
  fs.truncateSync(join(directory, 'empty'), data.length);
  const { differences } = await run();
  const file = join(target, 'sparse');
  t.ok(data.equals(fs.readFileSync(file)));
  t.equal(contents.reads.filter(id => !/^[kmx]/.test(id)).length, 2, 'head and tail');
  if (fs.statSync(join(directory, 'empty')).blocks > 0) {
    t.comment('skipped: the file system has no holes');
    return;
  }
  t.same(differences, []);
  t.ok(fs.statSync(file).blocks * 512 <= 131_072);
});

t.test('a hole at the end of a file of one chunk belongs to it', async t => {
  const data = Buffer.concat([Buffer.alloc(65_536, 'data'), Buffer.alloc(70_000)]);
  const { target, run } = sceneOf(t, {
    directory: [['sparse', { file: data, extras: { holes: [65_536, 70_000] } }]],
  });
  t.same((await run()).differences, []);
  t.ok(data.equals(fs.readFileSync(join(target, 'sparse'))));
});

t.test('names that are not UTF-8 come back byte for byte', async t => {
  const one = Buffer.from([0x61, 0xff]);
  const other = Buffer.from([0x61, 0xfe]);
  const { target, run } = sceneOf(t, {
    directory: [
      ['a\ufffd', { file: 'one', extras: { nameBytes: one } }],
      ['a\ufffd', { file: 'other', extras: { nameBytes: other } }],
    ],
  });
  t.same((await run()).differences, []);
  const names = fs.readdirSync(target, { encoding: 'buffer' }).sort(Buffer.compare.bind(Buffer));
  t.same(names, [other, one]);
});

t.test('unsafe bytes of names are refused, however they are stored', async t => {
  const hostile = ['..', '../x', 'a/b', 'nul\0'].map(name => Buffer.from(name));
  const { directory, target, run } = sceneOf(t, {
    directory: hostile
      .map(nameBytes => ['fine', { file: 'evil', extras: { nameBytes } }] as const)
      .slice(0, 1),
    special: hostile.map(bytes => {
      return { ...attributes, name: bytes.toString(), type: 'p', major: 0, minor: 0 };
    }),
  });
  const { differences } = await run();
  t.equal(differences.length, 5);
  t.ok(differences.every(({ found }) => found.startsWith('TARGET_NAME_UNSAFE: ')));
  t.same(fs.readdirSync(target), []);
  t.same(fs.readdirSync(directory), ['target']);
});

t.test('extended attributes come back, those of directories too', async t => {
  const xattrs = [
    { name: 'user.binary', value: new Uint8Array([0, 1, 255]) },
    { name: 'user.empty', value: new Uint8Array() },
  ];
  const { target, run } = sceneOf(t, {
    extras: { xattrs },
    directory: [
      ['f', { file: 'f', extras: { xattrs } }],
      ['d', { directory: [], extras: { xattrs } }],
    ],
  });
  const { differences } = await run();
  if (differences.some(({ found }) => found.includes('ENOTSUP'))) {
    t.comment('skipped: the file system has no extended attributes');
    return;
  }
  t.same(differences, []);
  for (const path of ['', 'f', 'd']) {
    let text: string;
    try {
      const words = ['-d', '-e', 'hex', '--absolute-names', join(target, path)];
      text = execFileSync('getfattr', words).toString();
    } catch {
      t.comment('skipped: there is no getfattr here');
      return;
    }
    t.match(text, 'user.binary=0x0001ff');
    t.match(text, /user\.empty/);
  }
});

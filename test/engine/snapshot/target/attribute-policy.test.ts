// What a policy, a user without rights and node:fs leave of the attributes that are wanted.

import { chmodSync, lchownSync, mkdirSync, writeFileSync } from 'node:fs';
import t from 'tap';

import { settleAt } from '#engine/snapshot/target/settle-node.ts';
import { settleFile } from '#engine/snapshot/target/settle-open.ts';
import { assertPermitted, strippedDevice } from '#engine/snapshot/target/attribute-policy.ts';
import { KEEP_ALL } from '#engine/snapshot/target/wanted-attributes.ts';
import { ENTRY_TYPE } from '#engine/snapshot/source/source-stat.ts';

import {
  SAMPLE_CAPABILITY,
  TargetScene,
  asNobody,
  bytesOf,
  rootOnly,
  wish,
  xattrsOf,
  attributeToolsOnly,
  nativeOnly,
  nativeRootOnly,
} from './target-scene.ts';

const policy = KEEP_ALL;

t.test(
  'rights that an entry lends are kept, left out by name, or refused',
  attributeToolsOnly,
  async t => {
    using scene = new TargetScene();
    const xattrs = [
      { name: 'security.capability', value: SAMPLE_CAPABILITY },
      { name: 'user.a', value: bytesOf('a') },
    ];
    const wanted = wish({ mode: 0o6755, extras: { xattrs } });
    const strip = { ...KEEP_ALL, setId: 'strip', privilegedXattrs: 'strip' } as const;
    t.same(scene.file('a', '', wanted, strip), [
      { attribute: 'mode', expected: '06755', found: '0755, left out by policy' },
      {
        attribute: 'xattr:security.capability',
        expected: `0x${Buffer.from(SAMPLE_CAPABILITY).toString('hex')}`,
        found: 'left out by policy',
      },
    ]);
    t.equal(Number(scene.stat('a').mode) & 0o7777, 0o755);
    t.same(xattrsOf(scene.inside('a')), ['user.a=0x61']);
    const path = bytesOf('some/file');
    const refused = { code: 'TARGET_ENTRY_REFUSED', details: { path: 'some/file' } };
    const check =
      (type: number, changes: object, mode = 0o644) =>
      () =>
        assertPermitted({ path }, type, wish({ mode, extras: { xattrs } }), {
          ...strip,
          ...changes,
        });
    t.throws(check(ENTRY_TYPE.file, { setId: 'refuse' }, 0o4755), refused);
    t.throws(check(ENTRY_TYPE.file, { privilegedXattrs: 'refuse' }), refused);
    t.throws(check(ENTRY_TYPE.blockDevice, { devices: 'refuse' }), refused);
    t.doesNotThrow(check(ENTRY_TYPE.directory, { setId: 'refuse', devices: 'refuse' }, 0o2755));
    t.doesNotThrow(check(ENTRY_TYPE.fifo, { devices: 'refuse' }));
    const refuse = { ...KEEP_ALL, setId: 'refuse' } as const;
    t.throws(() => scene.file('b', '', wish({ mode: 0o4755 }), refuse), {
      code: 'TARGET_ENTRY_REFUSED',
    });
    const device = { type: 'c', major: 1, minor: 3 } as const;
    t.equal(strippedDevice(device, KEEP_ALL), undefined);
    t.same(strippedDevice(device, { ...KEEP_ALL, devices: 'strip' }), {
      attribute: 'entry',
      expected: 'character device 1:3',
      found: 'left out by policy',
    });
  },
);

t.test('owners that are not asked for stay, and set-id bits with them', nativeRootOnly, async t => {
  using scene = new TargetScene();
  const alone = { ...KEEP_ALL, owners: false };
  t.same(scene.file('a', '', wish({ uid: 1000, gid: 1000 }), alone), []);
  t.same([scene.stat('a').uid, scene.stat('a').gid], [0n, 0n]);
  t.same(scene.file('b', '', wish({ uid: 1000, gid: 1000, mode: 0o6755 }), alone), [
    { attribute: 'mode', expected: '06755', found: '0755 (the owner is another)' },
  ]);
  t.equal(Number(scene.stat('b').mode) & 0o7777, 0o755);
});

t.test(
  "set-id bits of somebody else's file go, though all else is right",
  nativeRootOnly,
  async t => {
    using scene = new TargetScene();
    t.same(scene.file('there', '', wish({ uid: 1234, gid: 1234, mode: 0o4755 })), []);
    const { fileSystem, root } = scene;
    const options = { allowsSeveralNames: true, access: 'settle' } as const;
    using file = fileSystem.openFile(root, bytesOf('there'), options);
    const policy = { ...KEEP_ALL, owners: false };
    const wanted = wish({ mode: 0o4755 });
    t.same(file && settleFile(fileSystem, file, wanted, { policy, bytes: 0 }), [
      { attribute: 'mode', expected: '04755', found: '0755 (the owner is another)' },
    ]);
    t.equal(Number(scene.stat('there').mode) & 0o7777, 0o755);
  },
);

t.test(
  'who is not root names the owner, the device and what is privileged',
  nativeOnly,
  async t => {
    using scene = new TargetScene();
    lchownSync(scene.inside(''), 65_534, 65_534);
    chmodSync(scene.path, 0o755);
    asNobody(() => {
      using other = new TargetScene({ path: scene.inside('').replace(/\/$/, '') });
      const xattrs = [
        { name: 'security.capability', value: SAMPLE_CAPABILITY },
        { name: 'user.a', value: bytesOf('a') },
      ];
      const wanted = wish({ uid: 1, mode: 0o4444, extras: { xattrs } });
      const differences = other.file('a', 'x', wanted);
      const found = differences.map(({ attribute, found }) => `${attribute} ${found}`);
      t.same(found, [
        `uid ${process.geteuid?.()} (EPERM)`,
        'mode 0444 (the owner is another)',
        'xattr:security.capability none (EPERM)',
      ]);
      t.same(other.file('plain', '', wish({ mode: 0o400 })), []);
      const special = { type: 'c', mode: 0o600, major: 1, minor: 3 } as const;
      t.throws(() => other.fileSystem.makeSpecial(other.root, bytesOf('null'), special), {
        code: 'TARGET_ENTRY_FAILED',
        details: { errno: 'EPERM' },
      });
      mkdirSync(other.inside('closed'), { mode: 0o500 });
      writeFileSync(other.inside('frozen'), '', { mode: 0o400 });
      t.equal(other.fileSystem.makeDirectory(other.root, bytesOf('closed')), 'kept');
      using closed = other.fileSystem.openDirectory(other.root, bytesOf('closed'));
      other.fileSystem.createFile(closed, bytesOf('x'), wish())[Symbol.dispose]();
      t.equal(other.fileSystem.openFile(other.root, bytesOf('frozen')), undefined);
    });
  },
);

t.test('node:fs names what it cannot do, and does the rest', rootOnly, async t => {
  using scene = new TargetScene({ native: false });
  const { fileSystem, root } = scene;
  t.same(fileSystem.unseen, ['xattrs', 'flags', 'projectId', 'holes']);
  const whole = { mtimeSeconds: 1_700_000_000, mtimeNanoseconds: 0 };
  t.same(scene.file('plain', 'x', wish({ ...whole, uid: 3, gid: 4, mode: 0o4710 })), []);
  t.equal(Number(scene.stat('plain').mode) & 0o7777, 0o4710);
  const extras = {
    xattrs: [{ name: 'user.a', value: bytesOf('a') }],
    holes: [0, 65_536],
    flags: 0x40,
    projectId: 5,
  };
  using file = fileSystem.createFile(root, bytesOf('extra'), wish({ extras }));
  fileSystem.setSize(file, 65_536);
  const found = settleFile(fileSystem, file, wish({ extras }), { policy, bytes: 65_536 });
  const named = found.map(({ attribute }) => attribute);
  t.same(named, ['mtime', 'xattr:user.a', 'projectId', 'flags', 'holes']);
  fileSystem.makeSymlink(root, bytesOf('link'), bytesOf('x'));
  const node = { type: 'l', linkTarget: bytesOf('x') } as const;
  const wanted = wish({ ...whole, uid: 9, gid: 9 });
  t.same(settleAt(fileSystem, root, bytesOf('link'), wanted, { policy, node }), []);
  t.equal(scene.stat('link').uid, 9n);
  const special = { type: 'p', mode: 0o600, major: 0, minor: 0 } as const;
  const attempt = () => fileSystem.makeSpecial(root, bytesOf('pipe'), special);
  t.throws(attempt, { code: 'TARGET_ENTRY_FAILED', details: { errno: 'ENOSYS' } });
});

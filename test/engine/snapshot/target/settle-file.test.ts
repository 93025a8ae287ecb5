// Attributes of files and directories, on the file system that temporary files lie on. What other
// file systems make of them is in mounted-targets.ts.

import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import t from 'tap';

import { KEEP_ALL, type WantedAttributes } from '#engine/snapshot/target/wanted-attributes.ts';

import type { EntryExtras } from '#engine/format/entry-extras.ts';
import { settleDirectory, settleFile } from '#engine/snapshot/target/settle-open.ts';
import type { TargetCalls } from '#engine/snapshot/target/target-calls.ts';
import { TargetFileSystem } from '#engine/snapshot/target/target-file-system.ts';

import {
  SAMPLE_ACL,
  SAMPLE_CAPABILITY,
  TargetScene,
  aclOf,
  bytesOf,
  wish,
  xattrsOf,
  attributeToolsOnly,
  attributeToolsRootOnly,
  nativeOnly,
  nativeRootOnly,
} from './target-scene.ts';

const policy = KEEP_ALL;

function countingCalls(calls: TargetCalls): { calls: TargetCalls; names: string[] } {
  const names: string[] = [];
  const counted = new Proxy(calls, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        names.push(String(name));
        return Reflect.apply(member, target, args);
      };
    },
  });
  return { calls: counted, names };
}

t.test(
  'a small file costs create, write, times, stat, attribute list and close',
  nativeOnly,
  async t => {
    using scene = new TargetScene();
    const { calls, names } = countingCalls(scene.fileSystem.calls);
    const fileSystem = new TargetFileSystem(calls);
    using root = fileSystem.openRoot(bytesOf(scene.inside('')));
    const one = (name: string) => {
      using file = fileSystem.createFile(root, bytesOf(name), wish());
      scene.write(file, '');
      return settleFile(fileSystem, file, wish(), { policy, bytes: 0 });
    };
    t.same(one('first'), []);
    names.length = 0;
    t.same(one('second'), []);
    t.same(names, ['openAt', 'setTimes', 'statOpen', 'listXattrs', 'close']);
  },
);

t.test('a file that is right already is looked at once and left alone', nativeOnly, async t => {
  using scene = new TargetScene();
  const { calls, names } = countingCalls(scene.fileSystem.calls);
  const fileSystem = new TargetFileSystem(calls);
  using root = fileSystem.openRoot(bytesOf(scene.inside('')));
  t.same(scene.file('there', ''), []);
  const settleAgain = (wanted: WantedAttributes) => {
    names.length = 0;
    const options = { allowsSeveralNames: true, access: 'settle' } as const;
    using file = fileSystem.openFile(root, bytesOf('there'), options);
    return file && settleFile(fileSystem, file, wanted, { policy, bytes: 0 });
  };
  t.same(settleAgain(wish()), []);
  const looking = ['statOpen', 'statOpen', 'listXattrs', 'getProjectId', 'getFlags'];
  t.same(names, ['statAt', 'openAt', ...looking, 'close']);
  t.same(settleAgain(wish({ mode: 0o600 })), [], 'and one that is not is made so');
  t.equal(Number(scene.stat('there').mode) & 0o7777, 0o600);
  t.ok(names.includes('changeMode'));
});

t.test('every mode comes out, whatever the umask', nativeRootOnly, async t => {
  const before = process.umask(0o077);
  t.teardown(() => process.umask(before));
  using scene = new TargetScene();
  for (const uid of [0, 1234]) {
    for (const mode of [0, 0o400, 0o640, 0o644, 0o777, 0o1777, 0o2755, 0o4755, 0o6711, 0o7777]) {
      const name = `${uid}-${mode.toString(8)}`;
      t.same(scene.file(name, 'x', wish({ mode, uid, gid: uid + 1 })), [], name);
      const found = scene.stat(name);
      t.equal(Number(found.mode) & 0o7777, mode, name);
      t.same(
        [found.uid, found.gid, found.mtimeNs],
        [BigInt(uid), BigInt(uid + 1), 1700000000123456789n],
      );
    }
  }
});

t.test('setgid never lends the group of a setgid directory', nativeRootOnly, async t => {
  using scene = new TargetScene();
  chownSync(scene.inside(''), 0, 1234);
  chmodSync(scene.inside(''), 0o2755);
  const wanted = wish({ mode: 0o6755 });
  const [difference, ...others] = scene.file('without', 'x', wanted, { ...policy, owners: false });
  t.match(difference, { attribute: 'mode', expected: /6755/, found: /4755.*owner is another/ });
  t.same(others, []);
  const without = scene.stat('without');
  t.same([Number(without.mode) & 0o7777, without.gid], [0o4755, 1234n]);
  const { calls } = scene.fileSystem;
  const groups: unknown[] = [];
  const changeMode = calls.changeMode.bind(calls);
  calls.changeMode = (place, mode) => {
    if ((mode & 0o2000) !== 0) groups.push(scene.stat('with').gid);
    return changeMode(place, mode);
  };
  t.same(scene.file('with', 'x', wanted), []);
  t.same(groups, [0n], 'it has its group before the bit');
});

t.test('a file is never open to more than in the end', nativeOnly, async t => {
  const before = process.umask(0);
  t.teardown(() => process.umask(before));
  using scene = new TargetScene();
  const acl = { xattrs: [{ name: 'system.posix_acl_access', value: SAMPLE_ACL }] };
  const cases: [mode: number, extras: EntryExtras | undefined, made: number][] = [
    [0o644, undefined, 0o644],
    [0o600, undefined, 0o600],
    [0o640, undefined, 0o600],
    [0o664, undefined, 0o604],
    [0o4755, undefined, 0o755],
    [0o6770, undefined, 0o700],
    [0o644, acl, 0o600],
  ];
  for (const [mode, extras, made] of cases) {
    const name = `${mode}${extras ? 'acl' : ''}`;
    scene.fileSystem.createFile(scene.root, bytesOf(name), { mode, extras })[Symbol.dispose]();
    t.equal(Number(scene.stat(name).mode) & 0o7777, made, `0${mode.toString(8)}`);
  }
});

t.test(
  'times before 1970 and far away come out to the nanosecond, or are named',
  nativeOnly,
  async t => {
    using scene = new TargetScene();
    for (const mtimeSeconds of [
      0,
      -1,
      -2,
      -11_644_473_600,
      2 ** 31,
      9_000_000_000,
      -9_000_000_000,
    ]) {
      const wanted = wish({ mtimeSeconds, mtimeNanoseconds: 999_999_999 });
      const differences = scene.file(`${mtimeSeconds}`, '', wanted);
      const found = scene.stat(`${mtimeSeconds}`).mtimeNs;
      const isRight = found === BigInt(mtimeSeconds) * 10n ** 9n + 999_999_999n;
      t.equal(differences.length, isRight ? 0 : 1, `${mtimeSeconds}: ${found}`);
    }
  },
);

t.test('a size that is not the one wanted is named', async t => {
  using scene = new TargetScene();
  using file = scene.fileSystem.createFile(scene.root, bytesOf('a'), wish());
  scene.write(file, 'four');
  const found = settleFile(scene.fileSystem, file, wish(), { policy, bytes: 5 });
  t.same(
    found.filter(({ attribute }) => attribute !== 'mtime'),
    [{ attribute: 'size', expected: '5', found: '4' }],
  );
});

t.test(
  'attributes, ACLs and capabilities come out as getfattr(1) sees them',
  attributeToolsRootOnly,
  async t => {
    using scene = new TargetScene();
    const xattrs = [
      { name: 'security.capability', value: SAMPLE_CAPABILITY },
      { name: 'system.posix_acl_access', value: SAMPLE_ACL },
      { name: 'trusted.t', value: bytesOf('t') },
      { name: 'user.empty', value: bytesOf('') },
      { name: 'user.\xff', value: new Uint8Array([0, 1, 2]) },
      { name: 'user.long', value: new Uint8Array(2000).fill(7) },
    ];
    const wanted = wish({ uid: 1000, gid: 1000, mode: 0o4640, extras: { xattrs } });
    t.same(scene.file('a', 'x', wanted), []);
    const lines = xattrsOf(scene.inside('a'));
    t.equal(lines.length, xattrs.length);
    const hex = Buffer.from(SAMPLE_ACL).toString('hex');
    t.ok(lines.includes(`system.posix_acl_access=0x${hex}`));
    t.ok(lines.some(line => line.startsWith('security.capability=0x01000002000400')));
    t.ok(lines.includes('trusted.t=0x74'));
    t.equal(Number(scene.stat('a').mode) & 0o7777, 0o4640);
  },
);

t.test(
  'what is not wanted is removed, and a file that is kept is put right',
  attributeToolsRootOnly,
  async t => {
    using scene = new TargetScene();
    writeFileSync(scene.inside('a'), 'old', { mode: 0o4777 });
    const set = (...args: string[]) => execFileSync('setfattr', [...args, scene.inside('a')]);
    set('-n', 'user.old', '-v', 'x');
    set('-n', 'user.same', '-v', 'y');
    set('-n', 'trusted.old', '-v', 'x');
    set('-n', 'system.posix_acl_access', '-v', `0x${Buffer.from(SAMPLE_ACL).toString('hex')}`);
    set('-n', 'security.capability', '-v', `0x${Buffer.from(SAMPLE_CAPABILITY).toString('hex')}`);
    const xattrs = [{ name: 'user.same', value: bytesOf('y') }];
    const wanted = wish({ mode: 0o600, extras: { xattrs } });
    using file = scene.fileSystem.openFile(scene.root, bytesOf('a'));
    if (!file) throw new Error('it was not opened');
    t.same(settleFile(scene.fileSystem, file, wanted, { policy, bytes: 3 }), []);
    t.same(xattrsOf(scene.inside('a')), ['user.same=0x79']);
    t.equal(Number(scene.stat('a').mode) & 0o7777, 0o600);
  },
);

t.test('an ACL that comes from the directory does not stay', attributeToolsOnly, async t => {
  using scene = new TargetScene();
  const acl = aclOf([1, 7], [2, 7, 1234], [4, 5], [0x10, 7], [0x20, 0]);
  const value = `0x${Buffer.from(acl).toString('hex')}`;
  execFileSync('setfattr', ['-n', 'system.posix_acl_default', '-v', value, scene.inside('')]);
  t.same(scene.file('a', 'x', wish({ mode: 0o664 })), []);
  t.same(xattrsOf(scene.inside('a')), []);
  using inheriting = scene.fileSystem.createFile(scene.root, bytesOf('b'), wish({ mode: 0o640 }));
  const modes: number[] = [];
  const { calls } = scene.fileSystem;
  const changeMode = calls.changeMode.bind(calls);
  calls.changeMode = (place, mode) => {
    modes.push(xattrsOf(scene.inside('b')).length);
    return changeMode(place, mode);
  };
  const wanted = wish({ mode: 0o640 });
  t.same(settleFile(scene.fileSystem, inheriting, wanted, { policy, bytes: 0 }), []);
  t.strictSame(modes, [0], 'it is gone before the bits of the group would widen it');
  t.equal(Number(scene.stat('a').mode) & 0o7777, 0o664);
  scene.fileSystem.makeDirectory(scene.root, bytesOf('d'));
  using directory = scene.fileSystem.openDirectory(scene.root, bytesOf('d'));
  t.equal(xattrsOf(scene.inside('d')).length > 0, true);
  t.same(settleDirectory(scene.fileSystem, directory, wish({ mode: 0o755 }), { policy }), []);
  t.same(xattrsOf(scene.inside('d')), []);
});

t.test(
  'a directory gets everything that a file gets, and a default ACL',
  attributeToolsRootOnly,
  async t => {
    using scene = new TargetScene();
    const xattrs = [
      { name: 'system.posix_acl_default', value: SAMPLE_ACL },
      { name: 'user.d', value: bytesOf('d') },
    ];
    const wanted = wish({ uid: 5, gid: 6, mode: 0o3771, extras: { xattrs } });
    scene.fileSystem.makeDirectory(scene.root, bytesOf('d'));
    using directory = scene.fileSystem.openDirectory(scene.root, bytesOf('d'));
    scene.fileSystem.createFile(directory, bytesOf('x'), wish())[Symbol.dispose]();
    t.same(settleDirectory(scene.fileSystem, directory, wanted, { policy }), []);
    const found = scene.stat('d');
    t.same([Number(found.mode) & 0o7777, found.uid, found.gid], [0o3771, 5n, 6n]);
    t.equal(found.mtimeNs, 1700000000123456789n);
    t.equal(xattrsOf(scene.inside('d')).length, 2);
  },
);

t.test(
  'holes are there where they should be, or the first that is not is named',
  nativeOnly,
  async t => {
    using scene = new TargetScene();
    const { fileSystem, root } = scene;
    const holes = [4096, 65_536, 100_001, 50_000, 200_000, 100_000];
    const wanted = wish({ extras: { holes } });
    const settled = (
      name: string,
      fill: (file: ReturnType<typeof fileSystem.createFile>) => void,
    ) => {
      using file = fileSystem.createFile(root, bytesOf(name), wanted);
      fileSystem.setSize(file, 300_000);
      fill(file);
      return settleFile(fileSystem, file, wanted, { policy, bytes: 300_000 });
    };
    t.same(
      settled('good', file => {
        for (const position of [0, 4095, 69_632, 100_000, 150_001, 199_999]) {
          scene.write(file, 'x', position);
        }
      }),
      [],
    );
    const bad = settled('bad', file => scene.write(file, 'x'.repeat(300_000)));
    t.same(bad, [
      { attribute: 'holes', expected: '3 holes', found: 'data at 4096, 3 holes missing' },
    ]);
    t.same(
      settled('punched', file => {
        scene.write(file, 'x'.repeat(300_000));
        fileSystem.punchHoles(file, holes);
      }),
      [],
    );
    const text = readFileSync(scene.inside('punched'), 'latin1');
    const expected = Array.from({ length: 300_000 }, () => 'x');
    for (let i = 0; i < holes.length; i += 2)
      expected.fill('\0', holes[i], holes[i] + holes[i + 1]);
    t.ok(text === expected.join(''));
  },
);

t.test('what a later version wrote is named', async t => {
  using scene = new TargetScene();
  const found = scene.file('a', '', wish({ extras: { unknown: ['birth', 'smell'] } }));
  const named = found.map(({ attribute }) => attribute).filter(name => name !== 'mtime');
  t.same(named, ['stevedore.birth', 'stevedore.smell']);
});

t.test('a file that loses bytes after it was written is noticed', nativeOnly, async t => {
  using scene = new TargetScene();
  using file = scene.fileSystem.createFile(scene.root, bytesOf('a'), wish());
  scene.write(file, 'abc');
  truncateSync(scene.inside('a'), 1);
  const found = settleFile(scene.fileSystem, file, wish(), { policy, bytes: 3 });
  t.same(found, [{ attribute: 'size', expected: '3', found: '1' }]);
});

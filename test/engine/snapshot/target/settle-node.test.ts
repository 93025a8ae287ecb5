// Attributes of links, pipes, sockets and devices.

import { statSync, unlinkSync, writeFileSync } from 'node:fs';
import t from 'tap';

import { KEEP_ALL } from '#engine/snapshot/target/wanted-attributes.ts';

import { settleAt } from '#engine/snapshot/target/settle-node.ts';

import {
  SAMPLE_ACL,
  TargetScene,
  bytesOf,
  wish,
  xattrsOf,
  attributeToolsRootOnly,
  nativeRootOnly,
} from './target-scene.ts';

const policy = KEEP_ALL;

t.test(
  'a link has its own owner and time; what it points to keeps its own',
  attributeToolsRootOnly,
  async t => {
    using scene = new TargetScene();
    const { fileSystem, root } = scene;
    writeFileSync(scene.outside('victim'), 'x', { mode: 0o600 });
    const before = statSync(scene.outside('victim'), { bigint: true });
    const linkTarget = bytesOf('../victim');
    const node = { type: 'l', linkTarget } as const;
    const xattrs = [{ name: 'trusted.l', value: bytesOf('l') }];
    const wanted = wish({ uid: 77, gid: 78, mode: 0o777, extras: { xattrs } });
    fileSystem.makeSymlink(root, bytesOf('link'), linkTarget);
    t.same(settleAt(fileSystem, root, bytesOf('link'), wanted, { policy, node }), []);
    const found = scene.stat('link');
    t.same([found.uid, found.gid, found.mtimeNs], [77n, 78n, 1700000000123456789n]);
    t.same(xattrsOf(scene.inside('link')), ['trusted.l=0x6c']);
    const after = statSync(scene.outside('victim'), { bigint: true });
    t.same([after.uid, after.mode, after.mtimeNs], [before.uid, before.mode, before.mtimeNs]);
    t.same(xattrsOf(scene.outside('victim')), []);

    const other = { type: 'l', linkTarget: bytesOf('elsewhere') } as const;
    const differences = settleAt(fileSystem, root, bytesOf('link'), wanted, {
      policy,
      node: other,
    });
    t.same(differences, [
      { attribute: 'linkTarget', expected: '"elsewhere"', found: '"../victim"' },
    ]);
  },
);

t.test(
  'a file that has taken the place of a link gets none of its attributes',
  nativeRootOnly,
  async t => {
    using scene = new TargetScene();
    const { fileSystem, root } = scene;
    fileSystem.makeSymlink(root, bytesOf('link'), bytesOf('x'));
    unlinkSync(scene.inside('link'));
    writeFileSync(scene.inside('link'), 'secret', { mode: 0o600 });
    const node = { type: 'l', linkTarget: bytesOf('x') } as const;
    const wanted = wish({ uid: 1234, gid: 1234 });
    const found = settleAt(fileSystem, root, bytesOf('link'), wanted, { policy, node });
    t.ok(found.some(({ attribute, found }) => attribute === 'type' && found === 'file'));
    t.same([scene.stat('link').uid, Number(scene.stat('link').mode) & 0o777], [0n, 0o600]);
    unlinkSync(scene.inside('link'));
    const attempt = () => settleAt(fileSystem, root, bytesOf('link'), wanted, { policy, node });
    t.throws(attempt, { code: 'TARGET_ENTRY_FAILED', details: { errno: 'ENOENT' } });
  },
);

t.test(
  'pipes, sockets and devices come out with all that they have',
  attributeToolsRootOnly,
  async t => {
    using scene = new TargetScene();
    const { fileSystem, root } = scene;
    const xattrs = [{ name: 'system.posix_acl_access', value: SAMPLE_ACL }];
    for (const type of ['p', 'k', 'c', 'b'] as const) {
      const isDevice = type === 'c' || type === 'b';
      const node = { type, major: isDevice ? 240 : 0, minor: isDevice ? 70_000 : 0 };
      const wanted = wish({ uid: 7, gid: 8, mode: 0o640, extras: { xattrs } });
      fileSystem.makeSpecial(root, bytesOf(type), { ...node, mode: 0o640 });
      t.same(settleAt(fileSystem, root, bytesOf(type), wanted, { policy, node }), [], type);
      const found = scene.stat(type);
      t.same([found.uid, Number(found.mode) & 0o7777], [7n, 0o640]);
      if (isDevice)
        t.equal(found.rdev, BigInt(((70_000 >> 8) << 20) | (240 << 8) | (70_000 & 0xff)));
      t.equal(xattrsOf(scene.inside(type)).length, 1);
      const wrong = { ...node, minor: 3 };
      const differences = settleAt(fileSystem, root, bytesOf(type), wanted, {
        policy,
        node: wrong,
      });
      t.same(
        differences.map(({ attribute }) => attribute),
        isDevice ? ['device'] : [],
      );
    }
  },
);

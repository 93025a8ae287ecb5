import t from 'tap';

import { openNativeCalls } from '#engine/snapshot/target/native-calls.ts';
import { openTargetFileSystem, sees } from '#engine/snapshot/target/open-target-file-system.ts';
import { openPortableCalls } from '#engine/snapshot/target/portable-calls.ts';
import { OPEN_DIRECTORY, type TargetCalls } from '#engine/snapshot/target/target-calls.ts';
import { TargetStat } from '#engine/snapshot/target/target-stat.ts';

import { TargetScene, bytesOf, wish } from './target-scene.ts';
import { targetFileSystemSuite } from './target-file-system.suite.ts';

t.test('portable', async t => targetFileSystemSuite(t, false));

const native = openNativeCalls();
const portable = openPortableCalls();
if (native === undefined || portable === undefined) {
  t.comment('native calls or /proc are not to be had here: the native target is not tested');
} else {
  t.test('native', async t => targetFileSystemSuite(t, true));

  t.test('native and portable say the same of everything that one of them made', async t => {
    using scene = new TargetScene();
    const { fileSystem, root } = scene;
    const names = ['file', 'directory', 'link', 'pipe', 'none', 'x'.repeat(300)];
    scene.file('file', 'abc', wish({ mode: 0o4751, mtimeSeconds: -5 }));
    fileSystem.makeDirectory(root, bytesOf('directory'));
    fileSystem.makeSymlink(root, bytesOf('link'), bytesOf('file'));
    fileSystem.makeSpecial(root, bytesOf('pipe'), { type: 'p', mode: 0o600, major: 0, minor: 0 });
    const told = (calls: TargetCalls) =>
      names.map(text => {
        const stat = new TargetStat();
        const name = bytesOf(text);
        const result = calls.statAt(root.descriptor, name, stat);
        const link = calls.readLinkAt(root.descriptor, name);
        const opened = calls.openAt(root.descriptor, name, OPEN_DIRECTORY, 0);
        if (opened >= 0) calls.close(opened);
        const again = calls.makeDirectoryAt(root.descriptor, name, 0o700);
        if (again === 0) calls.unlinkAt(root.descriptor, name, true);
        return { ...stat, attributes: 0, result, link, opened: Math.min(opened, 0), again };
      });
    t.same(told(portable), told(native));
  });

  t.test('the self-test takes what is sound and refuses what reads wrongly', async t => {
    t.ok(sees(native, portable));
    t.equal(openTargetFileSystem().kind, 'native');
    const wrong = new Proxy(native, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        if (name !== 'statOpen') return (member as () => unknown).bind(target);
        return (descriptor: number, stat: TargetStat) => {
          const result = target.statOpen(descriptor, stat);
          stat.linkCount++;
          return result;
        };
      },
    }) satisfies TargetCalls;
    t.notOk(sees(wrong, portable));
  });
}

t.test('node:fs can be asked for', async t => {
  t.equal(openTargetFileSystem({ native: false }).kind, 'portable');
});

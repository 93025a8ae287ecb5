import t from 'tap';

import { openNativeFileSystem } from '#engine/snapshot/source/native-file-system.ts';
import {
  openSourceFileSystem,
  seesTheSame,
} from '#engine/snapshot/source/open-source-file-system.ts';
import { openPortableFileSystem } from '#engine/snapshot/source/portable-file-system.ts';
import { SourceStat } from '#engine/snapshot/source/source-stat.ts';

import { makeOddTree } from './odd-tree.ts';
import { describe, sourceFileSystemSuite } from './source-file-system.suite.ts';

t.test('portable', async t => sourceFileSystemSuite(t, openPortableFileSystem));

const native = openNativeFileSystem();
if (native === undefined) {
  t.comment('native calls are not to be had here: the native file system is not tested');
} else {
  t.test('native', async t => sourceFileSystemSuite(t, () => native));

  t.test('native and portable say the same of a tree of oddities', async t => {
    await using tree = await makeOddTree(t.testdir({}));
    const { path } = tree;
    t.same(describe(native, path), describe(openPortableFileSystem(), path));
  });

  t.test(
    'native and portable say the same of devices and of what a process sees of itself',
    async t => {
      const withoutTimes = (path: string, fileSystem = native) =>
        describe(fileSystem, path).map(line => line.replace(/"[cm]time\w+":-?\d+,/g, ''));
      t.same(withoutTimes('/dev'), withoutTimes('/dev', openPortableFileSystem()));
    },
  );

  t.test(
    'the self-test takes a sound implementation and refuses one that reads wrongly',
    async t => {
      const portable = openPortableFileSystem();
      t.ok(seesTheSame(native, portable));
      t.equal(openSourceFileSystem().kind, 'native');
      const wrong = new Proxy(native, {
        get: (target, name) => {
          const member: unknown = Reflect.get(target, name, target);
          if (typeof member !== 'function') return member;
          return (...args: unknown[]) => {
            const result: unknown = Reflect.apply(member, target, args);
            const stat = args.find(argument => argument instanceof SourceStat);
            if (stat !== undefined) stat.mtimeNanoseconds++;
            return result;
          };
        },
      });
      t.notOk(seesTheSame(wrong, portable));
    },
  );
}

t.test('node:fs can be asked for', async t => {
  t.equal(openSourceFileSystem({ native: false }).kind, 'portable');
});

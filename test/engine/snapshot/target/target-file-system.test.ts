import t from 'tap';

import { openNativeCalls } from '#engine/snapshot/target/native-calls.ts';
import { openTargetFileSystem, sees } from '#engine/snapshot/target/open-target-file-system.ts';
import { openPortableCalls } from '#engine/snapshot/target/portable-calls.ts';
import type { TargetCalls } from '#engine/snapshot/target/target-calls.ts';
import type { TargetStat } from '#engine/snapshot/target/target-stat.ts';

import { targetFileSystemSuite } from './target-file-system.suite.ts';

t.test('portable', async t => targetFileSystemSuite(t, false));

const native = openNativeCalls();
const portable = openPortableCalls();
if (native === undefined || portable === undefined) {
  t.comment('native calls or /proc are not to be had here: the native target is not tested');
} else {
  t.test('native', async t => targetFileSystemSuite(t, true));

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

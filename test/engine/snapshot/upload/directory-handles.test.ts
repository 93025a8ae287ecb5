import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { openSourceFileSystem } from '#engine/snapshot/source/open-source-file-system.ts';
import { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { DirectoryHandles } from '#engine/snapshot/upload/directory-handles.ts';

const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const openCount = () => readdirSync('/proc/self/fd').length;

for (const native of [true, false]) {
  const fileSystem = openSourceFileSystem({ native });
  const kind = fileSystem.kind;

  const namesIn = (handles: DirectoryHandles, names: readonly Uint8Array[]): string[] => {
    const listing = new SourceListing();
    fileSystem.list(handles.at(names), listing);
    return Array.from({ length: listing.count }, (_, index) => listing.textAt(index)).sort();
  };

  t.test(`${kind}: directories are found by the names that lead to them`, async t => {
    const root = t.testdir({ a: { b: { c: {} } }, d: { b: { e: {} } }, 'a b': { f: {} } });
    using handles = new DirectoryHandles(fileSystem, bytes(root));
    t.strictSame(namesIn(handles, []), ['a', 'a b', 'd']);
    t.strictSame(namesIn(handles, [bytes('a'), bytes('b')]), ['c']);
    t.strictSame(namesIn(handles, [bytes('d'), bytes('b')]), ['e']);
    t.strictSame(namesIn(handles, [bytes('a b')]), ['f']);
    t.strictSame(namesIn(handles, [bytes('a')]), ['b'], 'an ancestor that is open already');
  });

  t.test(`${kind}: far deeper than handles are kept`, async t => {
    const root = t.testdir({});
    const depth = 100;
    const names = Array.from({ length: depth }, (_, index) => bytes(`level-${index}`));
    mkdirSync(`${root}/${names.map(name => Buffer.from(name).toString()).join('/')}`, {
      recursive: true,
    });
    const before = openCount();
    {
      using handles = new DirectoryHandles(fileSystem, bytes(root));
      t.strictSame(namesIn(handles, names), []);
      t.strictSame(namesIn(handles, names.slice(0, 50)), ['level-50'], 'was pushed out');
      t.strictSame(namesIn(handles, []), ['level-0']);
      t.ok(openCount() - before <= 33, `${openCount() - before} are open`);
    }
    t.equal(openCount(), before, 'all are closed in the end');
  });

  t.test(`${kind}: many siblings push each other out and can be had again`, async t => {
    const root = t.testdir({});
    const names = Array.from({ length: 80 }, (_, index) => `d${index}`);
    for (const name of names) mkdirSync(`${root}/${name}/in-${name}`, { recursive: true });
    using handles = new DirectoryHandles(fileSystem, bytes(root));
    for (const name of [...names, ...names]) {
      t.strictSame(namesIn(handles, [bytes(name)]), [`in-${name}`]);
    }
  });

  t.test(`${kind}: what is no directory any more is not entered`, async t => {
    const root = t.testdir({ a: {}, b: {}, c: {}, elsewhere: { secret: {} } });
    rmSync(`${root}/a`, { recursive: true });
    rmSync(`${root}/b`, { recursive: true });
    rmSync(`${root}/c`, { recursive: true });
    symlinkSync(`${root}/elsewhere`, `${root}/b`);
    writeFileSync(`${root}/c`, '');
    using handles = new DirectoryHandles(fileSystem, bytes(root));
    t.throws(() => handles.at([bytes('a')]), { code: 'SOURCE_VANISHED' });
    t.throws(() => handles.at([bytes('b')]), { code: 'SOURCE_CHANGED' });
    t.throws(() => handles.at([bytes('c')]), { code: 'SOURCE_CHANGED' });
    t.strictSame(namesIn(handles, [bytes('elsewhere')]), ['secret'], 'the others still open');
  });

  t.test(`${kind}: a handle stays where it is when names move`, async t => {
    const root = t.testdir({ a: { inside: {} } });
    using handles = new DirectoryHandles(fileSystem, bytes(root));
    handles.at([bytes('a')]);
    renameSync(`${root}/a`, `${root}/z`);
    t.strictSame(namesIn(handles, [bytes('a')]), ['inside']);
  });
}

import t from 'tap';

import {
  createSelection,
  enterDirectory,
  exclusionByStat,
  isUnrestricted,
  withIgnoreFile,
  DEFAULT_FILES_POLICY,
  type Selection,
} from '#engine/snapshot/source/selection.ts';
import { NameRules } from '#engine/snapshot/source/name-rules.ts';
import { ENTRY_TYPE, SourceStat } from '#engine/snapshot/source/source-stat.ts';

import { RULE_CASES, RULE_TREE } from './kopia-rules.ts';

const exclusionByName = (selection: Selection, name: Uint8Array, isDirectory: boolean) =>
  new NameRules(selection).exclusionOf(name, isDirectory);
const bytes = (text: string) => new TextEncoder().encode(text);

/** Bit i is set when entry i of RULE_TREE is left out, by itself or with its directory. */
function leftOut(top: Selection): string {
  const selections = new Map<string, Selection>([['', top]]);
  let mask = 0n;
  const inOrder = RULE_TREE.map((path, index) => ({ path, index }));
  inOrder.sort((a, b) => a.path.split('/').length - b.path.split('/').length);
  for (const { path, index } of inOrder.sort((a, b) => depthOf(a.path) - depthOf(b.path))) {
    const isDirectory = path.endsWith('/');
    const plain = isDirectory ? path.slice(0, -1) : path;
    const cut = plain.lastIndexOf('/') + 1;
    const parent = selections.get(plain.slice(0, cut));
    const name = bytes(plain.slice(cut));
    if (parent === undefined || exclusionByName(parent, name, isDirectory) !== undefined) {
      mask |= 1n << BigInt(index);
    } else if (isDirectory) {
      selections.set(path, enterDirectory(parent, name));
    }
  }
  return mask.toString(16);
}

function depthOf(path: string): number {
  return path.replace(/\/$/, '').split('/').length;
}

t.test('ignore files leave out what kopia left out', async t => {
  for (const { rules, root, below = root } of RULE_CASES) {
    const text = bytes(`${rules.join('\n')}\n`);
    const top = createSelection(DEFAULT_FILES_POLICY);
    const child = enterDirectory(top, bytes('c'));
    if (root === 'refused') {
      t.throws(() => withIgnoreFile(top, text), { code: 'POLICY_INVALID' }, rules.join());
      t.throws(() => withIgnoreFile(child, text), { code: 'POLICY_INVALID' }, rules.join());
      continue;
    }
    t.equal(leftOut(withIgnoreFile(top, text)), root, `${rules.join()} at the root`);
    t.equal(leftOut(withIgnoreFile(child, text)), below, `${rules.join()} in a directory`);
  }
});

t.test('a selection without rules says that nothing can be left out', async t => {
  const top = createSelection(DEFAULT_FILES_POLICY);
  t.ok(isUnrestricted(top));
  t.ok(isUnrestricted(enterDirectory(top, bytes('a'))));
  t.ok(new NameRules(top).isEmpty);
  t.notOk(new NameRules(createSelection({ ignore: ['x'] })).isEmpty);
  t.notOk(isUnrestricted(createSelection({ maxFileSize: 1 })));
  t.notOk(isUnrestricted(createSelection({ oneFileSystem: true })));
});

t.test('an exclusion names the rule that decided', async t => {
  const top = createSelection({ ignore: ['*.log', '!keep.log', 'keep*'] });
  const ruleOf = (name: string) => exclusionByName(top, bytes(name), false)?.rule?.pattern;
  t.same(['a.log', 'keep.log', 'x'].map(ruleOf), ['*.log', 'keep*', undefined]);
});

t.test('a selection can be told to another thread', async t => {
  const top = createSelection(
    { ignore: ['[[:alpha:]]*.log', '!/a/*'] },
    { policiesBelow: new Map([['a', { ignore: ['b'] }]]) },
  );
  const there = structuredClone(top);
  t.same(there, top);
  const child = enterDirectory(there, bytes('a'));
  t.ok(exclusionByName(child, bytes('b'), false));
  t.notOk(exclusionByName(child, bytes('c.log'), false));
});

t.test('names that are not UTF-8 match as kopia decodes them', async t => {
  const top = createSelection({ ignore: ['a??'] });
  t.ok(exclusionByName(top, Buffer.from([0x61, 0xe2, 0x82]), false), 'a byte is one character');
  t.notOk(exclusionByName(top, Buffer.from([0x61, 0xe2, 0x82, 0xac]), false), 'so is a euro');
});

t.test('size counts for all but directories, and only above the limit', async t => {
  const top = createSelection({ maxFileSize: 10 });
  const here = new SourceStat();
  const reasonOf = (type: number, size: number) =>
    exclusionByStat(top, Object.assign(new SourceStat(), { type, size }), here)?.reason;
  t.equal(reasonOf(ENTRY_TYPE.file, 10), undefined);
  t.equal(reasonOf(ENTRY_TYPE.file, 11), 'too large');
  t.equal(reasonOf(ENTRY_TYPE.symlink, 11), 'too large');
  t.equal(reasonOf(ENTRY_TYPE.directory, 4096), undefined);
});

t.test('with oneFileSystem an entry must lie on the file system of its directory', async t => {
  const top = createSelection({ oneFileSystem: true });
  const here = Object.assign(new SourceStat(), { deviceMajor: 8, deviceMinor: 1 });
  const same = Object.assign(new SourceStat(), { deviceMajor: 8, deviceMinor: 1 });
  const other = Object.assign(new SourceStat(), { deviceMajor: 8, deviceMinor: 2 });
  t.equal(exclusionByStat(top, same, here), undefined);
  t.equal(exclusionByStat(top, other, here)?.reason, 'other file system');
  const below = enterDirectory(top, bytes('a'));
  t.equal(exclusionByStat(below, other, here)?.reason, 'other file system');
});

t.test('a policy below replaces oneFileSystem and keeps the size limit', async t => {
  const policiesBelow = new Map([['a/b', { ignore: ['x'] }]]);
  const top = createSelection({ oneFileSystem: true, maxFileSize: 5 }, { policiesBelow });
  const below = enterDirectory(enterDirectory(top, bytes('a')), bytes('b'));
  t.equal(below.isOneFileSystem, false);
  t.equal(below.fileBytesMax, 5);
});

t.test('the name of an ignore file must not be a path', async t => {
  t.throws(() => createSelection({ ignoreDotFiles: ['../x'] }), { code: 'POLICY_INVALID' });
});

t.test('a pattern with many stars takes no time that matters', async t => {
  const rule = `${'*a'.repeat(30)}**/${'a*'.repeat(30)}/**/${'**/a/'.repeat(12)}b`;
  let selection = createSelection({ ignore: [rule] });
  for (let depth = 0; depth < 30; depth++) selection = enterDirectory(selection, bytes('aaaaaaaa'));
  const start = performance.now();
  t.notOk(exclusionByName(selection, bytes('a'.repeat(200)), false));
  t.ok(performance.now() - start < 1000);
});

t.test('what a backup is asked for comes on top of all policies', async t => {
  const policiesBelow = new Map([['a', { oneFileSystem: false, ignoreCacheDirs: true }]]);
  const request = { fileBytesMax: 7, isOneFileSystem: true, storesCacheDirectories: true };
  for (const [maxFileSize, expected, kind] of [
    [5, 5, 'policy'],
    [9, 7, 'command line'],
    [0, 7, 'command line'],
  ] as const) {
    const origins = { maxFileSize: { kind: 'policy', target: '(global)' } } as const;
    const top = createSelection({ maxFileSize }, { request, policiesBelow, origins });
    const below = enterDirectory(top, bytes('a'));
    for (const selection of [top, below]) {
      t.equal(selection.fileBytesMax, expected);
      t.equal(selection.isOneFileSystem, true);
      t.equal(selection.skipsCacheDirectories, false);
      t.match(selection.origins, {
        maxFileSize: { kind },
        oneFileSystem: { kind: 'command line' },
      });
    }
  }
});

t.test('an ignore file has a name and no path', async t => {
  const request = { ignoreFileNames: ['a/b'] };
  t.throws(() => createSelection({}, { request }), { code: 'USAGE' });
  t.throws(() => createSelection({ ignoreDotFiles: ['a/b'] }), { code: 'POLICY_INVALID' });
});

t.test('a rule says where it comes from', async t => {
  const origins = { ignore: { kind: 'policy', target: '(global)' } } as const;
  const policiesBelow = new Map([['a', { ignore: ['*.b'] }]]);
  const top = createSelection(
    { ignore: ['*.a'] },
    { origins, policiesBelow, sourceName: 'u@h:/s' },
  );
  const filed = withIgnoreFile(top, bytes('\n#\n*.c\n'), '.kopiaignore');
  const ruleOf = (selection: Selection, name: string) =>
    exclusionByName(selection, bytes(name), false)?.rule;
  t.strictSame(ruleOf(filed, 'x.a'), {
    pattern: '*.a',
    origin: { kind: 'policy', target: '(global)' },
    line: undefined,
  });
  t.strictSame(ruleOf(filed, 'x.c'), {
    pattern: '*.c',
    origin: { kind: 'ignore file', path: '.kopiaignore' },
    line: 3,
  });
  const below = enterDirectory(filed, bytes('a'));
  t.match(ruleOf(below, 'x.b'), { origin: { kind: 'policy', target: 'u@h:/s/a' } });
});

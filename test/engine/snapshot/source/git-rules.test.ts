import { writeFileSync } from 'node:fs';
import t from 'tap';

import { parseGitPattern } from '#engine/snapshot/source/git-pattern.ts';
import { matchesGitPattern } from '#engine/snapshot/source/git-match.ts';
import {
  gitIgnoreLines,
  openRules,
  readExcludeRules,
  shareRules,
} from '#engine/snapshot/source/git-rules.ts';
import { NameRules } from '#engine/snapshot/source/name-rules.ts';
import {
  createSelection,
  enterDirectory,
  withGitIgnoreFile,
  withIgnoreFile,
  type Selection,
} from '#engine/snapshot/source/selection.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';

import { GIT_CASES, GIT_TREE } from './git-cases.ts';
import { GitOracle, gitVersion } from './git-oracle.ts';

const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));
const top = createSelection({});
const noGit = gitVersion() === undefined && 'there is no git';

/** Entries of `tree` that are left out, by themselves or with a directory above. */
function leftOut(selection: Selection, tree = GIT_TREE): string[] {
  const known = new Map<string, { selection: Selection; names: Uint8Array[] }>();
  known.set('', { selection, names: [] });
  const ordered = tree.toSorted((a, b) => a.split('/').length - b.split('/').length);
  const out = new Set<string>();
  for (const path of ordered.toSorted((a, b) => depthOf(a) - depthOf(b))) {
    const isDirectory = path.endsWith('/');
    const plain = path.replace(/\/$/, '');
    const cut = plain.lastIndexOf('/') + 1;
    const parent = known.get(plain.slice(0, cut));
    const name = new Uint8Array(Buffer.from(plain.slice(cut)));
    const rules = parent && new NameRules(parent.selection, [], parent.names);
    if (rules === undefined || rules.exclusionOf(name, isDirectory) !== undefined) out.add(path);
    else if (isDirectory && parent) {
      const names = [...parent.names, name];
      known.set(path, { selection: enterDirectory(parent.selection, name), names });
    }
  }
  return tree.filter(path => out.has(path));
}

function depthOf(path: string): number {
  return path.replace(/\/$/, '').split('/').length;
}

function maskOf(paths: readonly string[]): string {
  return paths
    .reduce((mask, path) => mask | (1n << BigInt(GIT_TREE.indexOf(path))), 0n)
    .toString(16);
}

t.test('ignore files leave out what git leaves out', async t => {
  for (const [text, ignored] of GIT_CASES) {
    const selection = withGitIgnoreFile(top, bytes(text), '.gitignore');
    t.equal(maskOf(leftOut(selection)), ignored, JSON.stringify(text));
  }
});

t.test('git says the same', { skip: noGit }, async t => {
  const oracle = new GitOracle(t.testdir({}), GIT_TREE);
  for (const [text, ignored] of GIT_CASES) {
    t.equal(maskOf(oracle.ignored(bytes(text))), ignored, JSON.stringify(text));
  }
});

t.test('random ignore files leave out what git leaves out', { skip: noGit }, async t => {
  const seed = newSeed();
  t.comment(`STEVEDORE_TEST_SEED=${seed}`);
  const random = new SeededRandom(seed);
  const tree = ['a/', 'a/b/', 'a/b/ab', 'a/b/a', 'a/ba', 'b/', 'b/a/', 'b/a/b', 'ab', 'b/aab'];
  const oracle = new GitOracle(t.testdir({}), tree);
  const pieces = ['a', 'b', '*', '**', '/', '/', '?', '[ab]', '[!a]', '\\a', '**/', '/**'];
  for (let round = 0; round < 60; round++) {
    const lines = Array.from({ length: 1 + random.below(3) }, () => {
      const length = 1 + random.below(5);
      const body = Array.from({ length }, () => random.pick(pieces)).join('');
      return random.once(4) ? `!${body}` : body;
    });
    const text = bytes(lines.join('\n'));
    const isBelow = random.once(3);
    const child = enterDirectory(top, bytes('a'));
    const mine = isBelow
      ? leftOutBelow(withGitIgnoreFile(child, text, '.gitignore'), tree)
      : leftOut(withGitIgnoreFile(top, text, '.gitignore'), tree);
    t.strictSame(mine, oracle.ignored(text, isBelow ? 'a' : ''), JSON.stringify(lines));
  }
});

/** As leftOut, with the selection of directory `a`. */
function leftOutBelow(selection: Selection, tree: readonly string[]): string[] {
  const below = tree.filter(path => path.startsWith('a/') && path !== 'a/');
  const out = new Set<string>();
  for (const path of below.toSorted((a, b) => depthOf(a) - depthOf(b))) {
    const isDirectory = path.endsWith('/');
    const names = path.replace(/\/$/, '').split('/').map(bytes);
    const name = names.pop() ?? bytes('');
    const [, ...rest] = names;
    const here = rest.reduce(enterDirectory, selection);
    const parent = `${names.map(each => Buffer.from(each).toString()).join('/')}/`;
    const isOut =
      out.has(parent) ||
      new NameRules(here, [], names).exclusionOf(name, isDirectory) !== undefined;
    if (isOut) out.add(path);
  }
  return tree.filter(path => out.has(path));
}

t.test('names are bytes', async t => {
  const matches = (pattern: Uint8Array, name: Uint8Array) => {
    const parsed = parseGitPattern(pattern);
    return parsed && matchesGitPattern(parsed, { bytes: name, baseBytes: 0, nameStart: 0 }, false);
  };
  t.ok(matches(bytes('a\xff'), bytes('a\xff')), 'also such as are not UTF-8');
  t.notOk(matches(bytes('a\xff'), bytes('a\xfe')));
  t.ok(matches(Buffer.from('??'), Buffer.from('é')), 'an é is two of them');
});

t.test('a pattern that can match nothing is told from one that does not', async t => {
  for (const text of ['', '!', '/', '[a', '[[:nope:]]', 'a\\', 'a/[', '[a-', '[\\']) {
    t.equal(parseGitPattern(bytes(text)), undefined, text);
    await t.rejects(readExcludeRules({ exclude: [text] }), { code: 'USAGE', message: 'nothing' });
  }
});

t.test('the time for a pattern with many stars is bounded', async t => {
  const pattern = parseGitPattern(bytes(`${'*a'.repeat(100)}b`));
  const path = { bytes: bytes('a'.repeat(4000)), baseBytes: 0, nameStart: 0 };
  t.equal(pattern && matchesGitPattern(pattern, path, false), false);
});

t.test('exclude patterns come last and take back what others leave out', async t => {
  const selection = withIgnoreFile(top, bytes('*.log\n'), '.kopiaignore');
  const excludes = await readExcludeRules({ exclude: ['!a.log', 'tmp/', '*.tmp', '!b.tmp'] });
  const rules = new NameRules(selection, excludes, [bytes('x')]);
  const verdict = (name: string, isDirectory = false) => rules.verdict(bytes(name), isDirectory);
  t.match(verdict('a.log'), { isExcluded: false, rule: { pattern: '!a.log' } });
  t.match(verdict('b.log'), { isExcluded: true, rule: { origin: { kind: 'ignore file' } } });
  t.match(verdict('c.tmp'), { isExcluded: true, rule: { origin: { kind: 'command line' } } });
  t.match(verdict('b.tmp'), { isExcluded: false });
  t.match(verdict('tmp', true), { isExcluded: true });
  t.strictSame(verdict('tmp'), { isExcluded: false, rule: undefined });
});

t.test('a file of patterns has comments and line numbers, an option has neither', async t => {
  const file = `${t.testdir({})}/patterns`;
  writeFileSync(file, '# why\n\n*.o \n');
  const lists = await readExcludeRules({ exclude: ['#a', 'b '], excludeFrom: [file] });
  t.match(lists, [
    { origin: { kind: 'command line', file }, rules: [{ text: '*.o', line: 3 }] },
    { origin: { kind: 'command line' }, rules: [{ text: '#a' }, { text: 'b ' }] },
  ]);
  t.strictSame(openRules(shareRules(lists)), lists, 'and threads get all of it');
  await t.rejects(readExcludeRules({ excludeFrom: [`${file}/no`] }), {
    code: 'USAGE',
    message: 'ENOTDIR',
  });
});

t.test('lines end as git ends them', async t => {
  const linesOf = (text: string) =>
    gitIgnoreLines(bytes(text)).map(line => [line.number, Buffer.from(line.text).toString()]);
  t.strictSame(linesOf('\xef\xbb\xbfa\r\nb\\ \nc  \n\\ \nd\\'), [
    [1, 'a'],
    [2, 'b\\ '],
    [3, 'c'],
    [4, '\\ '],
    [5, 'd\\'],
  ]);
});

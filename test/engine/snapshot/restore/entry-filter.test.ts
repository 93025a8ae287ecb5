import t from 'tap';
import { entryFilter } from '#engine/snapshot/restore/entry-filter.ts';
import {
  GLOB_ALTERNATIVES_MAX,
  GLOB_CHARACTERS_MAX,
} from '#engine/snapshot/restore/glob-alternatives.ts';

const bytes = (path: string) => new Uint8Array(Buffer.from(path));
const latin = (path: string) => new Uint8Array(Buffer.from(path, 'latin1'));
const takes = (glob: string, path: Uint8Array) => entryFilter([glob], [])?.takes(path);
const mayTakeWithin = (glob: string, path: string) =>
  entryFilter([glob], [])?.mayTakeWithin(bytes(path));

/** Globs, what they match and what they do not. */
const GLOBS: readonly (readonly [glob: string, yes: string[], no: string[]])[] = [
  ['*.conf', ['a.conf', '.conf', 'x/.a.conf', 'a.conf/below'], ['a.conf~', 'conf']],
  ['**', ['a', '.a/.b'], []],
  ['*', ['a', '.a/.b'], []],
  ['/*', ['a', '.a', '.a/b'], []],
  ['/*.conf', ['.a.conf'], ['x/a.conf']],
  ['/srv/www', ['srv/www', 'srv/www/.x/y'], ['srv', 'srv/wwww', 'x/srv/www']],
  ['srv/www/', ['srv/www', 'x/srv/www/y'], ['xsrv/www']],
  ['/srv//www', ['srv/www'], []],
  ['/a/**/z', ['a/z', 'a/b/z', 'a/.b/c/z'], ['z', 'a/zz']],
  ['/a/**', ['a/.b', 'a/b/c'], ['a']],
  ['/a*z', ['az', 'a.z'], ['a/z']],
  ['{a,b}.txt', ['a.txt', 'x/b.txt'], ['c.txt', '{a,b}.txt']],
  ['/{a,b/{c,d}}/x', ['a/x', 'b/c/x', 'b/d/x'], ['b/x']],
  ['\\{a,b}', ['{a,b}'], ['a']],
  ['{a}{', ['{a}{'], ['a{']],
  ['/+(a)', ['+(a)'], ['a']],
  ['!a', ['!a', 'x/!a'], ['a', 'b']],
  ['/q\\?', ['q?'], ['qq']],
  ['/a\\{b/c', ['a{b/c'], []],
  ['/a\\\\b', ['a\\b'], ['a/b']],
  ['[ab]', ['a', 'x/b'], ['c', 'ab']],
  ['[!a]', ['b', 'é'], ['a', 'éa']],
  ['caf?', ['café', 'cafe', 'caf€'], ['caf', 'cafée']],
  ['??', ['éé', 'ae'], ['é', 'a']],
  ['{ä,ö}', ['ä', 'ö'], ['é']],
  ['.?', ['.a'], ['..a']],
];

t.test('globs say which paths are taken', async t => {
  for (const [glob, yes, no] of GLOBS) {
    for (const path of yes) t.equal(takes(glob, bytes(path)), true, `${glob} takes ${path}`);
    for (const path of no) t.equal(takes(glob, bytes(path)), false, `${glob} leaves ${path}`);
  }
});

t.test(
  'names that are not UTF-8 are matched by stars, questions and their replacement',
  async t => {
    for (const glob of ['caf*', 'caf?', 'caf\ufffd', 'caf[!x]']) {
      t.equal(takes(glob, latin('caf\xe9')), true, glob);
    }
    t.equal(takes('café', latin('caf\xe9')), false);
    t.equal(takes('caf\ufffd', bytes('cafe')), false);
  },
);

t.test('a directory is left aside only when nothing in it can match', async t => {
  for (const [glob, path, expected] of [
    ['/a/b/c', 'a', true],
    ['/a/b/c', 'a/b', true],
    ['/a/b/c', 'a/b/c', true],
    ['/a/b/c', 'b', false],
    ['/a/b/c', 'a/c', false],
    ['/a/b/c', 'aa', false],
    ['/{a,b}/c', 'b', true],
    ['/{a,b}/c', 'c', false],
    ['/a\\{/c', 'a{', true],
    ['/a?/x', 'aé', true],
    ['/a/**/z', 'a/b/c', true],
    ['/*/x', '.a', true],
    ['/*/x', '.a/b', false],
    ['x', 'a/b', true],
  ] as const) {
    t.equal(mayTakeWithin(glob, path), expected, `${glob} in ${path}`);
  }
  for (const [glob, yes] of GLOBS) {
    for (const path of yes) {
      const names = path.split('/');
      for (let depth = 1; depth < names.length; depth++) {
        t.ok(mayTakeWithin(glob, names.slice(0, depth).join('/')), `${glob} on the way to ${path}`);
      }
    }
  }
});

t.test('what is excluded is not taken, nor is what it holds', async t => {
  const filter = entryFilter(['/a'], ['*.o', '/a/.git']);
  t.equal(filter?.takes(bytes('a/x')), true);
  for (const path of ['a/.x.o', 'a/.git', 'a/.git/x', 'b']) {
    t.equal(filter?.takes(bytes(path)), false, path);
  }
  t.equal(filter?.mayTakeWithin(bytes('a/.git')), false);
  t.equal(entryFilter([], []), undefined);
});

t.test(
  'a glob that means something else than it says is refused, and so is a huge one',
  async t => {
    for (const [glob, message] of [
      ['[äö]', /letters have to be ASCII/],
      ['[!ä]', /letters have to be ASCII/],
      ['{a,b}'.repeat(30), new RegExp(`more than ${GLOB_ALTERNATIVES_MAX} globs`)],
      [
        '{,}'.repeat(GLOB_CHARACTERS_MAX),
        new RegExp(`more than ${GLOB_CHARACTERS_MAX} characters`),
      ],
    ] as const) {
      t.throws(() => entryFilter([glob], []), { code: 'USAGE', message }, glob.slice(0, 10));
    }
  },
);

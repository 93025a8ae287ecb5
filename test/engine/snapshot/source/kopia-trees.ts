// What kopia 0.23.1 stored of small trees with policies, ignore files and cache tags, recorded from
// the real program.

import type { FilesPolicy } from '#engine/snapshot/source/selection.ts';

const TAG = 'Signature: 8a477f597d28d172789f06886806bc55';

export interface TreeCase {
  readonly title: string;
  readonly files: Readonly<Record<string, string | { readonly link: string }>>;
  readonly policy?: FilesPolicy & Readonly<Record<string, unknown>>;
  readonly policiesBelow?: Readonly<
    Record<string, FilesPolicy & Readonly<Record<string, unknown>>>
  >;
  /** Sorted by JavaScript, apart by spaces; or that kopia made no snapshot. */
  readonly stored: string;
  /** Directories that kopia named as failed. */
  readonly failed?: readonly string[];
}

export const TREE_CASES: readonly TreeCase[] = [
  {
    title: 'cache root',
    files: { 'CACHEDIR.TAG': TAG, a: 'x' },
    stored: '',
  },
  {
    title: 'cache sub',
    files: {
      'c/CACHEDIR.TAG': 'Signature: 8a477f597d28d172789f06886806bc55\nfoo',
      'c/a': 'x',
      'c/s/b': 'x',
      z: 'x',
    },
    stored: 'c/ z',
  },
  {
    title: 'cache short',
    files: { 'c/CACHEDIR.TAG': 'Signature: 8a477f597d28d172789f06886806bc5', 'c/a': 'x' },
    stored: 'c/ c/CACHEDIR.TAG c/a',
  },
  {
    title: 'cache wrong',
    files: { 'c/CACHEDIR.TAG': ' Signature: 8a477f597d28d172789f06886806bc55', 'c/a': 'x' },
    stored: 'c/ c/CACHEDIR.TAG c/a',
  },
  {
    title: 'cache link',
    files: { t: TAG, 'c/CACHEDIR.TAG': { link: '../t' }, 'c/a': 'x' },
    stored: 'c/ c/CACHEDIR.TAG c/a t',
  },
  {
    title: 'cache dir',
    files: { 'c/CACHEDIR.TAG/x': 'x', 'c/a': 'x' },
    stored: 'c/ c/CACHEDIR.TAG/ c/CACHEDIR.TAG/x c/a',
  },
  {
    title: 'cache off',
    files: { 'c/CACHEDIR.TAG': TAG, 'c/a': 'x' },
    policy: { ignoreCacheDirs: false },
    stored: 'c/ c/CACHEDIR.TAG c/a',
  },
  {
    title: 'cache off, policy below says nothing',
    files: { 'c/CACHEDIR.TAG': TAG, 'c/a': 'x', 'd/CACHEDIR.TAG': TAG, 'd/a': 'x' },
    policy: { ignoreCacheDirs: false },
    policiesBelow: { c: { ignore: ['zzz'] } },
    stored: 'c/ d/ d/CACHEDIR.TAG d/a',
  },
  {
    title: 'cache tag ignored',
    files: { 'c/CACHEDIR.TAG': TAG, 'c/a': 'x', '.kopiaignore': 'CACHEDIR.TAG' },
    stored: '.kopiaignore c/',
  },
  {
    title: 'max size',
    files: { a: '1234', b: '12345', l: { link: '123456' }, s: { link: '1234' }, 'd/c': '123456' },
    policy: { maxFileSize: 4 },
    stored: 'a d/ s',
  },
  {
    title: 'max size inherits',
    files: { 'd/c': '123456', 'd/e': '1234', 'd/f/g': '12345' },
    policy: { maxFileSize: 5 },
    policiesBelow: { d: { ignore: ['zz'] } },
    stored: 'd/ d/e d/f/ d/f/g',
  },
  {
    title: 'max size below',
    files: { b: '123456', 'd/c': '123456', 'd/e/g': '123' },
    policy: { maxFileSize: 5 },
    policiesBelow: { d: { maxFileSize: 2 } },
    stored: 'd/ d/e/',
  },
  {
    title: 'policy rules',
    files: {
      'a.txt': 'x',
      'b.log': 'xx',
      'd/a.txt': 'x',
      'd/b.log': 'x',
      'd/e/a.txt': 'x',
      'd/e/f/a.txt': 'x',
    },
    policy: { ignore: ['*.log', '/d/e/f'] },
    stored: 'a.txt d/ d/a.txt d/e/ d/e/a.txt',
  },
  {
    title: 'policy rules then file',
    files: {
      'a.txt': 'x',
      'b.log': 'xx',
      'd/a.txt': 'x',
      'd/b.log': 'x',
      'd/e/a.txt': 'x',
      'd/e/f/a.txt': 'x',
      '.kopiaignore': '!b.log\n',
    },
    policy: { ignore: ['*.log'] },
    stored: '.kopiaignore a.txt b.log d/ d/a.txt d/b.log d/e/ d/e/a.txt d/e/f/ d/e/f/a.txt',
  },
  {
    title: 'rules below',
    files: {
      'a.txt': 'x',
      'b.log': 'xx',
      'd/a.txt': 'x',
      'd/b.log': 'x',
      'd/e/a.txt': 'x',
      'd/e/f/a.txt': 'x',
    },
    policiesBelow: { d: { ignore: ['/a.txt', 'b.log'] } },
    stored: 'a.txt b.log d/ d/e/ d/e/a.txt d/e/f/ d/e/f/a.txt',
  },
  {
    title: 'rules below negate',
    files: {
      'a.txt': 'x',
      'b.log': 'xx',
      'd/a.txt': 'x',
      'd/b.log': 'x',
      'd/e/a.txt': 'x',
      'd/e/f/a.txt': 'x',
    },
    policy: { ignore: ['*.txt'] },
    policiesBelow: { d: { ignore: ['!a.txt'] } },
    stored: 'b.log d/ d/a.txt d/b.log d/e/ d/e/a.txt d/e/f/ d/e/f/a.txt',
  },
  {
    title: 'noParentIgnore',
    files: {
      'a.txt': 'x',
      'b.log': 'xx',
      'd/a.txt': 'x',
      'd/b.log': 'x',
      'd/e/a.txt': 'x',
      'd/e/f/a.txt': 'x',
    },
    policy: { ignore: ['*.txt'] },
    policiesBelow: { d: { noParentIgnore: true, ignore: ['zz'] } },
    stored: 'b.log d/ d/b.log d/e/ d/e/f/',
  },
  {
    title: 'noParentDotFiles',
    files: {
      'a.txt': 'x',
      'b.log': 'xx',
      'd/a.txt': 'x',
      'd/b.log': 'x',
      'd/e/a.txt': 'x',
      'd/e/f/a.txt': 'x',
      '.kopiaignore': '*.log',
      'd/.kopiaignore': 'a.txt',
      'd/.other': 'e',
    },
    policiesBelow: { d: { noParentDotFiles: true, ignoreDotFiles: ['.other'] } },
    stored: '.kopiaignore a.txt d/ d/.kopiaignore d/.other d/a.txt',
  },
  {
    title: 'dot files below replaced',
    files: {
      'a.txt': 'x',
      'b.log': 'xx',
      'd/a.txt': 'x',
      'd/b.log': 'x',
      'd/e/a.txt': 'x',
      'd/e/f/a.txt': 'x',
      'd/.kopiaignore': 'a.txt',
      'd/e/.kopiaignore': 'f',
      'd/.other': 'b.log',
      'd/e/.other': 'a.txt',
    },
    policiesBelow: { d: { ignoreDotFiles: ['.other'] } },
    stored:
      'a.txt b.log d/ d/.kopiaignore d/.other d/a.txt d/e/ d/e/.kopiaignore d/e/.other d/e/f/',
  },
  {
    title: 'dot files below none',
    files: {
      'a.txt': 'x',
      'b.log': 'xx',
      'd/a.txt': 'x',
      'd/b.log': 'x',
      'd/e/a.txt': 'x',
      'd/e/f/a.txt': 'x',
      'd/.kopiaignore': 'a.txt',
      'd/e/.kopiaignore': 'f',
    },
    policiesBelow: { d: { ignore: ['zz'] } },
    stored:
      'a.txt b.log d/ d/.kopiaignore d/a.txt d/b.log d/e/ d/e/.kopiaignore d/e/a.txt ' +
      'd/e/f/ d/e/f/a.txt',
  },
  {
    title: 'two dot files',
    files: {
      'a.txt': 'x',
      'b.log': 'xx',
      'd/a.txt': 'x',
      'd/b.log': 'x',
      'd/e/a.txt': 'x',
      'd/e/f/a.txt': 'x',
      '.one': '*.txt',
      '.two': '!a.txt\n*.log',
    },
    policy: { ignoreDotFiles: ['.one', '.two'] },
    stored: '.one .two a.txt d/ d/a.txt d/e/ d/e/a.txt d/e/f/ d/e/f/a.txt',
  },
  {
    title: 'two dot files other order',
    files: {
      'a.txt': 'x',
      'b.log': 'xx',
      'd/a.txt': 'x',
      'd/b.log': 'x',
      'd/e/a.txt': 'x',
      'd/e/f/a.txt': 'x',
      '.one': '*.txt',
      '.two': '!a.txt\n*.log',
    },
    policy: { ignoreDotFiles: ['.two', '.one'] },
    stored: '.one .two d/ d/e/ d/e/f/',
  },
  {
    title: 'two dot files negated later',
    files: {
      'a.txt': 'x',
      'b.log': 'xx',
      'd/a.txt': 'x',
      'd/b.log': 'x',
      'd/e/a.txt': 'x',
      'd/e/f/a.txt': 'x',
      '.one': '!a.txt',
      '.two': '*.txt',
    },
    policy: { ignoreDotFiles: ['.one', '.two', '.one'] },
    stored: '.one .two a.txt b.log d/ d/a.txt d/b.log d/e/ d/e/a.txt d/e/f/ d/e/f/a.txt',
  },
  {
    title: 'dot file is a directory',
    files: {
      'a.txt': 'x',
      'b.log': 'xx',
      'd/a.txt': 'x',
      'd/b.log': 'x',
      'd/e/a.txt': 'x',
      'd/e/f/a.txt': 'x',
      '.kopiaignore/x': 'x',
    },
    stored:
      '.kopiaignore/ .kopiaignore/x a.txt b.log d/ d/a.txt d/b.log d/e/ d/e/a.txt ' +
      'd/e/f/ d/e/f/a.txt',
  },
  {
    title: 'dot file link relative',
    files: {
      'a.txt': 'x',
      'b.log': 'xx',
      'd/a.txt': 'x',
      'd/b.log': 'x',
      'd/e/a.txt': 'x',
      'd/e/f/a.txt': 'x',
      rules: '*.log',
      '.kopiaignore': { link: 'rules' },
    },
    stored: '.kopiaignore a.txt d/ d/a.txt d/e/ d/e/a.txt d/e/f/ d/e/f/a.txt rules',
  },
  {
    title: 'dot file link up',
    files: {
      'a.txt': 'x',
      'b.log': 'xx',
      'd/a.txt': 'x',
      'd/b.log': 'x',
      'd/e/a.txt': 'x',
      'd/e/f/a.txt': 'x',
      rules: 'a.txt',
      'd/.kopiaignore': { link: '../rules' },
    },
    stored: 'a.txt b.log d/ d/.kopiaignore d/b.log d/e/ d/e/f/ rules',
  },
  {
    title: 'dot file link chain',
    files: {
      'a.txt': 'x',
      'b.log': 'xx',
      'd/a.txt': 'x',
      'd/b.log': 'x',
      'd/e/a.txt': 'x',
      'd/e/f/a.txt': 'x',
      rules: 'a.txt',
      r2: { link: './d/../rules' },
      'd/.kopiaignore': { link: '../r2' },
    },
    stored: 'a.txt b.log d/ d/.kopiaignore d/b.log d/e/ d/e/f/ r2 rules',
  },
  {
    title: 'dot file link dangling',
    files: {
      'a.txt': 'x',
      'b.log': 'xx',
      'd/a.txt': 'x',
      'd/b.log': 'x',
      'd/e/a.txt': 'x',
      'd/e/f/a.txt': 'x',
      'd/.kopiaignore': { link: 'nowhere' },
    },
    stored: 'a.txt b.log',
    failed: ['d'],
  },
  {
    title: 'dot file link to directory',
    files: {
      'a.txt': 'x',
      'b.log': 'xx',
      'd/a.txt': 'x',
      'd/b.log': 'x',
      'd/e/a.txt': 'x',
      'd/e/f/a.txt': 'x',
      'd/.kopiaignore': { link: 'e' },
    },
    stored: 'a.txt b.log',
    failed: ['d'],
  },
  {
    title: 'bad pattern below',
    files: {
      'a.txt': 'x',
      'b.log': 'xx',
      'd/a.txt': 'x',
      'd/b.log': 'x',
      'd/e/a.txt': 'x',
      'd/e/f/a.txt': 'x',
      'd/.kopiaignore': '[a',
    },
    stored: 'a.txt b.log',
    failed: ['d'],
  },
  {
    title: 'bad pattern at root',
    files: {
      'a.txt': 'x',
      'b.log': 'xx',
      'd/a.txt': 'x',
      'd/b.log': 'x',
      'd/e/a.txt': 'x',
      'd/e/f/a.txt': 'x',
      '.kopiaignore': '[a',
    },
    stored: 'refused',
  },
  {
    title: 'no newline at end',
    files: {
      'a.txt': 'x',
      'b.log': 'xx',
      'd/a.txt': 'x',
      'd/b.log': 'x',
      'd/e/a.txt': 'x',
      'd/e/f/a.txt': 'x',
      '.kopiaignore': '*.log\na.txt',
    },
    stored: '.kopiaignore d/ d/e/ d/e/f/',
  },
  {
    title: 'crlf',
    files: {
      'a.txt': 'x',
      'b.log': 'xx',
      'd/a.txt': 'x',
      'd/b.log': 'x',
      'd/e/a.txt': 'x',
      'd/e/f/a.txt': 'x',
      '.kopiaignore': '*.log\r\n/a.txt\r\n',
    },
    stored: '.kopiaignore d/ d/a.txt d/e/ d/e/a.txt d/e/f/ d/e/f/a.txt',
  },
  {
    title: 'bom',
    files: {
      'a.txt': 'x',
      'b.log': 'xx',
      'd/a.txt': 'x',
      'd/b.log': 'x',
      'd/e/a.txt': 'x',
      'd/e/f/a.txt': 'x',
      '.kopiaignore': '\ufeff*.log\na.txt\n',
    },
    stored: '.kopiaignore b.log d/ d/b.log d/e/ d/e/f/',
  },
  {
    title: 'nul',
    files: {
      'a.txt': 'x',
      'b.log': 'xx',
      'd/a.txt': 'x',
      'd/b.log': 'x',
      'd/e/a.txt': 'x',
      'd/e/f/a.txt': 'x',
      '.kopiaignore': 'a.txt\u0000zzz\nb.log\n',
    },
    stored: '.kopiaignore d/ d/e/ d/e/f/',
  },
  {
    title: 'nested files',
    files: {
      'a.txt': 'x',
      'b.log': 'xx',
      'd/a.txt': 'x',
      'd/b.log': 'x',
      'd/e/a.txt': 'x',
      'd/e/f/a.txt': 'x',
      '.kopiaignore': '*.txt',
      'd/.kopiaignore': '!a.txt',
      'd/e/.kopiaignore': '/a.txt\n',
      'd/e/f/.kopiaignore': '!/a.txt',
    },
    stored:
      '.kopiaignore b.log d/ d/.kopiaignore d/a.txt d/b.log d/e/ d/e/.kopiaignore ' +
      'd/e/f/ d/e/f/.kopiaignore d/e/f/a.txt',
  },
];

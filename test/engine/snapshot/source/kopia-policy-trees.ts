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

/** Cache tags, sizes, and rules of policies. */
export const POLICY_TREES: readonly TreeCase[] = [
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
];

import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import t from 'tap';

import { EngineError, isEngineError } from '#engine/base/errors.ts';
import { openSourceFileSystem } from '#engine/snapshot/source/open-source-file-system.ts';
import { IGNORE_FILE_BYTES_MAX } from '#engine/snapshot/source/ignore-file.ts';
import {
  listDirectory,
  scanDirectory,
  type EntryVisitor,
  type ScanRequest,
} from '#engine/snapshot/source/scan-directory.ts';
import {
  createSelection,
  DEFAULT_FILES_POLICY,
  enterDirectory,
  type Selection,
} from '#engine/snapshot/source/selection.ts';
import type { SourceDirectory } from '#engine/snapshot/source/source-file-system.ts';
import { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { ENTRY_TYPE, isStorableType, SourceStat } from '#engine/snapshot/source/source-stat.ts';

import type { TreeCase } from './kopia-policy-trees.ts';
import { TREE_CASES } from './kopia-trees.ts';

const fileSystem = openSourceFileSystem();

function requestFor(directory: SourceDirectory, selection: Selection): ScanRequest {
  const directoryStat = new SourceStat();
  fileSystem.statOpen(directory, directoryStat);
  const listing = new SourceListing();
  return { fileSystem, directory, directoryStat, selection, listing, stat: new SourceStat() };
}

interface Walked {
  stored: string[];
  failed: string[];
}

/** Stores what an upload would store; a directory that fails is left out and named. */
function walk(
  directory: SourceDirectory,
  selection: Selection,
  prefix: string,
  into: Walked,
): void {
  const request = requestFor(directory, selection);
  const { listing } = request;
  const found: { index: number; type: number }[] = [];
  const scanned = scanDirectory(request, {
    visit: index => void found.push({ index, type: listing.typeAt(index) }),
    fail: (_index, error) => {
      throw error;
    },
  });
  for (const { index, type } of found) {
    const path = prefix + listing.textAt(index);
    if (type !== ENTRY_TYPE.directory) {
      if (isStorableType(type)) into.stored.push(path);
      continue;
    }
    using child = fileSystem.openDirectory(directory, listing, index);
    const below: Walked = { stored: [], failed: into.failed };
    try {
      walk(child, enterDirectory(scanned.selection, listing.nameAt(index)), `${path}/`, below);
      into.stored.push(`${path}/`, ...below.stored);
    } catch (error) {
      if (!isEngineError(error, 'SOURCE_UNREADABLE')) throw error;
      into.failed.push(path);
    }
  }
}

function makeTree(root: string, files: TreeCase['files']): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    if (typeof content === 'string') writeFileSync(join(root, name), content);
    else symlinkSync(content.link, join(root, name));
  }
}

for (const { title, files, policy, policiesBelow, stored, failed = [] } of TREE_CASES) {
  t.test(`a tree is stored as kopia stores it: ${title}`, async t => {
    const path = t.testdir({});
    makeTree(path, files);
    const selection = createSelection(
      { ...DEFAULT_FILES_POLICY, ...policy },
      { policiesBelow: new Map(Object.entries(policiesBelow ?? {})) },
    );
    using root = fileSystem.openRoot(path, { followsLinks: true });
    const walked: Walked = { stored: [], failed: [] };
    const attempt = () => walk(root, selection, '', walked);
    if (stored === 'refused') {
      t.throws(attempt, EngineError);
      return;
    }
    attempt();
    t.equal(walked.stored.sort().join(' '), stored);
    t.same(walked.failed, failed);
  });
}

t.test('an ignore file that is a link is not followed out of the source', async t => {
  const path = t.testdir({ outside: 'x', source: { d: { e: {} } } });
  const targets = [`${path}/outside`, '../outside', 'd/../../outside', 'd', '.', '', 'd/e/..'];
  for (const target of targets.filter(Boolean)) {
    symlinkSync(target, `${path}/source/.kopiaignore`);
    using root = fileSystem.openRoot(`${path}/source`, { followsLinks: true });
    const request = requestFor(root, createSelection(DEFAULT_FILES_POLICY));
    const attempt = () => scanDirectory(request, { visit: () => {}, fail: () => {} });
    t.throws(attempt, { code: 'SOURCE_UNREADABLE' }, target);
    unlinkSync(`${path}/source/.kopiaignore`);
  }
});

t.test("only a file is an ignore file in git's language, as for git", async t => {
  const path = t.testdir({ outside: '*', source: { rules: '*', data: 'x', d: {} } });
  const name = `${path}/source/.gitignore`;
  const others: [kind: string, make: () => void][] = [
    ['a link to rules', () => symlinkSync('rules', name)],
    ['a link out of the source', () => symlinkSync('../outside', name)],
    ['an absolute link', () => symlinkSync('/etc/hostname', name)],
    ['a link to nothing', () => symlinkSync('nowhere', name)],
    ['a link to a directory', () => symlinkSync('d', name)],
    ['a directory', () => mkdirSync(name)],
    ['a pipe', () => execFileSync('mkfifo', [name])],
  ];
  const request = { ignoreFileNames: ['.gitignore'] };
  for (const [kind, make] of others) {
    make();
    using root = fileSystem.openRoot(`${path}/source`, { followsLinks: true });
    const walked: Walked = { stored: [], failed: [] };
    walk(root, createSelection(DEFAULT_FILES_POLICY, { request }), '', walked);
    const stored = walked.stored.filter(each => !each.startsWith('.gitignore'));
    t.same(stored.sort(), ['d/', 'data', 'rules'], kind);
    rmSync(name, { recursive: true });
  }
});

t.test('an ignore file that cannot be used is a fault of its directory', async t => {
  const long = `[${'\u001b'.repeat(1000)}`;
  const cases: [text: string, message: string][] = [
    ['# why\n[\n', `cannot parse ignore pattern "[" of line 2: '[' without ']'`],
    [long, `cannot parse ignore pattern "[${'\\x1b'.repeat(63)}…" of line 1: '[' without ']'`],
    ['#'.repeat(IGNORE_FILE_BYTES_MAX + 10), 'the file has more than 1048576 bytes'],
  ];
  const request = { ignoreFileNames: ['.gitignore'] };
  for (const [text, message] of cases) {
    const path = t.testdir({ '.kopiaignore': text });
    using root = fileSystem.openRoot(path, { followsLinks: true });
    const scan = requestFor(root, createSelection(DEFAULT_FILES_POLICY));
    t.throws(() => listDirectory(scan), {
      code: 'SOURCE_UNREADABLE',
      message: `cannot use ignore file ${path}/.kopiaignore: ${message}`,
      details: { path: `${path}/.kopiaignore` },
    });
  }
  const path = t.testdir({ '.gitignore': '#'.repeat(IGNORE_FILE_BYTES_MAX + 10) });
  using root = fileSystem.openRoot(path, { followsLinks: true });
  const scan = requestFor(root, createSelection(DEFAULT_FILES_POLICY, { request }));
  t.throws(() => listDirectory(scan), {
    code: 'SOURCE_UNREADABLE',
    message: `cannot use ignore file ${path}/.gitignore: the file has more than 1048576 bytes`,
  });
});

t.test('a file that is opened anyway is visited without a look by path', async t => {
  const path = t.testdir({ a: 'x', b: 'x', d: {} });
  using root = fileSystem.openRoot(path, { followsLinks: true });
  const request = requestFor(root, createSelection(DEFAULT_FILES_POLICY));
  const seen: [string, boolean][] = [];
  scanDirectory(request, {
    isOpenedAnyway: index => request.listing.textAt(index) === 'a',
    visit: (index, stat) => void seen.push([request.listing.textAt(index), stat !== undefined]),
    fail: () => t.fail('nothing fails'),
  });
  t.same(seen, [
    ['d', true],
    ['a', false],
    ['b', true],
  ]);
});

t.test(
  'an entry that vanishes while its directory is visited is named, the rest goes on',
  async t => {
    const path = t.testdir({ a: 'x', b: 'x', c: 'x' });
    using root = fileSystem.openRoot(path, { followsLinks: true });
    const request = requestFor(root, createSelection(DEFAULT_FILES_POLICY));
    const seen: string[] = [];
    const visitor: EntryVisitor = {
      visit: index => {
        const name = request.listing.textAt(index);
        seen.push(name);
        if (name === 'a') unlinkSync(`${path}/b`);
      },
      fail: (index, error) => void seen.push(`${request.listing.textAt(index)} ${error.code}`),
    };
    scanDirectory(request, visitor);
    t.same(seen, ['a', 'b SOURCE_VANISHED', 'c']);
  },
);

t.test('what the rules leave out is told with its reason', async t => {
  const path = t.testdir({ 'a.log': 'x', big: 'xxxx', c: 'x' });
  using root = fileSystem.openRoot(path, { followsLinks: true });
  const request = requestFor(root, createSelection({ ignore: ['*.log'], maxFileSize: 3 }));
  const told: unknown[] = [];
  scanDirectory(request, {
    visit: index => void told.push(request.listing.textAt(index)),
    exclude: (index, exclusion) => void told.push([request.listing.textAt(index), exclusion]),
    fail: () => t.fail('nothing fails'),
  });
  t.match(told, [
    ['a.log', { reason: 'ignored', rule: { pattern: '*.log' } }],
    ['big', { reason: 'too large' }],
    'c',
  ]);
});

// What a backup is told to leave out, from the request to the stored tree.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { backup } from '#engine/operations.ts';
import { listTree } from '#engine/snapshot/stored-path.ts';
import type { BackupRequest } from '#engine/snapshot/backup.ts';
import type { Repository } from '#engine/repository.ts';
import { policyLabels } from '#engine/format/policy.ts';
import { repositoryFor, request, source } from './backup-scene.ts';

const CACHE_TAG = 'Signature: 8a477f597d28d172789f06886806bc55\n';

function makeTree(t: Test): string {
  return t.testdir({
    '.gitignore': '*.o\n/build/\n',
    '.kopiaignore': '*.kopia\n',
    'a.o': 'object',
    'a.kopia': 'k',
    big: 'x'.repeat(1000),
    build: { out: '1' },
    cache: { 'CACHEDIR.TAG': CACHE_TAG, thing: '1' },
    deep: { '.gitignore': '!keep.o\nlocal\n', 'keep.o': 'o', 'lose.o': 'o', local: 'l' },
    other: { build: { out: '2' }, local: 'l', 'keep.o': 'o' },
  });
}

function isMounted(place: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'none', place], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

async function stored(
  repository: Repository,
  root: string,
  more: Partial<BackupRequest>,
): Promise<string[]> {
  const { snapshotId } = await backup(repository, request(root, more));
  const entries = await Array.fromAsync(listTree(repository, snapshotId, { isRecursive: true }));
  return entries.filter(({ type }) => type === 'file').map(({ path }) => path);
}

t.test('exclude patterns are those of git, relative to the source', async t => {
  const root = makeTree(t);
  const repository = await repositoryFor(t);
  const exclude = ['/build/', 'local', '*.o', '!keep.o', '!a.kopia'];
  t.strictSame(await stored(repository, root, { exclude }), [
    'deep/.gitignore',
    'deep/keep.o',
    'other/build/out',
    'other/keep.o',
    '.gitignore',
    '.kopiaignore',
    'a.kopia',
    'big',
  ]);
  const file = `${root}/.gitignore`;
  const paths = await stored(repository, root, { excludeFrom: [file], exclude: ['deep'] });
  t.notOk(paths.some(path => path.startsWith('deep') || path.startsWith('build')));
  t.ok(paths.includes('other/build/out'));
  const without = await stored(repository, root, {});
  t.ok(without.includes('a.o'), 'without the patterns it is stored again');
});

t.test('ignore files that are asked for are read as git reads them', async t => {
  const root = makeTree(t);
  const repository = await repositoryFor(t);
  t.strictSame(await stored(repository, root, { ignoreFileNames: ['.gitignore'] }), [
    'deep/.gitignore',
    'deep/keep.o',
    'other/build/out',
    'other/local',
    '.gitignore',
    '.kopiaignore',
    'big',
  ]);
});

t.test('caches are stored and large files left out when asked', async t => {
  const root = makeTree(t);
  const repository = await repositoryFor(t);
  const paths = await stored(repository, root, {
    storesCacheDirectories: true,
    fileBytesMax: 999,
  });
  t.ok(paths.includes('cache/thing'));
  t.notOk(paths.includes('big'));
});

t.test('the policies hold as well', async t => {
  const root = makeTree(t);
  const repository = await repositoryFor(t);
  const { host, user: userName, path } = source;
  const policy = { files: { ignore: ['big'], ignoreDotFiles: ['.kopiaignore'] } };
  repository.manifests.put(policyLabels({ host, userName, path }), JSON.stringify(policy));
  const paths = await stored(repository, root, { exclude: ['deep', 'build'] });
  t.strictSame(paths, ['other/keep.o', 'other/local', '.gitignore', '.kopiaignore', 'a.o']);
});

t.test('a pattern that can match nothing is refused before anything is read', async t => {
  const repository = await repositoryFor(t);
  const root = t.testdir({});
  await t.rejects(backup(repository, request(root, { exclude: ['[x'] })), { code: 'USAGE' });
  await t.rejects(backup(repository, request(root, { excludeFrom: ['/nowhere'] })), {
    code: 'USAGE',
    message: '/nowhere: ENOENT',
  });
});

t.test('another file system is left out when asked', async t => {
  const root = t.testdir({ here: 'x', mounted: {} });
  const place = `${root}/mounted`;
  if (!isMounted(place)) {
    t.comment('skipped: mounting is not permitted');
    return;
  }
  try {
    writeFileSync(`${place}/there`, 'y');
    const repository = await repositoryFor(t);
    t.strictSame(await stored(repository, root, {}), ['mounted/there', 'here']);
    t.strictSame(await stored(repository, root, { isOneFileSystem: true }), ['here']);
  } finally {
    execFileSync('umount', [place]);
  }
});

t.test('ignore files of kopia are files like any other where everything is wanted', async t => {
  const root = makeTree(t);
  const repository = await repositoryFor(t);
  t.notOk((await stored(repository, root, {})).includes('a.kopia'));
  const everything = { storesIgnoredFiles: true, storesCacheDirectories: true };
  const paths = await stored(repository, root, everything);
  for (const path of ['a.kopia', '.kopiaignore', 'cache/thing']) t.ok(paths.includes(path), path);
});

import { readdirSync, symlinkSync } from 'node:fs';
import t, { type Test } from 'tap';
import { policyLabels } from '#engine/format/policy.ts';
import { backup, explain } from '#engine/operations.ts';
import { listTree } from '#engine/snapshot/stored-path.ts';
import type { ExplainRequest } from '#engine/snapshot/explain.ts';
import type { Repository } from '#engine/repository.ts';
import { repositoryFor, source } from './backup-scene.ts';

const CACHE_TAG = 'Signature: 8a477f597d28d172789f06886806bc55\n';
const ORIGIN = { user: source.user, host: source.host };

function makeTree(t: Test): string {
  const root = t.testdir({
    '.gitignore': '*.o\n!/keep.o\n',
    '.kopiaignore': '# none of these\n*.kopia\n!/deep/a.kopia\n',
    'a.o': '',
    'keep.o': '',
    'a.kopia': '',
    big: 'x'.repeat(100),
    cache: { 'CACHEDIR.TAG': CACHE_TAG, in: { it: '' } },
    deep: { '.kopiaignore': 'local/\n', 'a.kopia': '', local: { file: '' }, other: { local: '' } },
    named: { x: '', y: '' },
  });
  symlinkSync('deep', `${root}/link`);
  return root;
}

const options: Omit<ExplainRequest, 'about' | 'path'> = {
  source: { ...ORIGIN, path: '/data' },
  exclude: ['named', '!a.kopia'],
  ignoreFileNames: ['.gitignore'],
  fileBytesMax: 99,
};

async function scene(t: Test): Promise<{ root: string; repository: Repository }> {
  const root = makeTree(t);
  const repository = await repositoryFor(t);
  const put = (path: string, policy: unknown) => {
    const labels = policyLabels({ host: 'host', userName: path === '' ? '' : 'user', path });
    repository.manifests.put(labels, JSON.stringify(policy));
  };
  put('', { files: { ignore: ['other'], maxFileSize: 1000 } });
  put('/data/deep', { files: { ignore: ['*.x'], ignoreDotFiles: ['.kopiaignore'] } });
  return { root, repository };
}

t.test('an explanation names the rule that decides and where it comes from', async t => {
  const { root, repository } = await scene(t);
  const about = (path: string, more: Partial<ExplainRequest> = {}) =>
    explain(repository, { about: `${root}/${path}`, path: root, ...options, ...more });
  const cases: [path: string, at: string, expected: object][] = [
    ['a.o', 'a.o', { reason: 'ignored', rule: { pattern: '*.o', line: 1 } }],
    ['a.kopia', 'a.kopia', { reason: 'nothing', rule: { origin: { kind: 'command line' } } }],
    ['keep.o', 'keep.o', { reason: 'nothing', rule: { pattern: '!/keep.o', line: 2 } }],
    ['big', 'big', { reason: 'too large', origin: { kind: 'command line' }, bytesMax: 99 }],
    ['cache/in/it', 'cache', { reason: 'cache directory', origin: { kind: 'default' } }],
    ['named/x', 'named', { reason: 'ignored', rule: { pattern: 'named' } }],
    [
      'deep/other/local',
      'deep/other',
      { reason: 'ignored', rule: { origin: { kind: 'policy', target: '@host' } } },
    ],
    [
      'deep/local/file',
      'deep/local',
      { rule: { origin: { kind: 'ignore file', path: 'deep/.kopiaignore' }, line: 1 } },
    ],
    ['deep/a.x', 'deep/a.x', { rule: { origin: { target: 'user@host:/data/deep' } } }],
    ['link/a.kopia', 'link', { reason: 'behind a link' }],
    ['named/nowhere/x', 'named', { reason: 'ignored' }],
    ['nowhere/x', 'nowhere/x', { reason: 'nothing' }],
    ['', '', { reason: 'nothing' }],
  ];
  for (const [path, at, decision] of cases) {
    const decidedAt = `${root}/${at}`.replace(/\/$/, '');
    t.match(await about(path), { decidedAt, decision }, path);
  }
  t.match(await about('nowhere'), { exists: false, isIncluded: true });
  t.match(await about('big', { fileBytesMax: undefined }), { isIncluded: true });
  await t.rejects(about('../x'), { code: 'USAGE', message: 'is not beneath' });
  await t.rejects(about('a', { exclude: ['['] }), { code: 'USAGE' });
});

t.test('an explanation agrees with what a backup stores', async t => {
  const { root, repository } = await scene(t);
  const { snapshotId } = await backup(repository, { path: root, ...options });
  const entries = await Array.fromAsync(listTree(repository, snapshotId, { isRecursive: true }));
  const stored = new Set(entries.map(({ path }) => path));
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' });
  t.ok(paths.length > 20);
  for (const path of paths) {
    const { isIncluded } = await explain(repository, {
      about: `${root}/${path}`,
      path: root,
      ...options,
    });
    t.equal(isIncluded, stored.has(path), path);
  }
});

t.test('a file that is itself the source is stored', async t => {
  const root = t.testdir({ 'a.o': '' });
  const repository = await repositoryFor(t);
  const path = `${root}/a.o`;
  t.match(await explain(repository, { about: path, path, exclude: ['*.o'] }), {
    isIncluded: true,
    decidedAt: path,
  });
});

import t from 'tap';
import { backupRequest } from '#engine/cli/backup.ts';
import { createRequest } from '#engine/cli/repo-create.ts';
import { restoreRequest } from '#engine/cli/restore.ts';
import { snapshotFilter } from '#engine/cli/snapshots.ts';
import { verifyRequest } from '#engine/cli/verify.ts';
import { cat } from '#engine/cli/cat.ts';
import { forget } from '#engine/cli/forget.ts';

const surroundings = { workingDirectory: '/home/me', user: 'me', host: 'desk' };

t.test('a backup without options is of this user, this host and the absolute path', async t => {
  t.match(backupRequest('docs', {}, surroundings), {
    path: '/home/me/docs',
    source: { user: 'me', host: 'desk', path: '/home/me/docs' },
    tags: undefined,
    parent: undefined,
  });
});

t.test('options of a backup become its request', async t => {
  const options = {
    tag: ['a:1'],
    pin: ['keep'],
    description: 'text',
    chunker: 'fastcdc',
    compression: 'zstd:3',
    onError: 'fail',
    parent: 'none',
    forceHash: true,
    ignoreInode: true,
    user: 'u',
    host: 'h',
    sourcePath: '/s',
  };
  t.strictSame(backupRequest('/data', options, surroundings), {
    path: '/data',
    source: { user: 'u', host: 'h', path: '/s' },
    description: 'text',
    tags: { a: '1' },
    pins: ['keep'],
    chunker: 'fastcdc',
    compression: 'zstd:3',
    onError: 'fail',
    parent: 'none',
    forceHash: true,
    ignoreCtime: false,
    ignoreInode: true,
  });
  t.throws(() => backupRequest('/', { chunker: 'x' }, surroundings), { code: 'USAGE' });
  t.throws(() => backupRequest('/', { pin: [''] }, surroundings), { code: 'USAGE' });
});

t.test('what a snapshot leaves out is asked for with options', async t => {
  const options = {
    exclude: ['*.o', '!a.o'],
    excludeFrom: ['patterns', '/etc/patterns'],
    ignoreFile: ['.gitignore'],
    maxFileSize: '1.5M',
    oneFileSystem: true,
    cachedirTag: false,
  };
  t.match(backupRequest('/data', options, surroundings), {
    exclude: ['*.o', '!a.o'],
    excludeFrom: ['/home/me/patterns', '/etc/patterns'],
    ignoreFileNames: ['.gitignore'],
    fileBytesMax: 1_572_864,
    isOneFileSystem: true,
    storesCacheDirectories: true,
  });
  const plain = backupRequest('/data', { cachedirTag: true }, surroundings);
  t.notOk('storesCacheDirectories' in plain || 'exclude' in plain);
  for (const maxFileSize of ['0', '-1', 'x', '1X', '1e3', '99999999999T']) {
    t.throws(() => backupRequest('/', { maxFileSize }, surroundings), { code: 'USAGE' });
  }
});

t.test('a restore goes to the absolute target and overwrites only when told', async t => {
  t.match(restoreRequest(['latest:/a', 'out'], {}, surroundings), {
    snapshot: 'latest:/a',
    target: '/home/me/out',
    overwrite: undefined,
  });
  const withSlash = restoreRequest(['latest:/a', 'out/', 'b', '/c//'], {}, surroundings);
  t.match(withSlash, { target: '/home/me/out/', further: [{ target: '/c/' }] });
  t.match(restoreRequest(['latest', '/'], {}, surroundings), { target: '/' });
  const options = { overwrite: 'sometimes' };
  t.throws(() => restoreRequest(['a', 'b'], options, surroundings), { code: 'USAGE' });
});

t.test('the other requests say what was typed', async t => {
  t.match(createRequest({ forVelero: true }, surroundings), {
    owner: { user: 'default', host: 'default' },
    forVelero: true,
    hash: undefined,
  });
  t.match(createRequest({}, surroundings), { owner: { user: 'me', host: 'desk' } });
  t.throws(() => createRequest({ keyDerivation: 'md5' }, surroundings), { code: 'USAGE' });
  t.match(verifyRequest([], {}), { snapshots: undefined, readPercent: 100 });
  t.match(verifyRequest(['a'], { readPercent: '5' }), { snapshots: ['a'], readPercent: 5 });
  t.match(snapshotFilter({}), { source: undefined, tags: undefined, includeIncomplete: false });
  t.match(snapshotFilter({ host: 'h', tag: ['a:b'] }), { source: { host: 'h' }, tags: { a: 'b' } });
});

t.test('cat and forget refuse what cannot be meant', async t => {
  t.throws(() => cat.prepare(['latest'], {}, surroundings), { message: /ID:\/path/ });
  t.throws(() => cat.prepare(['latest:/a'], { output: 'json' }, surroundings), {
    code: 'USAGE',
    message: /no JSON form/,
  });
  t.throws(() => forget.prepare(['a:/b'], {}, surroundings), { message: /name whole ones/ });
});

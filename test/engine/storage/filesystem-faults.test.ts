// The filesystem storage in trouble: full and read-only file systems, a root that vanishes, files
// that shrink, a writer that is killed. Real mounts, in a mount namespace of their own; where the
// system does not allow that, those tests are skipped with the reason.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { openFilesystem } from '#engine/storage/filesystem.ts';
import { fileError } from '#engine/storage/file-errors.ts';
import { bytes, failsWith, hexOf, ids, read } from './storage-asserts.ts';

const WRITER = fileURLToPath(new URL('filesystem-writer.ts', import.meta.url));

t.test('a directory that is not there is no storage, and no directory is one neither', async t => {
  const directory = t.testdir({ file: 'x' });
  for (const name of ['absent', 'file', 'file/below', 'absent/below']) {
    const path = `${directory}/${name}`;
    await failsWith(t, 'STORAGE_NOT_FOUND', () => openFilesystem(path));
  }
  t.same(readdirSync(directory), ['file'], 'opening makes nothing');
});

t.test('create makes parents, the layout, and private modes', async t => {
  const root = `${t.testdir()}/a/b`;
  const storage = await openFilesystem(root, { create: true });
  const id = `p${hexOf(1)}`;
  await storage.put(id, [bytes('x')]);
  t.same(readdirSync(root).sort(), ['.shards', 'p']);
  t.equal(statSync(root).mode & 0o777, 0o700);
  t.equal(statSync(`${root}/p`).mode & 0o777, 0o700);
  t.equal(statSync(storage.localPath(id)).mode & 0o777, 0o600);
  const again = await openFilesystem(root, { create: true, shards: [] });
  t.equal(await read(again, id), 'x', 'the layout that is there is kept');
});

t.test('without .shards the layout is the old one, and is not written', async t => {
  const root = t.testdir();
  const storage = await openFilesystem(root);
  const id = `p${hexOf(1)}`;
  await storage.put(id, [bytes('x')]);
  t.same(readdirSync(root), [id.slice(0, 3)]);
  t.same(await ids(storage, 'p'), [id]);
});

t.test('a root that vanishes is an error, not an empty storage', async t => {
  const root = `${t.testdir()}/repo`;
  const storage = await openFilesystem(root, { create: true });
  await storage.put('a', [bytes('x')]);
  renameSync(root, `${root}-away`);
  const check = async (): Promise<void> => {
    const code = 'STORAGE_NOT_FOUND';
    await failsWith(t, code, () => storage.get('a'));
    await failsWith(t, code, () => storage.head('a'));
    await failsWith(t, code, () => ids(storage, ''));
    await failsWith(t, code, () => storage.put('b', [bytes('x')]));
    await failsWith(t, code, () => storage.put(`p${hexOf(1)}`, [bytes('x')]));
    await failsWith(t, code, () => storage.delete('a'));
    await failsWith(t, code, () => storage.stage('c'));
  };
  await check();
  mkdirSync(root);
  await check();
  t.same(readdirSync(root), [], 'nothing is written where a mount is missing');
});

t.test('foreign files and leftovers are neither listed nor touched', async t => {
  const root = t.testdir();
  const storage = await openFilesystem(root, { create: true });
  const id = `p${hexOf(1)}`;
  await storage.put(id, [bytes('x')]);
  const foreign = ['notes.txt', 'ü.f', '.f', `${id}.f`, 'a.f.tmp.0123456789abcdef'];
  for (const name of foreign) writeFileSync(`${root}/${name}`, 'x');
  mkdirSync(`${root}/lost+found`, { mode: 0 });
  writeFileSync(`${storage.localPath(id)}.tmp.0123456789abcdef`, 'x');
  t.same(await ids(storage, ''), [id]);
  t.equal(readdirSync(root).length, foreign.length + 3);
});

t.test('a shard directory that was removed is made again', async t => {
  const root = t.testdir();
  const storage = await openFilesystem(root, { create: true });
  const [first, second] = [`p${hexOf(1)}`, `p${hexOf(1)}2`];
  await storage.put(first, [bytes('x')]);
  renameSync(`${root}/p`, `${root}/away`);
  await storage.put(second, [bytes('y')]);
  t.same(await ids(storage, 'p'), [second]);
});

t.test('a file that shrinks while it is read is cut short, not padded', async t => {
  const root = t.testdir();
  const storage = await openFilesystem(root, { create: true });
  await storage.put('a', [new Uint8Array(40_000_000)]);
  const found = storage.get('a').then(
    blob => blob.length,
    (error: unknown) => (error as { code: string }).code,
  );
  truncateSync(storage.localPath('a'), 1000);
  t.match(String(await found), /^(1000|STORAGE_BLOB_TRUNCATED)$/);
});

t.test('a put that fails leaves no file behind', async t => {
  const root = t.testdir();
  const storage = await openFilesystem(root, { create: true });
  mkdirSync(`${root}/a.f/in-the-way`, { recursive: true });
  await failsWith(t, 'STORAGE_FAILED', () => storage.put('a', [bytes('x')]));
  const controller = new AbortController();
  const { signal } = controller;
  const put = failsWith(t, 'ABORTED', () => storage.put('b', [new Uint8Array(9e7)], { signal }));
  setImmediate(() => controller.abort());
  await put;
  t.same(readdirSync(root).sort(), ['.shards', 'a.f']);
  await storage.stage('c');
  await storage.close();
  t.same(readdirSync(root).sort(), ['.shards', 'a.f'], 'close removes what was staged');
});

t.test('what the system says is translated', async t => {
  const codes = {
    ENOSPC: 'STORAGE_FULL',
    EDQUOT: 'STORAGE_FULL',
    EROFS: 'STORAGE_READ_ONLY',
    EACCES: 'STORAGE_ACCESS_DENIED',
    EPERM: 'STORAGE_ACCESS_DENIED',
    EIO: 'STORAGE_FAILED',
    EMFILE: 'STORAGE_UNAVAILABLE',
    ESTALE: 'STORAGE_UNAVAILABLE',
  };
  for (const [systemCode, code] of Object.entries(codes)) {
    const error = Object.assign(new Error(systemCode), { code: systemCode });
    t.match(fileError(error, 'write'), { code, details: { systemCode } });
  }
});

t.test('a writer that is killed leaves the old blob or the new one', async t => {
  const seed = randomBytes(4).readUInt32LE();
  t.comment(`seed ${seed}`);
  const root = t.testdir();
  const storage = await openFilesystem(root, { create: true });
  const id = `p${hexOf(1)}`;
  await storage.put(id, [new Uint8Array(1000)]);
  for (let round = 0; round < 5; round++) {
    const child = spawn(process.execPath, [WRITER, root, id], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = new Promise(resolve => child.once('exit', resolve));
    // It says a line per put; the kill comes at some point within one.
    await new Promise(resolve => child.stdout.once('data', resolve));
    for (let turns = (seed >>> (round * 4)) % 16; turns > 0; turns--) {
      await new Promise(resolve => setImmediate(resolve));
    }
    child.kill('SIGKILL');
    await exited;
    const found = await storage.get(id);
    t.ok(
      found.every(byte => byte === found[0]),
      'no mixture',
    );
    t.ok(found.length === 1000 || found.length === 3_000_000 + (found[0] ?? 0), 'whole');
    t.same(await ids(storage, ''), [id], 'leftovers are not listed');
  }
});

for (const kind of ['full', 'readonly']) {
  const reason = namespaceReason();
  const what = kind === 'full' ? 'STORAGE_FULL' : 'STORAGE_READ_ONLY';
  t.test(`a ${kind} file system gives ${what} and harms nothing`, { skip: reason }, async t => {
    const root = t.testdir();
    const script = 'mount -t tmpfs -o size=1m none "$1" && shift && exec "$@"';
    const command = [process.execPath, WRITER, root, kind];
    const output = execFileSync('unshare', ['-m', 'sh', '-c', script, 'sh', root, ...command]);
    t.match(JSON.parse(output.toString()), { code: what, listed: ['first'], left: 0, first: 'x' });
  });
}

function namespaceReason(): string | undefined {
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore' });
    return undefined;
  } catch {
    const reason = 'no mount namespace: needs root and unshare';
    t.comment(`skipped: ${reason}`);
    return reason;
  }
}

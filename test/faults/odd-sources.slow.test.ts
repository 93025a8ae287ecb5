// Trees that are hard to back up: names that are no text, deep paths, entries that are no files,
// files that change or may not be read. Whatever can be stored comes back, the rest is named.

import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { backup, type BackupOutcome, type Repository, restore } from '#engine/index.ts';
import { openFilesystem } from '#engine/storage/filesystem.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import {
  copyOf,
  faultsOf,
  makeSmallRepository,
  openSmall,
  OWNER,
  type SmallRepository,
} from './small-repository.ts';

const NOBODY = fileURLToPath(new URL('unprivileged-backup.ts', import.meta.url));
const isRoot = process.getuid?.() === 0;
const small: SmallRepository = await makeSmallRepository(t.testdir());
const repository: Repository = await openSmall(await copyOf(small.storage), small.format);
t.teardown(() => repository.close());

function backUp(path: string): Promise<BackupOutcome> {
  return backup(repository, { path, source: { ...OWNER, path } });
}

/** Bytes of the names and contents of everything beneath a directory. */
function digestOf(root: string): string {
  // Not by Node, which has trouble with such paths itself.
  const command = `cd "$1" && find . -printf '%y %s %m %p %l\\0' | sort -z | sha256sum &&
    find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum`;
  return execFileSync('sh', ['-c', command, 'sh', root], { encoding: 'latin1' });
}

async function comesBack(t: Test, source: string, outcome: BackupOutcome): Promise<void> {
  const target = `${fastDirectory(t)}/restored`;
  const { differences } = await restore(repository, { snapshot: outcome.snapshotId, target });
  t.strictSame(differences, []);
  t.equal(digestOf(target), digestOf(source), 'what comes back is the same');
}

t.test('names of 255 bytes, with newlines or escapes, come back', async t => {
  const source = `${fastDirectory(t)}/source`;
  const names = [
    'x'.repeat(255),
    `${'é'.repeat(127)}x`,
    'two\nlines\n',
    '\u001b[2J',
    '"\\',
    '\ufffd',
  ];
  for (const parent of [source, `${source}/in\nside`]) {
    fs.mkdirSync(parent);
    for (const name of names) fs.writeFileSync(`${parent}/${name}`, name);
  }
  const outcome = await backUp(source);
  t.match(outcome, { files: 2 * names.length, skipped: [] });
  await comesBack(t, source, outcome);
});

// kopia's directories hold text, in which each byte that is no UTF-8 is one U+FFFD; ours have the
// bytes as well.
t.test('names that are not UTF-8 come back byte for byte', async t => {
  const source = `${fastDirectory(t)}/source`;
  fs.mkdirSync(source);
  const names = [[0xff, 0x41], [0x80], [0x81], Array.from({ length: 255 }, () => 0xe9)];
  const pathOf = (name: number[]) => Buffer.from([...Buffer.from(`${source}/`), ...name]);
  for (const name of names) fs.writeFileSync(pathOf(name), Buffer.from(name));
  const outcome = await backUp(source);
  t.equal(outcome.files, names.length, 'all of them are read');
  t.strictSame(outcome.skipped, []);
  const target = `${fastDirectory(t)}/restored`;
  const { differences } = await restore(repository, { snapshot: outcome.snapshotId, target });
  t.strictSame(differences, []);
  const restored = fs.readdirSync(target, { encoding: 'buffer' }).map(name => [...name]);
  t.strictSame(restored.map(String).sort(), names.map(String).sort());
});

for (const { levels, name } of [
  { levels: 300, name: 'd' },
  { levels: 20, name: 'n'.repeat(210) },
]) {
  t.test(`a path of ${levels} levels of ${name.length} bytes comes back`, async t => {
    const source = `${fastDirectory(t)}/source`;
    fs.mkdirSync(source);
    // Relative to where it stands, since the whole path is too long for one call.
    const script = 'cd "$1"; for i in $(seq $2); do mkdir $3; cd -P ./$3; done; echo deep >file';
    spawnSync('sh', ['-c', script, 'sh', source, String(levels), name]);
    t.teardown(() => execFileSync('rm', ['-rf', source]));
    const outcome = await backUp(source);
    t.match(outcome, { files: 1, directories: levels + 1, skipped: [] });
    const target = `${fastDirectory(t)}/restored`;
    t.teardown(() => execFileSync('rm', ['-rf', target]));
    const { differences } = await restore(repository, { snapshot: outcome.snapshotId, target });
    t.strictSame(differences, []);
    const count = execFileSync('sh', ['-c', 'cd "$1"; find . | wc -l', 'sh', target]);
    t.equal(Number(count), levels + 2);
  });
}

t.test('fifos, sockets and devices are never opened', async t => {
  const source = `${fastDirectory(t)}/source`;
  fs.mkdirSync(source);
  fs.writeFileSync(`${source}/file`, 'beside');
  execFileSync('mkfifo', [`${source}/fifo`]);
  const server = createServer();
  await new Promise<void>(resolve => server.listen(`${source}/socket`, resolve));
  t.teardown(() => new Promise(resolve => server.close(resolve)));
  // Opening the first tape would rewind it; there is none.
  if (isRoot) spawnSync('mknod', [`${source}/device`, 'c', '9', '0']);
  const outcome = await backUp(source);
  t.equal(outcome.files, 1);
  t.strictSame(outcome.skipped, []);
});

t.test('a file that says another length than it has is named', async t => {
  // Files of /proc say that they are empty and are not: as if they grew while they are read.
  const outcome = await backUp('/proc/sys/kernel/random');
  const grown = outcome.skipped.filter(({ code }) => code === 'SOURCE_CHANGED');
  t.ok(grown.length > 0, `${grown.length} files`);
  t.match(grown[0]?.message, /was written to while it was read \(0 bytes before, \d+ read\)/);
});

t.test('a file that may not be read is named and the rest is stored', async t => {
  const source = `${fastDirectory(t)}/source`;
  fs.mkdirSync(`${source}/closed`, { recursive: true });
  fs.writeFileSync(`${source}/open`, 'x');
  fs.writeFileSync(`${source}/secret`, 'y', { mode: 0 });
  fs.writeFileSync(`${source}/closed/z`, 'z');
  fs.chmodSync(`${source}/closed`, 0);
  fs.chmodSync(source, 0o755);
  fs.chmodSync(`${source}/..`, 0o755);
  const child = spawnSync(process.execPath, [NOBODY, source], { encoding: 'utf8' });
  fs.chmodSync(`${source}/closed`, 0o755);
  t.equal(child.stderr, '');
  const [outcome] = JSON.parse(child.stdout) as [BackupOutcome];
  t.equal(outcome.files, 1);
  t.strictSame(outcome.skipped.map(({ path }) => path).sort(), [
    `${source}/closed`,
    `${source}/secret`,
  ]);
  t.ok(outcome.skipped.every(({ code }) => code === 'SOURCE_UNREADABLE'));
});

t.test('a source that is not there, a file, and one that is no file', async t => {
  const directory = t.testdir({ file: 'alone' });
  await t.rejects(backUp(`${directory}/absent`), { code: 'SOURCE_NOT_FOUND', message: /absent/ });
  await t.rejects(backUp(`${directory}/file/below`), { code: /SOURCE_(NOT_FOUND|UNREADABLE)/ });
  execFileSync('mkfifo', [`${directory}/fifo`]);
  await t.rejects(backUp(`${directory}/fifo`), { code: 'SOURCE_UNREADABLE' });
  const outcome = await backUp(`${directory}/file`);
  t.match(outcome, { files: 1, bytes: 5 });
  const target = `${directory}/restored`;
  await restore(repository, { snapshot: outcome.snapshotId, target });
  t.equal(fs.readFileSync(target, 'utf8'), 'alone');
  t.strictSame(await faultsOf(repository), []);
});

t.test('a source that holds the repository itself', async t => {
  const source = fastDirectory(t);
  fs.writeFileSync(`${source}/file`, 'beside');
  const storage = await openFilesystem(`${source}/repository`, { create: true });
  const own = await makeSmallRepository(t.testdir(), storage);
  await using inside = await openSmall(storage, own.format);
  const request = { path: source, source: { ...OWNER, path: source } };
  const first = await backup(inside, request);
  const second = await backup(inside, request);
  t.not(first.snapshotId, second.snapshotId);
  t.ok(second.skipped.every(({ code }) => /^SOURCE_(VANISHED|CHANGED)$/.test(code)));
  t.strictSame(await faultsOf(inside), []);
});

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import t from 'tap';
import {
  hasDoneFile,
  removeDoneFile,
  renewDoneFile,
  writeDoneFile,
} from '#agent/volume-mover/done-file.ts';
import { REMOVAL_DEPTH_MAX } from '#agent/volume-mover/open-beneath.ts';

const UID = '77777777-0000-4000-8000-000000000001';

t.test('the done file is where the init container looks, readable for everybody', async t => {
  const root = t.testdir({});
  fs.utimesSync(root, 1_600_000_000, 1_600_000_000.25);
  const before = process.umask(0o077);
  await writeDoneFile(root, UID);
  process.umask(before);
  t.equal(fs.statSync(`${root}/.velero`).mode & 0o777, 0o755);
  const stat = fs.statSync(`${root}/.velero/${UID}`);
  t.equal(stat.mode & 0o777, 0o644);
  t.equal(stat.size, 0);
  t.equal(fs.statSync(root).mtimeMs, 1_600_000_000_250);
});

t.test('a time before 1970 is kept as well', async t => {
  const root = t.testdir({});
  fs.utimesSync(root, new Date(-86_400_000), new Date(-86_400_500));
  await writeDoneFile(root, UID);
  t.equal(fs.statSync(root).mtimeMs, -86_400_500);
});

t.test('what an earlier restore has left goes', async t => {
  const root = t.testdir({ '.velero': { old: '', deep: { er: { file: '1' } } } });
  fs.writeFileSync(Buffer.from(`${root}/.velero/bad\xff`, 'latin1'), '');
  await writeDoneFile(root, UID);
  t.strictSame(fs.readdirSync(`${root}/.velero`), [UID]);
});

t.test('a link of the name .velero, or within it, leads nowhere', async t => {
  const directory = t.testdir({ outside: { keep: '1' }, volume: {} });
  const root = `${directory}/volume`;
  fs.symlinkSync(`${directory}/outside`, `${root}/.velero`);
  await writeDoneFile(root, UID);
  t.ok(fs.lstatSync(`${root}/.velero`).isDirectory());
  fs.symlinkSync(`${directory}/outside`, `${root}/.velero/link`);
  await writeDoneFile(root, UID);
  t.strictSame(fs.readdirSync(`${directory}/outside`), ['keep']);
  t.strictSame(fs.readdirSync(`${root}/.velero`), [UID]);
  fs.symlinkSync(`${directory}/outside/new`, `${root}/.velero/other`);
  await writeDoneFile(root, 'other');
  t.ok(fs.lstatSync(`${root}/.velero/other`).isFile());
  t.strictSame(fs.readdirSync(`${directory}/outside`), ['keep']);
});

t.test('what is no volume, or no name, is refused', async t => {
  const directory = t.testdir({ file: '', volume: {} });
  fs.symlinkSync(`${directory}/volume`, `${directory}/link`);
  for (const root of ['file', 'none', 'link']) {
    const writing = writeDoneFile(`${directory}/${root}`, UID);
    await t.rejects(writing, { code: 'TARGET_NOT_WRITABLE', message: /\.velero: E/ });
  }
  for (const name of ['', '.', '../x', 'a/b', '-x']) {
    await t.rejects(writeDoneFile(`${directory}/volume`, name), { code: 'USAGE' });
  }
  const deep = Array.from({ length: REMOVAL_DEPTH_MAX + 1 }, () => 'd').join('/');
  fs.mkdirSync(`${directory}/volume/.velero/${deep}`, { recursive: true });
  await t.rejects(writeDoneFile(`${directory}/volume`, UID), { message: /nested deeper than 64/ });
});

t.test('the file and its directory are taken away, unless there is more', async t => {
  const root = t.testdir({ data: '1' });
  await removeDoneFile(root, UID);
  await writeDoneFile(root, UID);
  await removeDoneFile(root, UID);
  t.strictSame(fs.readdirSync(root), ['data']);
  await writeDoneFile(root, UID);
  fs.writeFileSync(`${root}/.velero/other`, '');
  await removeDoneFile(root, UID);
  t.strictSame(fs.readdirSync(`${root}/.velero`), ['other']);
  await removeDoneFile(root, UID);
  t.strictSame(fs.readdirSync(`${root}/.velero`), ['other']);
});

t.test('a done file is one only as a file in a directory', async t => {
  const root = t.testdir({});
  t.equal(await hasDoneFile(root, UID), false);
  await writeDoneFile(root, UID);
  t.equal(await hasDoneFile(root, UID), true);
  t.equal(await hasDoneFile(root, 'other'), false);
  fs.symlinkSync('/etc/passwd', `${root}/.velero/link`);
  t.equal(await hasDoneFile(root, 'link'), false);
  fs.renameSync(`${root}/.velero`, `${root}/elsewhere`);
  fs.symlinkSync('elsewhere', `${root}/.velero`);
  t.equal(await hasDoneFile(root, UID), false);
  await t.rejects(hasDoneFile(`${root}/none`, UID), { code: 'TARGET_NOT_WRITABLE' });
  await t.rejects(hasDoneFile(root, '../x'), { code: 'USAGE' });
});

t.test('one that could not be written whole is not there', async t => {
  const root = t.testdir({});
  try {
    // Entries may be made in it, and its times may not be set.
    execFileSync('chattr', ['+a', root], { stdio: 'pipe' });
  } catch {
    t.comment('skipped: chattr needs root, and a file system that has it');
    return;
  }
  try {
    await t.rejects(writeDoneFile(root, UID), { code: 'TARGET_NOT_WRITABLE', message: /EPERM/ });
    t.notOk(fs.existsSync(`${root}/.velero/${UID}`));
  } finally {
    execFileSync('chattr', ['-a', root]);
  }
});

t.test('a file that is gone comes back, beside what others have there', async t => {
  const root = t.testdir({ '.velero': { other: '' } });
  t.equal(await renewDoneFile(root, UID), true);
  t.strictSame(fs.readdirSync(`${root}/.velero`).toSorted(), [UID, 'other']);
  fs.utimesSync(root, 1_600_000_000, 1_600_000_000.25);
  t.equal(await renewDoneFile(root, UID), false);
  t.equal(fs.statSync(root).mtimeMs, 1_600_000_000_250);
  fs.rmSync(`${root}/.velero`, { recursive: true });
  fs.utimesSync(root, 1_600_000_000, 1_600_000_000.25);
  t.equal(await renewDoneFile(root, UID), true);
  t.equal(fs.statSync(root).mtimeMs, 1_600_000_000_250);
  fs.rmSync(`${root}/.velero`, { recursive: true });
  fs.symlinkSync('/etc', `${root}/.velero`);
  await t.rejects(renewDoneFile(root, UID), { code: 'TARGET_NOT_WRITABLE' });
  await t.rejects(renewDoneFile(root, '../x'), { code: 'USAGE' });
});

t.test('what is mounted in an old .velero is not emptied', async t => {
  const root = t.testdir({ '.velero': { mount: {} } });
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'none', `${root}/.velero/mount`], { stdio: 'pipe' });
  } catch {
    t.comment('skipped: mounting needs root');
    return;
  }
  fs.writeFileSync(`${root}/.velero/mount/file`, '1');
  await t.rejects(writeDoneFile(root, UID), { code: 'TARGET_NOT_WRITABLE', message: /EBUSY/ });
  t.ok(fs.existsSync(`${root}/.velero/mount/file`));
  execFileSync('umount', [`${root}/.velero/mount`]);
});

// What kopia's fields cannot say, as `ls`, `diff` and `verify` show it.

import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { isNativeAvailable } from '#engine/base/native.ts';
import { renderRows } from '#engine/cli/table.ts';
import { TREE_COLUMNS, treeEntryDocument } from '#engine/cli/tree-entry.ts';
import { diffSnapshots, listTree, readFile, type TreeEntry, verify } from '#engine/index.ts';
import { backup } from '#engine/operations.ts';
import type { Repository } from '#engine/repository.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { setXattr } from '#test/support/set-attributes.ts';
import { repositoryFor, request } from './backup-scene.ts';

const isRoot = process.getuid?.() === 0;

async function listed(repository: Repository, path: string): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = [];
  for await (const entry of listTree(repository, path, { isRecursive: true })) entries.push(entry);
  return entries;
}

async function differences(repository: Repository, before: string, after: string) {
  const found: Record<string, string> = {};
  for await (const { path, kind, attributes } of diffSnapshots(repository, before, after)) {
    found[path] = kind === 'changed' ? attributes.join() : kind;
  }
  return found;
}

t.test('pipes, devices and names of bytes are listed', async t => {
  const root = `${fastDirectory(t)}/tree`;
  mkdirSync(`${root}/inner`, { recursive: true });
  const raw = Buffer.concat([Buffer.from(`${root}/inner/`), Buffer.from([0x61, 0xff])]);
  writeFileSync(raw, 'raw');
  execFileSync('mkfifo', ['-m', '600', `${root}/pipe`]);
  const hasDevice = isRoot && spawnSync('mknod', [`${root}/zero`, 'c', '1', '5']).status === 0;
  const repository = await repositoryFor(t);
  const { snapshotId } = await backup(repository, request(root));
  const entries = await listed(repository, snapshotId);
  t.match(entries, [
    { path: 'inner', type: 'directory' },
    { path: 'inner/a\ufffd', type: 'file', nameBytes: Uint8Array.of(0x61, 0xff) },
    { path: 'pipe', type: 'fifo', mode: 0o600 },
    ...(hasDevice
      ? [{ path: 'zero', type: 'character-device', device: { major: 1, minor: 5 } }]
      : []),
  ]);
  const text = renderRows(TREE_COLUMNS, entries, true);
  t.match(text, /-rw.* inner\/a\\xff/);
  t.match(text, /prw-------.* pipe/);
  if (hasDevice) t.match(text, /crw.* 1, 5 .*zero/);
  t.match(treeEntryDocument(entries[1]), { nameBytes: 'Yf8=' });
  const pieces: Uint8Array[] = [];
  for await (const piece of readFile(repository, `${snapshotId}:/inner/a\\xff`)) pieces.push(piece);
  t.equal(Buffer.concat(pieces).toString(), 'raw', 'found by the name that is shown');
  t.match(await verify(repository, { readPercent: 100 }), { problemCount: 0 });
});

t.test('differences of what kopia does not know are differences', async t => {
  const root = `${fastDirectory(t)}/tree`;
  mkdirSync(`${root}/inner`, { recursive: true });
  for (const name of ['plain', 'attributed', 'linked']) writeFileSync(`${root}/${name}`, name);
  execFileSync('mkfifo', [`${root}/pipe`]);
  execFileSync('mkfifo', [`${root}/turned`]);
  execFileSync('mkfifo', [`${root}/gone`]);
  const repository = await repositoryFor(t);
  const before = await backup(repository, request(root));
  const hasAttributes =
    isNativeAvailable() && setXattr(`${root}/attributed`, 'user.a', Buffer.of(1));
  if (hasAttributes) setXattr(`${root}/inner`, 'user.b', Buffer.of(1));
  linkSync(`${root}/linked`, `${root}/another`);
  chmodSync(`${root}/pipe`, 0o604);
  rmSync(`${root}/turned`);
  writeFileSync(`${root}/turned`, '');
  rmSync(`${root}/gone`);
  const after = await backup(repository, request(root));
  const found = await differences(repository, before.snapshotId, after.snapshotId);
  t.match(found, { another: 'added', linked: 'links', pipe: 'mode', gone: 'removed' });
  t.match(found.turned, /^type,.*content/);
  if (hasAttributes) t.match(found, { attributed: 'xattrs', inner: 'xattrs' });
  t.equal(found.plain, undefined);
  t.strictSame(await differences(repository, after.snapshotId, after.snapshotId), {});
});

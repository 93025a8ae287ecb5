// Incomplete snapshots of ours in the hands of the real kopia, and its own in ours: shown as what
// they are, verified to the last byte, gone on from, and gone when the source has a complete one.

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { backup, listSnapshots, openRepository } from '#engine/index.ts';
import { openFilesystem } from '#engine/storage/filesystem.ts';
import type { MemoryStorage } from '#engine/storage/memory.ts';
import { CheckpointScene } from '#test/engine/snapshot/checkpoint-scene.ts';
import { findKopia, Kopia, KOPIA_OWNER } from '#test/support/kopia.ts';
import { SeededRandom } from '#test/support/random.ts';
import { ScratchDirectory } from '#test/support/scratch-directory.ts';

const { program, reason } = findKopia();
const skip = program === undefined ? reason : undefined;
if (skip) t.comment(`skipped: ${skip}`);

interface Listed {
  readonly id: string;
  readonly incomplete?: string;
  readonly stats: { readonly cachedFiles: number; readonly nonCachedFiles: number };
}

async function listed(kopia: Kopia): Promise<Listed[]> {
  const words = ['--all', '--show-identical', '--incomplete', '--json'];
  return JSON.parse(await kopia.run('snapshot', 'list', ...words)) as Listed[];
}

async function toDirectory(storage: MemoryStorage, directory: string): Promise<void> {
  const files = await openFilesystem(directory, { create: true });
  const blobs = await Array.fromAsync(storage.list(''));
  for (const { id } of blobs) await files.put(id, [await storage.get(id)]);
  await files.close();
}

function makeTree(path: string): number {
  const random = new SeededRandom(3);
  for (const name of ['a', 'b', 'c', 'd']) {
    mkdirSync(`${path}/${name}`, { recursive: true });
    for (const file of ['1', '2']) writeFileSync(`${path}/${name}/${file}`, random.bytes(400_000));
  }
  return 8 * 400_000;
}

t.test(
  'kopia takes a checkpoint of ours for what it is, and goes on from it',
  { skip },
  async t => {
    await using scratch = await ScratchDirectory.make();
    const path = scratch.join('source');
    makeTree(path);
    // A large file that is half read when the checkpoint comes.
    writeFileSync(`${path}/large`, new SeededRandom(4).bytes(3_000_000));
    const scene = await CheckpointScene.open(t);
    let left: MemoryStorage | undefined;
    const then = async () => {
      await scene.checkpoint();
      left = await scene.killed();
    };
    const source = { ...KOPIA_OWNER, path };
    const stop = { kind: 'readFile', count: 8, then } as const;
    await scene.backup({ path, source }, { stop, taskMsMax: 0 });
    if (left === undefined) throw new Error('it was not stopped');
    const repository = scratch.join('repository');
    await toDirectory(left, repository);
    const kopia = new Kopia({ directory: scratch.join('kopia'), password: 'p' });
    await kopia.connect(repository);
    t.notMatch(await kopia.run('snapshot', 'list', '--all'), 'incomplete');
    const [checkpoint, ...others] = await listed(kopia);
    t.match(checkpoint, { incomplete: 'checkpoint' });
    t.strictSame(others, []);
    await kopia.verify([checkpoint.id]);
    const names = await kopia.run('ls', checkpoint.id);
    t.match(names, /\.checkpointed\.large\.[0-9a-f-]{36}/);
    await kopia.run('snapshot', 'create', path);
    const after = await listed(kopia);
    t.equal(after.length, 1, 'the checkpoint is gone');
    t.equal(after[0].incomplete, undefined);
    t.ok(after[0].stats.cachedFiles > 0, `${after[0].stats.cachedFiles} files were not read again`);
    t.ok(after[0].stats.nonCachedFiles > 0, 'the one that was half read is');
    await kopia.verify([after[0].id]);
    const target = scratch.join('restored');
    await kopia.run('restore', after[0].id, target);
    execFileSync('diff', ['-r', path, target]);
  },
);

t.test('we go on from what kopia has left, and it is gone then', { skip }, async t => {
  await using scratch = await ScratchDirectory.make();
  const path = scratch.join('source');
  const bytes = makeTree(path);
  const kopia = new Kopia({ directory: scratch.join('kopia'), password: 'p' });
  const repositoryPath = scratch.join('repository');
  await kopia.create(repositoryPath);
  const limit = ['--upload-limit-mb=1', '--parallel=1'];
  // It says that the snapshot is not complete.
  await kopia.run('snapshot', 'create', ...limit, path).catch(() => undefined);
  t.match(await listed(kopia), [{ incomplete: 'limit reached' }]);
  const place = { url: `file://${repositoryPath}`, password: 'p' };
  await using repository = await openRepository({ ...place, owner: KOPIA_OWNER });
  const source = { ...KOPIA_OWNER, path };
  const outcome = await backup(repository, { path, source });
  t.ok(outcome.bytesRead > 0 && outcome.bytesRead < bytes, `${outcome.bytesRead} of ${bytes} read`);
  t.equal((await listSnapshots(repository, { includeIncomplete: true })).length, 1);
  t.match(await listed(kopia), [{ id: outcome.snapshotId }]);
  await kopia.verify([outcome.snapshotId]);
});

t.test(
  'kopia lists no checkpoint that comes before a backup, and goes on from it',
  { skip },
  async t => {
    await using scratch = await ScratchDirectory.make();
    const path = scratch.join('source');
    makeTree(path);
    const kopia = new Kopia({ directory: scratch.join('kopia'), password: 'p' });
    const repositoryPath = scratch.join('repository');
    await kopia.create(repositoryPath);
    const place = { url: `file://${repositoryPath}`, password: 'p' };
    await using repository = await openRepository({ ...place, owner: KOPIA_OWNER });
    const source = { ...KOPIA_OWNER, path };
    const { snapshotId } = await backup(repository, { path, source, isCheckpoint: true });
    t.notMatch(await kopia.run('snapshot', 'list', '--all'), 'files:');
    t.match(await listed(kopia), [{ id: snapshotId, incomplete: 'checkpoint' }]);
    await kopia.verify([snapshotId]);
    writeFileSync(`${path}/a/1`, new SeededRandom(5).bytes(400_000));
    await kopia.run('snapshot', 'create', path);
    const [after, ...others] = await listed(kopia);
    t.strictSame(others, [], 'the checkpoint is gone');
    t.match(after, { incomplete: undefined, stats: { cachedFiles: 7, nonCachedFiles: 1 } });
    await kopia.verify([after.id]);
  },
);

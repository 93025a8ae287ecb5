// Restores with real threads and real contents: into trees that exist, in part, planned, checked.

import fs from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { backup, planRestore, restore } from '#engine/operations.ts';
import { restorePartsOf } from '#engine/restore-parts.ts';
import { restore as restoreParts } from '#engine/snapshot/restore/restore.ts';
import type { RestoreProgress } from '#engine/snapshot/restore/restore-report.ts';
import type { PackSource } from '#engine/snapshot/restore/pack-source.ts';
import type { Repository } from '#engine/repository.ts';
import { MemoryStorage } from '#engine/storage/memory.ts';
import type { GetOptions } from '#engine/storage/storage.ts';
import { SeededRandom } from '#test/support/random.ts';
import {
  emptyStorage,
  large,
  makeTree,
  repositoryFor,
  request,
} from '#test/engine/snapshot/backup-scene.ts';

interface Stored {
  readonly repository: Repository;
  readonly tree: string;
  readonly target: string;
  readonly snapshot: string;
}

const tree = makeTree(t);
const repository = await repositoryFor(t);
const { snapshotId } = await backup(repository, request(tree));

/** The same snapshot for all, and an empty place for each. */
function stored(t: Test): Stored {
  return { repository, tree, target: join(t.testdir({}), 'target'), snapshot: snapshotId };
}

/** Every path with what is in it. */
function contentOf(root: string): Record<string, string> {
  const names = fs.readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(
    names.map(name => {
      const path = join(root, name);
      const stat = fs.lstatSync(path);
      const text = stat.isSymbolicLink()
        ? fs.readlinkSync(path)
        : stat.isFile()
          ? fs.readFileSync(path, 'latin1')
          : 'directory';
      return [name, text];
    }),
  );
}

t.test('without a word on overwriting the target has to be empty', async t => {
  const { repository, target, snapshot } = stored(t);
  fs.mkdirSync(target);
  fs.writeFileSync(join(target, 'mine'), 'mine');
  const run = restore(repository, { snapshot, target });
  await t.rejects(run, { code: 'TARGET_NOT_EMPTY', message: /say what is to become/ });
  t.same(fs.readdirSync(target), ['mine']);
});

t.test('never leaves what is there and makes what is missing', async t => {
  const { repository, tree, target, snapshot } = stored(t);
  fs.mkdirSync(join(target, 'sub'), { recursive: true });
  fs.writeFileSync(join(target, 'text'), 'mine');
  fs.symlinkSync('mine', join(target, 'sub/link'));
  const outcome = await restore(repository, { snapshot, target, overwrite: 'never' });
  t.same(outcome.differences, []);
  t.equal(outcome.filesKept, 2);
  const expected = { ...contentOf(tree), text: 'mine', 'sub/link': 'mine' };
  t.same(contentOf(target), expected);
});

t.test('if-different goes on with a restore that was interrupted', async t => {
  const { repository, tree, target, snapshot } = stored(t);
  await restore(repository, { snapshot, target });
  const first = fs.statSync(join(target, 'large'));
  // As a killed restore leaves things: a file of the right length and another time.
  fs.writeFileSync(join(target, 'text'), Buffer.alloc(fs.statSync(join(tree, 'text')).size));
  fs.rmSync(join(target, 'sub/twin'));
  fs.chmodSync(join(target, 'large'), 0o600);
  const outcome = await restore(repository, { snapshot, target, overwrite: 'if-different' });
  t.same(outcome.differences, []);
  t.same(contentOf(target), contentOf(tree));
  const again = fs.statSync(join(target, 'large'));
  t.equal(again.ino, first.ino, 'what is the same was not replaced');
  t.equal(again.mode, first.mode, 'but has its attributes again');
  t.ok(outcome.bytesPresent >= large.length);
});

t.test('a delta writes what differs, in place', async t => {
  const { repository, tree, target, snapshot } = stored(t);
  await restore(repository, { snapshot, target });
  const path = join(target, 'large');
  const before = fs.statSync(path);
  const file = fs.openSync(path, 'r+');
  fs.writeSync(file, 'spoilt', 1_000_000);
  fs.closeSync(file);
  fs.appendFileSync(path, 'longer');
  fs.truncateSync(join(target, 'text'), 10);
  const outcome = await restore(repository, { snapshot, target, delta: true });
  t.same(outcome.differences, []);
  t.same(contentOf(target), contentOf(tree));
  t.equal(fs.statSync(path).ino, before.ino);
  t.ok(outcome.bytesFetched < 1_200_000, `${outcome.bytesFetched} bytes were fetched`);
  t.ok(outcome.bytesPresent > 2_000_000);
  const nothing = await restore(repository, { snapshot, target, delta: true });
  t.ok(nothing.bytesFetched < 1000, 'links alone are made anew');
});

t.test('a delta shows what it has compared', async t => {
  const { repository, target, snapshot } = stored(t);
  await restore(repository, { snapshot, target });
  const seen: RestoreProgress[] = [];
  const onProgress = (progress: RestoreProgress): void => void seen.push(progress);
  const wanted = { snapshot, target, delta: true };
  const { bytesPresent } = await restore(repository, wanted, { onProgress });
  t.ok(
    seen.some(({ files, bytesPresent: found }) => files === 0 && found >= large.length),
    'before a file is finished',
  );
  t.match(seen.at(-1), { bytesPresent });
  const plan = await planRestore(repository, wanted);
  t.equal(plan.bytesPresent, bytesPresent, 'a plan compares the same');
});

t.test('a delta does without a lost content whose bytes are there already', async t => {
  const storage = await emptyStorage();
  const first = await repositoryFor(t, { storage });
  const source = t.testdir({});
  // One chunk: the list of several would be lost with them.
  const bytes = large.subarray(0, 100_000);
  fs.writeFileSync(join(source, 'file'), bytes);
  await backup(first, request(source));
  const indexes = await Array.fromAsync(storage.list('x'));
  fs.writeFileSync(join(source, 'more'), 'more');
  const { snapshotId: snapshot } = await backup(first, request(source));
  // With what says where its content is.
  for (const { id } of indexes) await storage.delete(id);
  const fresh = await repositoryFor(t, { storage });
  const target = join(source, '..', 'rescued');
  fs.mkdirSync(target);
  t.teardown(() => fs.rmSync(target, { recursive: true }));
  await t.rejects(restore(fresh, { snapshot, target }), { code: /^CONTENT_/ });
  fs.writeFileSync(join(target, 'file'), bytes);
  const outcome = await restore(fresh, { snapshot, target, delta: true });
  t.same(outcome.differences, []);
  t.same(contentOf(target), contentOf(source));
});

t.test('a file that is written in place is ours alone until it has its attributes', async t => {
  const source = t.testdir({});
  const bytes = large.subarray(0, 2_000_000);
  fs.writeFileSync(join(source, 'file'), bytes, { mode: 0o600 });
  const storage = await emptyStorage();
  const repository = await repositoryFor(t, { storage });
  const { snapshotId: snapshot } = await backup(repository, request(source));
  const target = join(source, '..', 'was there');
  fs.mkdirSync(target);
  t.teardown(() => fs.rmSync(target, { recursive: true }));
  const path = join(target, 'file');
  fs.writeFileSync(path, Buffer.alloc(3_000_000));
  fs.chmodSync(path, 0o4777);
  const modes = new Set<number>();
  const onProgress = ({ phase, bytes: written, files }: RestoreProgress): void => {
    if (phase === 'restore' && written > 0 && files === 0)
      modes.add(fs.statSync(path).mode & 0o7777);
  };
  const outcome = await restore(repository, { snapshot, target, delta: true }, { onProgress });
  t.same(outcome.differences, []);
  t.strictSame([...modes], [0o600]);
  t.ok(fs.readFileSync(path).equals(bytes));
  fs.chmodSync(path, 0o644);
  await restore(repository, { snapshot, target, delta: true });
  t.equal(fs.statSync(path).mode & 0o7777, 0o600, 'nothing had to be written');
});

t.test('what is believed to have its bytes by size and time is read, too', async t => {
  const { repository, target, snapshot } = stored(t);
  await restore(repository, { snapshot, target });
  const path = join(target, 'large');
  const { atime, mtime, size } = fs.statSync(path);
  fs.writeFileSync(path, Buffer.alloc(size));
  fs.utimesSync(path, atime, mtime);
  const request = { snapshot, target, overwrite: 'if-different', verify: true } as const;
  const outcome = await restore(repository, request);
  t.match(outcome, { status: 'CompletedWithDifferences' });
  t.match(outcome.differences, [{ path: 'large', attribute: 'content' }]);
});

t.test('a delta never writes through a name that others share', async t => {
  const { repository, tree, target, snapshot } = stored(t);
  await restore(repository, { snapshot, target });
  const other = join(t.testdirName, 'other');
  fs.linkSync(join(target, 'text'), other);
  fs.writeFileSync(other, 'somebody else wrote this');
  const outcome = await restore(repository, { snapshot, target, delta: true });
  t.same(outcome.differences, []);
  t.equal(fs.readFileSync(other, 'utf8'), 'somebody else wrote this');
  t.same(contentOf(target), contentOf(tree));
});

t.test('extra entries are removed where that was asked for, in old directories', async t => {
  const { repository, tree, target, snapshot } = stored(t);
  await restore(repository, { snapshot, target });
  fs.mkdirSync(join(target, 'sub/extra/deep'), { recursive: true });
  fs.writeFileSync(join(target, 'sub/extra/deep/file'), 'extra');
  fs.symlinkSync(t.testdirName, join(target, 'extra link'));
  fs.writeFileSync(join(t.testdirName, 'outside'), 'stays');
  const wanted = { snapshot, target, delta: true, deleteExtra: true };
  const plan = await planRestore(repository, wanted);
  t.same([...plan.toRemove].sort(), ['extra link', 'sub/extra']);
  t.ok(fs.existsSync(join(target, 'sub/extra/deep/file')), 'a plan removes nothing');
  const outcome = await restore(repository, wanted);
  t.same(outcome.differences, []);
  t.equal(outcome.removed, 2);
  t.same(contentOf(target), contentOf(tree));
  t.equal(fs.readFileSync(join(t.testdirName, 'outside'), 'utf8'), 'stays');
});

t.test('a directory in the way of a file stays, or is removed as extra', async t => {
  const { repository, tree, target, snapshot } = stored(t);
  await restore(repository, { snapshot, target });
  fs.rmSync(join(target, 'text'));
  fs.mkdirSync(join(target, 'text/inside'), { recursive: true });
  const kept = await restore(repository, { snapshot, target, overwrite: 'always' });
  t.match(kept.differences, [{ path: 'text', attribute: 'entry' }]);
  t.ok(fs.existsSync(join(target, 'text/inside')));
  const wanted = { snapshot, target, overwrite: 'always', deleteExtra: true } as const;
  t.same((await planRestore(repository, wanted)).toRemove, ['text']);
  const outcome = await restore(repository, wanted);
  t.same(outcome.differences, []);
  t.equal(outcome.removed, 1);
  t.same(contentOf(target), contentOf(tree));
});

t.test('a plan says what a restore would do and writes nothing', async t => {
  const { repository, target, snapshot } = stored(t);
  const plan = await planRestore(repository, { snapshot, target });
  t.notOk(fs.existsSync(target));
  const outcome = await restore(repository, { snapshot, target });
  t.match(plan, { files: outcome.files, directories: outcome.directories, symlinks: 1 });
  t.equal(plan.bytesToFetch, outcome.bytesFetched);
  t.equal(
    plan.packs.reduce((sum, pack) => sum + pack.bytes, 0),
    plan.bytesToFetch,
  );
});

t.test('a plan of one file for a directory that is not there is a plan', async t => {
  const { repository, target, snapshot } = stored(t);
  const one = { snapshot: `${snapshot}:/text`, target: join(target, 'new/mine') };
  for (const overwrite of [undefined, 'never', 'always'] as const) {
    const plan = await planRestore(repository, { ...one, overwrite });
    t.match(plan, { files: 1, directories: 0, filesKept: 0 });
    t.notOk(fs.existsSync(target));
  }
  const delta = await planRestore(repository, { ...one, delta: true });
  const outcome = await restore(repository, { ...one, delta: true });
  t.match(outcome, { files: 1, directories: 0, bytesFetched: delta.bytesToFetch });
});

t.test('globs choose what is restored, with the directories that lead there', async t => {
  const { repository, target, snapshot } = stored(t);
  await restore(repository, { snapshot, target, include: ['leaf', '/text'] });
  t.same(Object.keys(contentOf(target)).sort(), [
    'sub',
    'sub/deep',
    'sub/deep/er',
    'sub/deep/er/leaf',
    'text',
  ]);
  const rest = join(t.testdirName, 'rest');
  await restore(repository, { snapshot, target: rest, exclude: ['sub', 'large'] });
  t.same(Object.keys(contentOf(rest)).sort(), ['empty', 'text', 'zero']);
});

t.test('several parts go to several places and what they share is fetched once', async t => {
  const { repository, tree, target, snapshot } = stored(t);
  const other = join(t.testdirName, 'other');
  const file = join(t.testdirName, 'file');
  const alone = await planRestore(repository, { snapshot, target });
  const outcome = await restore(repository, {
    snapshot,
    target,
    further: [
      { snapshot, target: other },
      { snapshot: `${snapshot}:/text`, target: file },
    ],
  });
  t.same(outcome.differences, []);
  t.same(contentOf(target), contentOf(tree));
  t.same(contentOf(other), contentOf(tree));
  t.same(fs.readFileSync(file), fs.readFileSync(join(tree, 'text')));
  t.equal(outcome.bytesFetched, alone.bytesToFetch);
});

t.test('reading again finds bytes that changed behind our back', async t => {
  const { repository, target, snapshot } = stored(t);
  const sound = await restore(repository, { snapshot, target, verify: true });
  t.same(sound.differences, []);
  const other = join(t.testdirName, 'other');
  let isSpoilt = false;
  const outcome = await restore(
    repository,
    { snapshot, target: other, verify: true },
    {
      onProgress: ({ phase, files }) => {
        if (phase !== 'restore' || isSpoilt || files < 5) return;
        if (!fs.existsSync(join(other, 'text'))) return;
        isSpoilt = true;
        fs.writeFileSync(join(other, 'text'), 'bit rot');
      },
    },
  );
  t.ok(isSpoilt);
  t.match(outcome, { status: 'CompletedWithDifferences' });
  t.match(
    outcome.differences.filter(({ path, attribute }) => path === 'text' && attribute === 'content'),
    [{ expected: 'as in the snapshot' }],
  );
});

class CountingStorage extends MemoryStorage {
  readonly ranges: string[] = [];
  bytes = 0;

  override async get(id: string, options?: GetOptions): Promise<Uint8Array> {
    const bytes = await super.get(id, options);
    if (id.startsWith('p')) {
      this.bytes += bytes.length;
      this.ranges.push(`${id} ${options?.range?.offset ?? 0}`);
    }
    return bytes;
  }
}

t.test('what is fetched and not written stays within the window', async t => {
  const storage = new CountingStorage();
  const original = await emptyStorage();
  for await (const { id } of original.list('')) await storage.put(id, [await original.get(id)]);
  const repository = await repositoryFor(t, { storage });
  const { snapshotId: id } = await backup(repository, request(tree));
  const target = join(t.testdir({}), 'target');
  const parts = restorePartsOf(repository);
  let heldBytes = 0;
  let mostBytes = 0;
  const packs: PackSource = {
    get: async (packId, range, signal) => {
      heldBytes += range.length;
      mostBytes = Math.max(mostBytes, heldBytes);
      // Others come to fetch before it is there, as far as they may.
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
      heldBytes -= range.length;
      return await storage.get(packId, { range, signal });
    },
  };
  const memory = { ...parts.memory, restoreWindowBytes: 1 << 20 };
  await restoreParts({ ...parts, packs, memory }, { snapshot: id, target });
  t.same(contentOf(target), contentOf(tree));
  t.ok(mostBytes > 1 << 19);
  t.ok(mostBytes <= 1 << 20, `${mostBytes} bytes`);
});

t.test('no byte of a pack is fetched twice, however often it is needed', async t => {
  const copies = join(t.testdir({}), 'tree');
  const random = new SeededRandom(11);
  const shared = Array.from({ length: 40 }, () => random.bytes(20_000));
  for (let directory = 0; directory < 30; directory++) {
    fs.mkdirSync(join(copies, `${directory}`), { recursive: true });
    for (let file = 0; file < 20; file++) {
      const bytes = random.once(2) ? random.pick(shared) : random.bytes(5000);
      fs.writeFileSync(join(copies, `${directory}/${file}`), bytes);
    }
  }
  const storage = new CountingStorage();
  const original = await emptyStorage();
  for await (const { id } of original.list('')) await storage.put(id, [await original.get(id)]);
  const counted = await repositoryFor(t, { storage });
  const { snapshotId: id, bytesUploaded } = await backup(counted, request(copies));
  storage.bytes = 0;
  const target = join(t.testdirName, 'target');
  const outcome = await restore(counted, { snapshot: id, target });
  t.same(contentOf(target), contentOf(copies));
  t.equal(new Set(storage.ranges).size, storage.ranges.length);
  t.equal(storage.bytes, outcome.bytesFetched);
  t.ok(storage.bytes <= bytesUploaded);
});

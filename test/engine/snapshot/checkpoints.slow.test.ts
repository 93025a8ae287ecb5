import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { abortable } from '#engine/base/abort.ts';
import { EngineError } from '#engine/base/errors.ts';
import { listSnapshots, resolveSnapshot } from '#engine/operations.ts';
import type { BackupOutcome, BackupRequest } from '#engine/snapshot/backup.ts';
import { listTree } from '#engine/snapshot/stored-path.ts';
import { verify } from '#engine/snapshot/verify.ts';
import type { MemoryStorage } from '#engine/storage/memory.ts';
import { SeededRandom } from '#test/support/random.ts';
import { CheckpointScene, type Stop } from './checkpoint-scene.ts';

const FILES = ['a/1', 'a/2', 'a/deep/3', 'b/4', 'b/5', 'c/6', '7', '8'];
const FILE_BYTES = 200_000;
const TOTAL_BYTES = FILES.length * FILE_BYTES;
const all = { includeIncomplete: true };

function makeTree(t: Test): string {
  const root = `${t.testdir({})}/tree`;
  const random = new SeededRandom(11);
  for (const path of FILES) {
    mkdirSync(dirname(`${root}/${path}`), { recursive: true });
    writeFileSync(`${root}/${path}`, random.bytes(FILE_BYTES));
    utimesSync(`${root}/${path}`, 1_600_000_000.25, 1_600_000_000.25);
  }
  return root;
}

/** Backs up and takes the repository as it is at `stop`, after a checkpoint. */
async function killedAt(
  t: Test,
  request: Pick<BackupRequest, 'path' | 'exclude'>,
  stop: Omit<Stop, 'then'>,
  taskMsMax?: number,
): Promise<{ left: MemoryStorage; bytesRead: number; whole: BackupOutcome }> {
  const scene = await CheckpointScene.open(t);
  let left: MemoryStorage | undefined;
  let bytesRead = 0;
  const then = async () => {
    await scene.checkpoint();
    left = await scene.killed();
    bytesRead = scene.repository.parts.control.total('bytesRead');
  };
  const whole = await scene.backup(request, { stop: { ...stop, then }, taskMsMax });
  if (left === undefined) throw new Error(`there is no ${stop.kind} ${stop.count}`);
  return { left, bytesRead, whole };
}

t.test('a backup that is killed goes on from its last checkpoint', async t => {
  const path = makeTree(t);
  for (const count of [2, 4]) {
    const stop = { kind: 'scanDirectory', count } as const;
    const { left, bytesRead, whole } = await killedAt(t, { path }, stop);
    const next = await CheckpointScene.open(t, left);
    const listed = await listSnapshots(next.repository, all);
    t.match(listed, [{ incomplete: 'checkpoint', source: { path: '/data' } }]);
    t.strictSame(await listSnapshots(next.repository), [], 'it is no snapshot');
    await t.rejects(resolveSnapshot(next.repository, 'latest'), { code: 'SNAPSHOT_NOT_FOUND' });
    const { problems } = await verify(next.repository, { readPercent: 100 });
    t.strictSame(problems, [], 'what it holds is whole');
    const outcome = await next.backup({ path });
    t.ok(bytesRead > 0);
    t.equal(outcome.bytesRead, TOTAL_BYTES - bytesRead, `stopped before directory ${count}`);
    t.equal(outcome.rootObjectId, whole.rootObjectId, 'as if nothing had happened');
    t.strictSame(outcome.parentIds, [listed[0].id]);
    const after = await listSnapshots(next.repository, all);
    t.strictSame(
      after.map(({ id }) => id),
      [outcome.snapshotId],
      'the checkpoint is gone',
    );
  }
});

t.test('one checkpoint replaces the other, and the snapshot the last', async t => {
  const path = makeTree(t);
  const scene = await CheckpointScene.open(t);
  const seen: string[][] = [];
  const look = async () => {
    const { storage } = scene;
    const there = await CheckpointScene.open(t, storage);
    seen.push((await listSnapshots(there.repository, all)).map(({ incomplete }) => incomplete));
  };
  const then = async () => {
    await scene.checkpoint();
    await look();
    // Nothing was read since, so there is nothing to save.
    const blobs = (await Array.fromAsync(scene.storage.list(''))).length;
    await scene.checkpoint();
    t.equal((await Array.fromAsync(scene.storage.list(''))).length, blobs);
  };
  await scene.backup({ path }, { stop: { kind: 'scanDirectory', count: 3, then } });
  await look();
  t.strictSame(seen, [['checkpoint'], ['']]);
});

t.test('an older snapshot and a checkpoint after it are both compared with', async t => {
  const path = makeTree(t);
  const scene = await CheckpointScene.open(t);
  const first = await scene.backup({ path });
  const changed = ['a/1', 'b/4', 'c/6'];
  for (const file of changed) writeFileSync(`${path}/${file}`, new Uint8Array(1000));
  let left: MemoryStorage | undefined;
  const then = async () => {
    await scene.checkpoint();
    left = await scene.killed();
  };
  const whole = await scene.backup({ path }, { stop: { kind: 'scanDirectory', count: 4, then } });
  t.equal(whole.bytesRead, 3000);
  const next = await CheckpointScene.open(t, left);
  const outcome = await next.backup({ path });
  t.equal(outcome.rootObjectId, whole.rootObjectId);
  t.ok(outcome.bytesRead < 3000, 'some of the changed ones are in the checkpoint');
  t.equal(outcome.bytesRead % 1000, 0, 'and of the others none is read');
  t.equal(outcome.parentIds.length, 2);
  t.equal(outcome.parentIds[0], first.snapshotId);
  const { problems } = await verify(next.repository, { readPercent: 100 });
  t.strictSame(problems, []);
});

t.test('pages of a large directory are in the checkpoint as they come', async t => {
  const root = `${t.testdir({})}/many`;
  mkdirSync(root);
  const count = 5000;
  for (let index = 0; index < count; index++) writeFileSync(`${root}/f${index}`, `${index}`);
  const stop = { kind: 'storePage', count: 3 } as const;
  const { left, bytesRead, whole } = await killedAt(t, { path: root }, stop);
  const next = await CheckpointScene.open(t, left);
  const [{ id, files }] = await listSnapshots(next.repository, all);
  t.equal(files, 4096, 'two pages');
  const entries = await Array.fromAsync(listTree(next.repository, id));
  t.equal(entries.length, 4096);
  const outcome = await next.backup({ path: root });
  const bytes = Array.from({ length: count }, (_, index) => `${index}`.length);
  t.equal(outcome.bytesRead, bytes.reduce((sum, each) => sum + each) - bytesRead);
  t.equal(outcome.rootObjectId, whole.rootObjectId);
});

t.test('a task that takes long comes back and leaves the rest to others', async t => {
  const path = makeTree(t);
  const scene = await CheckpointScene.open(t);
  const whole = await scene.backup({ path });
  const other = await CheckpointScene.open(t, undefined, 2);
  const pieces = await other.backup({ path }, { taskMsMax: 0 });
  t.match(pieces, { rootObjectId: whole.rootObjectId, bytesRead: TOTAL_BYTES });
  const again = await other.backup({ path }, { taskMsMax: 0 });
  t.match(again, { rootObjectId: whole.rootObjectId, bytesRead: 0, contentsNew: 1 });
});

// Installed long ago, which is what a file must be for this.
const LARGE = fileURLToPath(new URL('../../../node_modules/typescript/lib', import.meta.url));
const onlyLarge = { exclude: ['*', '!/typescript.js'] };

for (const isRoot of [false, true]) {
  const what = isRoot ? 'a large file that is the source' : 'a large file';
  t.test(`${what} is gone on with in the middle`, async t => {
    const path = isRoot ? `${LARGE}/typescript.js` : LARGE;
    const request = { path, ...onlyLarge };
    const stop = { kind: 'readFile', count: 20 } as const;
    const { left, bytesRead, whole } = await killedAt(t, request, stop, 0);
    const next = await CheckpointScene.open(t, left);
    const { problems } = await verify(next.repository, { readPercent: 100 });
    t.strictSame(problems, [], 'the part that has been read is whole');
    const outcome = await next.backup(request);
    t.equal(outcome.rootObjectId, whole.rootObjectId);
    t.ok(bytesRead > 1_000_000);
    t.equal(outcome.bytesRead, whole.bytesRead - bytesRead);
    t.equal(outcome.bytes, whole.bytes);
    const after = await verify(next.repository, { readPercent: 100 });
    t.strictSame(after.problems, []);
  });
}

t.test('a large file that was changed a moment ago is read from its start again', async t => {
  const root = `${t.testdir({})}/tree`;
  mkdirSync(root);
  writeFileSync(`${root}/large`, new SeededRandom(5).bytes(3_000_000));
  const stop = { kind: 'readFile', count: 5 } as const;
  const { left, whole } = await killedAt(t, { path: root }, stop, 0);
  const { rootObjectId } = whole;
  const next = await CheckpointScene.open(t, left);
  const outcome = await next.backup({ path: root });
  t.match(outcome, { bytesRead: 3_000_000, rootObjectId, bytesUploaded: Number });
  t.ok(outcome.contentsReused >= 4, 'and what was stored is not stored again');
});

t.test('a backup that is cancelled saves what it has once more', async t => {
  const path = makeTree(t);
  for (const { ranMs, reasons } of [
    { ranMs: 60_000, reasons: ['canceled'] },
    { ranMs: 1000, reasons: [] },
  ]) {
    const scene = await CheckpointScene.open(t);
    const controller = new AbortController();
    const then = async () => {
      scene.clock.nowMs += ranMs;
      controller.abort();
    };
    const stop = { kind: 'scanDirectory', count: 3, then } as const;
    const { signal } = controller;
    await t.rejects(scene.backup({ path }, { stop, signal }), { code: 'ABORTED' });
    const bytesRead = scene.repository.parts.control.total('bytesRead');
    const next = await CheckpointScene.open(t, scene.storage);
    const listed = await listSnapshots(next.repository, all);
    t.strictSame(
      listed.map(({ incomplete }) => incomplete),
      reasons,
    );
    const outcome = await next.backup({ path });
    const known = reasons.length === 0 ? 0 : bytesRead;
    t.equal(outcome.bytesRead, TOTAL_BYTES - known);
  }
});

/** A backup that `then` cancels, a minute after it began; gives what is left. */
async function cancelledBy(
  t: Test,
  then: (scene: CheckpointScene, cancel: () => void) => void | Promise<void>,
): Promise<CheckpointScene> {
  const path = makeTree(t);
  const scene = await CheckpointScene.open(t);
  const controller = new AbortController();
  const act = async () => {
    scene.clock.nowMs += 60_000;
    await then(scene, () => controller.abort());
  };
  const stop = { kind: 'scanDirectory', count: 3, then: act } as const;
  const { signal } = controller;
  await t.rejects(scene.backup({ path }, { stop, signal }), { code: 'ABORTED' });
  return scene;
}

t.test('a state that cannot be saved on cancelling is warned of once', async t => {
  const { warnings } = await cancelledBy(t, ({ storage }, cancel) => {
    storage.put = () => Promise.reject(new EngineError('STORAGE_FAILED', 'no more'));
    cancel();
  });
  t.match(warnings, [{ code: 'STORAGE_FAILED', message: /could not be saved.*no more/ }]);
  t.equal(warnings.length, 1);
});

t.test('a storage that hangs does not keep a cancelled backup for long', async t => {
  const { warnings } = await cancelledBy(t, ({ storage, clock }, cancel) => {
    storage.put = () => new Promise<never>(() => undefined);
    // The sleep that begins next is the time that is left to it.
    clock.onWaiting = () => clock.tick();
    cancel();
  });
  t.match(warnings, [{ message: /could not be saved.*longer than 8 s/ }]);
});

t.test('nor does one that hangs while a checkpoint is being saved', async t => {
  const { warnings } = await cancelledBy(t, async ({ storage, clock }, cancel) => {
    const isSaving = new Promise<void>(resolve => {
      storage.put = (_id, _pieces, options) => {
        resolve();
        return abortable(new Promise<never>(() => undefined), options?.signal);
      };
    });
    clock.tick();
    await isSaving;
    // The sleep that begins next is the time that is left to it; no other ends.
    clock.onWaiting = () => {
      clock.onWaiting = () => undefined;
      clock.tick();
    };
    cancel();
  });
  t.match(warnings, [{ message: /could not be saved.*longer than 8 s/ }], 'once');
  t.equal(warnings.length, 1);
});

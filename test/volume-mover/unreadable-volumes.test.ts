// What cannot be read of a volume, or not be put back into one: when that is a warning, and when
// the move has failed.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import t, { type Test } from 'tap';
import { backupMessage, restoreMessage } from '#agent/moves/move-message.ts';
import type { BackupResult, RestoreResult } from '#agent/moves/volume-mover.ts';
import { listSnapshots } from '#engine/index.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { moverFor, NodeScene } from '#test/support/node-scene.ts';
import { becomeNobody, NOBODY } from '#test/support/nobody.ts';
import { NAME, VeleroScene } from '#test/support/velero-scene.ts';

type Pod = ReturnType<NodeScene['runPod']>;

const { signal } = new AbortController();
const DONE = '77777777-0000-4000-8000-000000000001';

const opened = (async () => {
  // Outside of the checkout, into which nobody else may be let.
  const root = fastDirectory(t);
  fs.chmodSync(root, 0o755);
  fs.mkdirSync(`${root}/bucket`);
  const velero = await VeleroScene.make(`${root}/bucket`);
  t.teardown(() => velero[Symbol.asyncDispose]());
  const node = new NodeScene(root, velero.kube);
  const mover = moverFor(velero, node);
  const backup = ({ volume }: Pod): Promise<BackupResult> =>
    mover.backup({ repository: NAME, volume, moveUid: 'move' }, { signal });
  const restore = ({ volume }: Pod, snapshotId: string): Promise<RestoreResult> => {
    const order = { repository: NAME, volume, moveUid: 'r', doneFile: DONE, snapshotId };
    return mover.restore(order, { signal });
  };
  // Threads start now: nobody may not read the program.
  const first = node.runPod('first', { claim: 'first' });
  fs.writeFileSync(`${first.path}/file`, '1');
  await backup(first);
  return { velero, node, backup, restore };
})();

async function sceneFor(t: Test) {
  const { node, ...rest } = await opened;
  const own = t.name.replaceAll(/[^a-z]+/g, '-');
  const runPod = (name: string): Pod => {
    const pod = node.runPod(`${name}-${own}`, { claim: `${name}-${own}` });
    fs.mkdirSync(`${pod.path}/lost+found`);
    return pod;
  };
  return { ...rest, runPod, own };
}

/** Root reads everything, so root becomes somebody else meanwhile, in all threads. */
async function asNobody<Value>(root: string, work: () => Promise<Value>): Promise<Value> {
  if (process.getuid?.() !== 0) return work();
  execFileSync('chown', ['-R', `${NOBODY}`, root]);
  using _nobody = becomeNobody();
  return await work();
}

/** Takes all rights to a path away; given back when the test is over. */
function lock(t: Test, path: string): void {
  const { mode } = fs.statSync(path);
  fs.chmodSync(path, 0);
  t.teardown(() => fs.chmodSync(path, mode));
}

t.test('a volume whose root cannot be listed has failed', async t => {
  const { velero, runPod, backup } = await sceneFor(t);
  const pod = runPod('web');
  lock(t, pod.path);
  const failing = asNobody(velero.root, () => backup(pod));
  await t.rejects(failing, { code: 'SOURCE_UNREADABLE', message: /EACCES/ });
});

t.test('directories that cannot be listed are counted and named before files', async t => {
  const { velero, runPod, backup } = await sceneFor(t);
  const pod = runPod('web');
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
    fs.writeFileSync(`${pod.path}/${name}`, name);
    if (name !== 'a') lock(t, `${pod.path}/${name}`);
  }
  for (const name of ['y', 'z']) {
    fs.mkdirSync(`${pod.path}/${name}/within`, { recursive: true });
    lock(t, `${pod.path}/${name}`);
  }
  const result = await asNobody(velero.root, () => backup(pod));
  t.match(result, { skippedCount: 7, skippedDirectoryCount: 2, totalBytes: 1 });
  t.equal(
    backupMessage(result),
    '2 whole directories were not backed up, and 5 files were not: ' +
      'y/: EACCES; z/: EACCES; b: EACCES; c: EACCES; d: EACCES, and 2 more',
  );
});

t.test('a volume of which no file can be read has failed, and there is no snapshot', async t => {
  const { velero, runPod, backup, own } = await sceneFor(t);
  const pod = runPod('web');
  fs.mkdirSync(`${pod.path}/database/within`, { recursive: true });
  lock(t, `${pod.path}/database`);
  const failing = asNobody(velero.root, () => backup(pod));
  const message = /cannot read the volume .*: what is in it .*: database\/: EACCES; check/;
  await t.rejects(failing, { code: 'SOURCE_UNREADABLE', message });
  await using lease = await velero.repositories.acquire(NAME, 'read');
  const filter = { tags: { pvc: `web-${own}` }, includeIncomplete: true };
  t.strictSame(await listSnapshots(lease.thing, filter), []);
});

t.test('a volume that has directories alone is no unreadable one', async t => {
  const { velero, runPod, backup } = await sceneFor(t);
  const pod = runPod('web');
  const result = await asNobody(velero.root, () => backup(pod));
  t.match(result, { skippedCount: 0, skippedDirectoryCount: 0, isEmpty: false });
});

t.test('what is missing after a restore is told apart from what differs', async t => {
  const { runPod, backup, restore } = await sceneFor(t);
  const pod = runPod('web');
  for (const name of ['a', 'b', 'c']) fs.writeFileSync(`${pod.path}/${name}`, name);
  const { snapshotId } = await backup(pod);
  const target = runPod('restored');
  fs.mkdirSync(`${target.path}/b/in the way`, { recursive: true });
  const result = await restore(target, snapshotId);
  t.match(result, { missingCount: 1, differenceCount: 0, differences: [] });
  t.match(restoreMessage(result), /^one entry is missing: b: TARGET_NOT_EMPTY: a directory is/);
  t.ok(fs.existsSync(`${target.path}/.velero/${DONE}`));
});

t.test('a restore that puts nothing back has failed, and the pod is not told', async t => {
  const { runPod, backup, restore } = await sceneFor(t);
  const names = ['a', 'b', 'c'];
  for (const kind of ['files', 'links']) {
    const pod = runPod(kind);
    const target = runPod(`${kind}-restored`);
    for (const name of names) {
      if (kind === 'files') fs.writeFileSync(`${pod.path}/${name}`, name);
      else fs.symlinkSync('nowhere', `${pod.path}/${name}`);
      fs.mkdirSync(`${target.path}/${name}`);
    }
    const { snapshotId } = await backup(pod);
    const failing = restore(target, snapshotId);
    await t.rejects(failing, { code: 'TARGET_ENTRY_FAILED', message: /cannot restore anything/ });
    t.notOk(fs.existsSync(`${target.path}/.velero`), kind);
    // What is in the way goes, and the restore is run again.
    for (const name of names) fs.rmdirSync(`${target.path}/${name}`);
    t.match(await restore(target, snapshotId), { missingCount: 0 });
    fs.rmSync(`${target.path}/.velero/${DONE}`);
    t.match(await restore(target, snapshotId), { missingCount: 0 }, 'all of it is there already');
    t.ok(fs.existsSync(`${target.path}/.velero/${DONE}`));
  }
});

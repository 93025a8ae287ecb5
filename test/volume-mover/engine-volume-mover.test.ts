import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import t, { type Test } from 'tap';
import { isEngineError } from '#engine/base/errors.ts';
import {
  backup as backupTree,
  listSnapshots,
  type Repository,
  resolveSnapshot,
} from '#engine/index.ts';
import type { MoveProgress } from '#agent/moves/volume-mover.ts';
import { moverFor, NodeScene } from '#test/support/node-scene.ts';
import { NAME, VeleroScene } from '#test/support/velero-scene.ts';

type Pod = ReturnType<NodeScene['runPod']>;

const { signal } = new AbortController();
const DONE = '77777777-0000-4000-8000-000000000001';

const opened = (async () => {
  const root = t.testdir({ bucket: {} });
  const velero = await VeleroScene.make(`${root}/bucket`);
  t.teardown(() => velero[Symbol.asyncDispose]());
  return { velero, node: new NodeScene(root, velero.kube) };
})();

/** One repository for all tests; each has pods and claims of its own. */
async function sceneFor(t: Test) {
  const { velero, node: allPods } = await opened;
  const own = t.name.replaceAll(/[^a-z]+/g, '-');
  const node = {
    runPod: (name: string, { claim = 'web-data', podNamespace = 'shop' } = {}) =>
      allPods.runPod(`${name}-${own}`, { claim: `${claim}-${own}`, podNamespace }),
  };
  const mover = moverFor(velero, allPods);
  let moves = 0;
  const backup = (pod: Pod, onProgress?: (progress: MoveProgress) => void) => {
    const order = { repository: NAME, volume: pod.volume, moveUid: `move-${++moves}` };
    return mover.backup(order, { signal, onProgress });
  };
  const restore = (pod: Pod, snapshotId: string, onProgress?: (progress: MoveProgress) => void) => {
    const order = {
      repository: NAME,
      volume: pod.volume,
      moveUid: 'r',
      doneFile: DONE,
      snapshotId,
    };
    return mover.restore(order, { signal, onProgress });
  };
  return { velero, node, mover, own, backup, restore };
}

t.test('a volume comes back in another pod, and the pod is told', async t => {
  const { node, backup, restore, mover, velero } = await sceneFor(t);
  const pod = node.runPod('web');
  fs.mkdirSync(`${pod.path}/sub`);
  fs.writeFileSync(`${pod.path}/sub/file`, 'content');
  fs.writeFileSync(`${pod.path}/.kopiaignore`, '*.log\n');
  fs.writeFileSync(`${pod.path}/a.log`, 'log');
  fs.linkSync(`${pod.path}/a.log`, `${pod.path}/b`);
  fs.symlinkSync('/etc', `${pod.path}/link`);
  fs.mkdirSync(`${pod.path}/.velero`);
  fs.writeFileSync(`${pod.path}/.velero/an-old-restore`, '');
  fs.chmodSync(`${pod.path}/sub`, 0o2751);
  const seen: MoveProgress[] = [];
  const result = await backup(pod, progress => seen.push(progress));
  // Of the file with two names three bytes are read, once.
  t.match(result, { totalBytes: 19, incrementalBytes: 16, isEmpty: false, skippedCount: 0 });
  t.strictSame(seen.at(-1), { totalBytes: 19, bytesDone: 19 });
  const lease = await velero.repositories.acquire(NAME, 'read');
  const manifest = await resolveSnapshot(lease.thing, result.snapshotId);
  await lease[Symbol.asyncDispose]();
  t.match(manifest, {
    source: { userName: 'default', host: 'default' },
    rootEntry: { name: /^move-/, type: 'd' },
    pins: ['velero-pin'],
    description: 'Kopia Uploader',
  });
  const target = node.runPod('restored', { claim: 'other', podNamespace: 'shop2' });
  fs.writeFileSync(`${target.path}/extra`, 'stays');
  fs.mkdirSync(`${target.path}/.velero`);
  fs.symlinkSync('/etc/passwd', `${target.path}/.velero/${DONE}`);
  const restored = await restore(target, result.snapshotId, progress => seen.push(progress));
  t.match(restored, { totalBytes: 19, differenceCount: 0, differences: [] });
  t.strictSame(seen.at(-1), { totalBytes: 19, bytesDone: 19 });
  t.ok(fs.lstatSync(`${target.path}/.velero/${DONE}`).isFile());
  const tidying = { volume: target.volume, doneFile: DONE };
  await mover.tidy(tidying, signal);
  fs.rmSync(`${target.path}/extra`);
  fs.rmSync(`${pod.path}/.velero`, { recursive: true });
  execFileSync('diff', ['-r', '--no-dereference', pod.path, target.path]);
  const [a, b] = ['a.log', 'b'].map(name => fs.statSync(`${target.path}/${name}`).ino);
  t.equal(a, b, 'hard links, too');
  t.equal(fs.statSync(`${target.path}/sub`).mode & 0o7777, 0o2751);
});

t.test('only what has changed is read, though the pod is another one', async t => {
  const { node, backup, velero, own } = await sceneFor(t);
  const pod = node.runPod('web-1');
  fs.writeFileSync(`${pod.path}/large`, Buffer.alloc(300_000, 'x'));
  fs.writeFileSync(`${pod.path}/small`, '1');
  t.match(await backup(pod), { totalBytes: 300_001, incrementalBytes: 300_001 });
  // What was written within the last tick of the file system's clock is read once more.
  for (let again = 0; again < 10; again++) {
    if ((await backup(pod)).incrementalBytes === 0) break;
  }
  // The same file system in the next pod.
  const next = node.runPod('web-2');
  fs.rmdirSync(next.path);
  fs.renameSync(pod.path, next.path);
  fs.writeFileSync(`${next.path}/small`, '22');
  const seen: MoveProgress[] = [];
  const second = await backup(next, progress => seen.push(progress));
  t.match(second, { totalBytes: 300_002, incrementalBytes: 2 });
  t.strictSame(seen.at(-1), { totalBytes: 300_002, bytesDone: 300_002 });
  t.ok(seen.every(({ totalBytes, bytesDone }) => bytesDone <= totalBytes || totalBytes === 0));
  await using lease = await velero.repositories.acquire(NAME, 'read');
  const tags = { pvc: `web-data-${own}` };
  const paths = (await listSnapshots(lease.thing, { tags })).map(({ source }) => source.path);
  const path = (name: string) => `snapshot-pod-volume/kopia/shop/${name}-${own}/web-data-${own}`;
  const named = [...new Set(paths)];
  t.strictSame(named, [path('web-1'), path('web-2')], 'each has the name that stock gives it');
});

t.test('what a stock agent of 1.16 has backed up is the parent of its claim', async t => {
  const { node, backup, velero, own } = await sceneFor(t);
  const pod = node.runPod('web-1');
  fs.writeFileSync(`${pod.path}/file`, Buffer.alloc(300_000, 'x'));
  const request = {
    path: pod.path,
    source: { user: 'default', host: 'default', path: `/host_pods/${own}/volumes/data/mount` },
    description: 'Kopia Uploader',
    pins: ['velero-pin'],
    // Velero v1.16.2 pkg/podvolume/backupper.go newPodVolumeBackup.
    tags: {
      'snapshot-requester': 'pod-volume-backup-restore',
      'snapshot-uploader': 'kopia',
      backup: 'daily-1',
      'backup-uid': 'b',
      pod: `web-1-${own}`,
      'pod-uid': pod.volume.podUid,
      ns: 'shop',
      volume: 'data',
      'pvc-uid': pod.claim.uid,
    },
  };
  // What was written within the last tick of the file system's clock is read once more.
  const lease = await velero.repositories.acquire(NAME, 'write');
  for (let again = 0; again < 10; again++) {
    if ((await backupTree(lease.thing, request)).bytesRead === 0) break;
  }
  await lease[Symbol.asyncDispose]();
  t.match(await backup(pod), { totalBytes: 300_000, incrementalBytes: 0 });
});

t.test('an empty volume is a snapshot as well, and says that it is', async t => {
  const { node, backup, restore } = await sceneFor(t);
  const pod = node.runPod('web');
  fs.chmodSync(pod.path, 0o750);
  const result = await backup(pod);
  t.match(result, { isEmpty: true, totalBytes: 0 });
  const target = node.runPod('restored', { claim: 'other' });
  await restore(target, result.snapshotId);
  t.equal(fs.statSync(target.path).mode & 0o777, 0o750);
});

t.test('a restore that is repeated writes what differs, even under the same time', async t => {
  const { node, backup, restore } = await sceneFor(t);
  const pod = node.runPod('web');
  fs.writeFileSync(`${pod.path}/file`, 'right');
  const { snapshotId } = await backup(pod);
  const target = node.runPod('restored', { claim: 'other' });
  await restore(target, snapshotId);
  fs.rmSync(`${target.path}/.velero`, { recursive: true });
  const { mtime } = fs.statSync(`${target.path}/file`);
  fs.writeFileSync(`${target.path}/file`, 'wrong');
  fs.utimesSync(`${target.path}/file`, mtime, mtime);
  t.match(await restore(target, snapshotId), { differenceCount: 0 });
  t.equal(fs.readFileSync(`${target.path}/file`, 'utf8'), 'right');
});

t.test('what an app has changed after its restore stays, when that is asked for again', async t => {
  const { node, backup, restore } = await sceneFor(t);
  const pod = node.runPod('web');
  fs.writeFileSync(`${pod.path}/file`, 'of the backup');
  const { snapshotId } = await backup(pod);
  const target = node.runPod('restored', { claim: 'other' });
  t.notOk((await restore(target, snapshotId)).wasDone);
  fs.writeFileSync(`${target.path}/file`, 'of the app');
  t.match(await restore(target, snapshotId), { wasDone: true });
  t.equal(fs.readFileSync(`${target.path}/file`, 'utf8'), 'of the app');
  t.ok(fs.existsSync(`${target.path}/.velero/${DONE}`));
});

t.test('a failed restore writes no done file', async t => {
  const { node, backup, restore, mover } = await sceneFor(t);
  const pod = node.runPod('web');
  fs.writeFileSync(`${pod.path}/file`, 'right');
  const { snapshotId } = await backup(pod);
  const target = node.runPod('restored', { claim: 'other' });
  for (const id of ['latest', snapshotId.slice(0, 31), `${snapshotId}:/x`, 'f'.repeat(32), '']) {
    await t.rejects(restore(target, id), { code: 'SNAPSHOT_NOT_FOUND' });
  }
  const order = {
    repository: NAME,
    volume: target.volume,
    moveUid: 'r',
    doneFile: DONE,
    snapshotId,
  };
  const aborted = mover.restore(order, { signal: AbortSignal.abort() });
  await t.rejects(aborted, { code: 'ABORTED' });
  const lost = { ...target, volume: { ...target.volume, podUid: 'another' } };
  await t.rejects(restore(lost, snapshotId), { code: 'POD_NOT_FOUND' });
  t.strictSame(fs.readdirSync(target.path), []);
});

t.test('a cancelled backup publishes nothing, and the next one is whole', async t => {
  const { node, mover, backup, velero, own } = await sceneFor(t);
  const pod = node.runPod('web');
  for (let index = 0; index < 50; index++) {
    fs.writeFileSync(`${pod.path}/f${index}`, Buffer.alloc(100_000, index));
  }
  const abort = new AbortController();
  const order = { repository: NAME, volume: pod.volume, moveUid: 'move' };
  const options = { signal: abort.signal, onProgress: () => abort.abort() };
  const [outcome] = await Promise.allSettled([mover.backup(order, options)]);
  // A fast machine may be done before it is first told.
  if (outcome.status === 'rejected') t.ok(isEngineError(outcome.reason, 'ABORTED'));
  const { snapshotId } = await backup(pod);
  await using lease = await velero.repositories.acquire(NAME, 'read');
  const complete = await listSnapshots(lease.thing, { tags: { pvc: `web-data-${own}` } });
  t.equal(complete.at(-1)?.id, snapshotId);
  t.equal(complete.length, outcome.status === 'rejected' ? 1 : 2);
});

/** One that is there. */
async function snapshotOf(t: Test): Promise<string> {
  const { node, backup } = await sceneFor(t);
  const pod = node.runPod('another', { claim: 'another' });
  return (await backup(pod)).snapshotId;
}

t.test('a volume that is unmounted in the middle is no empty one', async t => {
  const { node, velero, own } = await sceneFor(t);
  const pod = node.runPod('web');
  fs.writeFileSync(`${pod.path}/file`, 'x');
  const { node: allPods } = await opened;
  const { repositories } = velero;
  let swaps = 0;
  // What is at the path is another directory from when the repository is there.
  const acquire: typeof repositories.acquire = async (...words) => {
    const lease = await repositories.acquire(...words);
    fs.renameSync(pod.path, `${pod.path}-before-${++swaps}`);
    fs.mkdirSync(pod.path);
    return lease;
  };
  const mover = moverFor(velero, allPods, { repositories: { acquire } });
  const order = { repository: NAME, volume: pod.volume, moveUid: 'm' };
  const gone = { code: 'VOLUME_NOT_MOUNTED', message: /unmounted while it was in use/ };
  await t.rejects(mover.backup(order, { signal }), gone);
  const restoring = { ...order, doneFile: DONE, snapshotId: await snapshotOf(t) };
  await t.rejects(mover.restore(restoring, { signal }), gone);
  t.notOk(fs.existsSync(`${pod.path}/.velero`));
  await using lease = await repositories.acquire(NAME, 'read');
  t.strictSame(await listSnapshots(lease.thing, { tags: { pvc: `web-data-${own}` } }), []);
});

t.test('many volumes are looked at in the same instant', async t => {
  const { node, mover, backup } = await sceneFor(t);
  const pods = Array.from({ length: 8 }, (_, index) =>
    node.runPod(`web-${index}`, { claim: `claim-${index}` }),
  );
  for (const { path } of pods) fs.writeFileSync(`${path}/file`, 'x');
  const moved = await Promise.all(pods.slice(0, 4).map(pod => backup(pod)));
  t.strictSame(
    moved.map(({ totalBytes }) => totalBytes),
    [1, 1, 1, 1],
  );
  const told = pods.map(({ volume }) => mover.tellAgain({ volume, doneFile: DONE }, signal));
  t.ok((await Promise.all(told)).every(wasGone => wasGone));
  t.ok(pods.every(({ path }) => fs.existsSync(`${path}/.velero/${DONE}`)));
});

t.test('one file that cannot be read is named, and the rest is stored', async t => {
  const { node, backup } = await sceneFor(t);
  const pod = node.runPod('web');
  fs.writeFileSync(`${pod.path}/good`, 'x');
  fs.writeFileSync(`${pod.path}/bad`, '');
  try {
    // Root reads everything but this: the first page of its own memory, which is not mapped.
    execFileSync('mount', ['--bind', `/proc/${process.pid}/mem`, `${pod.path}/bad`]);
  } catch {
    t.comment('skipped: mounting needs root');
    return;
  }
  t.teardown(() => execFileSync('umount', [`${pod.path}/bad`]));
  const result = await backup(pod);
  t.match(result, { skippedCount: 1, skipped: ['bad: EIO'], totalBytes: 1, isEmpty: false });
});

t.test('states that nobody has gone on from for a week are removed after any backup', async t => {
  const { node, mover, velero, own } = await sceneFor(t);
  const lease = await velero.repositories.acquire(NAME, 'write');
  const { manifests } = lease.thing;
  const put = (age: number, more: object, requester = 'snapshot-pod-volume'): string => {
    const tags = { 'snapshot-requester': requester, pvc: own };
    const time = new Date(Date.now() - age * 24 * 3600 * 1000).toISOString();
    const source = { host: 'default', userName: 'default', path: `gone/${own}` };
    const document = {
      source,
      startTime: time,
      endTime: time,
      incomplete: 'canceled',
      tags,
      ...more,
    };
    const labels = { hostname: 'default', username: 'default', path: source.path, ...tags };
    return manifests.put({ type: 'snapshot', ...labels }, JSON.stringify(document));
  };
  put(8, {});
  put(8, {}, 'snapshot-data-upload-download');
  const kept = [put(6, {}), put(8, { pins: ['velero-pin'] }), put(8, { incomplete: '' })];
  await lease.thing.flush();
  await lease[Symbol.asyncDispose]();
  const { volume } = node.runPod('web');
  await mover.backup({ repository: NAME, volume, moveUid: own }, { signal });
  await using after = await velero.repositories.acquire(NAME, 'read');
  const filter = { tags: { pvc: own }, includeIncomplete: true };
  const ids = (await listSnapshots(after.thing, filter)).map(({ id }) => id);
  t.strictSame(ids.toSorted(), kept.toSorted());
  t.strictSame(velero.warnings, []);
});

t.test('no move gets a repository that another one has broken', async t => {
  const { node, mover: sound, velero, own, backup } = await sceneFor(t);
  const { node: allPods } = await opened;
  const { path, volume, claim } = node.runPod('web');
  fs.writeFileSync(`${path}/file`, 'x');
  const order = { repository: NAME, volume, claim, moveUid: own };
  const away = `${velero.directory}.away`;
  let onAcquired: (repository: Repository) => Promise<unknown> = () => Promise.resolve();
  // The storage is away from when the repository is there.
  const acquire: typeof velero.repositories.acquire = async (...words) => {
    const lease = await velero.repositories.acquire(...words);
    await listSnapshots(lease.thing);
    fs.renameSync(velero.directory, away);
    fs.writeFileSync(velero.directory, 'no directory');
    await onAcquired(lease.thing);
    return lease;
  };
  const mover = moverFor(velero, allPods, { repositories: { acquire } });
  const broken = async (work: () => Promise<void>) => {
    await work();
    fs.rmSync(velero.directory);
    fs.renameSync(away, velero.directory);
    t.match(await backup(node.runPod('next')), { isEmpty: true });
  };
  await sound.backup(order, { signal });
  await broken(async () => {
    const before = velero.warnings.length;
    const end = { reportedId: undefined, isGivenUp: false };
    await mover.forgetUnreported(order, end, signal);
    t.equal(velero.warnings.length, before + 1, 'what could not be forgotten');
  });
  velero.warnings.length = 0;
  const abort = new AbortController();
  onAcquired = async repository => {
    repository.manifests.put({ type: 'other' }, '{}');
    await t.rejects(repository.flush());
    abort.abort();
  };
  await broken(async () => {
    await t.rejects(mover.backup(order, { signal: abort.signal }), { code: 'ABORTED' });
  });
});

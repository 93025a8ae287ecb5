// A volume that stops answering in the middle of a move holds threads in the kernel, and nobody can
// take them back. The move ends all the same, and others go on.

import fs from 'node:fs';
import t, { type Test } from 'tap';
import { setImmediate as turn } from 'node:timers/promises';
import { CLOSE_MS_MAX } from '#agent/repositories/lease-table.ts';
import { STOP_MS_MAX } from '#agent/volume-mover/stops-within.ts';
import { type Clock, systemClock } from '#engine/base/clock.ts';
import { HungFileSystem } from '#test/support/hung-file-system.ts';
import { moverFor, NodeScene } from '#test/support/node-scene.ts';
import { NAME, VeleroScene } from '#test/support/velero-scene.ts';

/** The two waits that are looked at here end at once; all others take their time. */
const clock: Clock = {
  ...systemClock,
  sleep: async (ms, signal) => {
    if (ms === STOP_MS_MAX || ms === CLOSE_MS_MAX) await turn();
    else await systemClock.sleep(ms, signal);
  },
};

async function sceneFor(t: Test) {
  const root = t.testdir({ bucket: {} });
  const shares = { repositoriesMax: 1, threads: 1, memoryBytes: 256 * 2 ** 20 };
  const velero = await VeleroScene.make(`${root}/bucket`, { clock, shares });
  t.teardown(() => velero[Symbol.asyncDispose]());
  const node = new NodeScene(root, velero.kube);
  const mover = moverFor(velero, node, { clock });
  const backup = (pod: ReturnType<NodeScene['runPod']>, signal?: AbortSignal) => {
    const order = { repository: NAME, volume: pod.volume, moveUid: pod.volume.podUid };
    return mover.backup(order, { signal: signal ?? new AbortController().signal });
  };
  return { velero, node, backup };
}

t.test('a move whose volume hangs ends when it is told to, and others get its place', async t => {
  const { velero, node, backup } = await sceneFor(t);
  const pod = node.runPod('web');
  fs.writeFileSync(`${pod.path}/file`, '1');
  fs.mkdirSync(`${pod.path}/remote`);
  using hung = HungFileSystem.mount(`${pod.path}/remote`);
  if (hung === undefined) {
    t.comment('skipped: FUSE needs root');
    return;
  }
  const abort = new AbortController();
  const hanging = backup(pod, abort.signal);
  await hung.reached;
  abort.abort();
  const unresponsive = { code: 'VOLUME_UNRESPONSIVE', message: /does not answer: 120 s after/ };
  await t.rejects(hanging, unresponsive);
  const other = node.runPod('other', { claim: 'other' });
  fs.writeFileSync(`${other.path}/file`, '22');
  t.match(await backup(other), { totalBytes: 2, skippedCount: 0 });
  t.equal(velero.repositories.leftBehindCount, 1);
  hung[Symbol.dispose]();
  while (velero.repositories.leftBehindCount > 0) await turn();
  t.match(await backup(pod), { totalBytes: 1, skippedCount: 0 });
});

t.test('a move whose repository was closed because of another begins again', async t => {
  const { velero, node } = await sceneFor(t);
  const { repositories } = velero;
  let leases = 0;
  const acquire: typeof repositories.acquire = async (...words) => {
    const lease = await repositories.acquire(...words);
    if (++leases > 1) return lease;
    await lease.thing.close();
    return { ...lease, isLost: true };
  };
  const mover = moverFor(velero, node, { clock, repositories: { acquire } });
  const pod = node.runPod('web');
  fs.writeFileSync(`${pod.path}/file`, '22');
  const order = { repository: NAME, volume: pod.volume, moveUid: 'move' };
  const { signal } = new AbortController();
  t.match(await mover.backup(order, { signal }), { totalBytes: 2, skippedCount: 0 });
  t.equal(leases, 2);
});

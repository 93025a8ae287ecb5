// A backup of a volume that is stopped in the middle, and the next one of the same claim, from a
// pod of another name: what was read is not read again, and nothing of the state is left.

import fs from 'node:fs';
import t from 'tap';
import { systemClock } from '#engine/base/clock.ts';
import { isEngineError } from '#engine/base/errors.ts';
import { listSnapshots } from '#engine/index.ts';
import { moverFor, NodeScene } from '#test/support/node-scene.ts';
import { SeededRandom } from '#test/support/random.ts';
import { NAME, VeleroScene } from '#test/support/velero-scene.ts';

const MIB = 2 ** 20;
const FILES = 160;

t.test('the next backup of a claim goes on from one that was stopped', async t => {
  const root = t.testdir({ bucket: {} });
  // A state is saved only when the last one is some time ago.
  let aheadMs = 0;
  const monotonic = () => systemClock.monotonic() + aheadMs;
  const clock = { ...systemClock, monotonic };
  await using velero = await VeleroScene.make(`${root}/bucket`, { clock });
  const node = new NodeScene(root, velero.kube);
  const mover = moverFor(velero, node);
  const pod = node.runPod('web-1');
  const random = new SeededRandom(5);
  for (let index = 0; index < FILES; index++) {
    fs.mkdirSync(`${pod.path}/d${index % 10}`, { recursive: true });
    fs.writeFileSync(`${pod.path}/d${index % 10}/f${index}`, random.bytes(MIB));
  }
  const abort = new AbortController();
  const onProgress = ({ bytesDone }: { readonly bytesDone: number }) => {
    if (bytesDone < 8 * MIB) return;
    aheadMs = 60_000;
    abort.abort();
  };
  const order = { repository: NAME, volume: pod.volume, moveUid: 'm' };
  const [stopped] = await Promise.allSettled([
    mover.backup(order, { signal: abort.signal, onProgress }),
  ]);
  t.equal(stopped.status, 'rejected');
  t.ok(stopped.status === 'rejected' && isEngineError(stopped.reason, 'ABORTED'));
  const next = node.runPod('web-2');
  fs.rmdirSync(next.path);
  fs.renameSync(pod.path, next.path);
  const { signal } = new AbortController();
  const result = await mover.backup({ ...order, volume: next.volume, moveUid: 'n' }, { signal });
  t.equal(result.totalBytes, FILES * MIB);
  const read = result.incrementalBytes / MIB;
  t.ok(read > 0 && read < FILES, `${read} of ${FILES} MiB were read again`);
  await using lease = await velero.repositories.acquire(NAME, 'read');
  const left = await listSnapshots(lease.thing, { includeIncomplete: true });
  t.match(left, [{ id: result.snapshotId, incomplete: '' }], 'the state is gone');
  t.equal(left.length, 1);
});

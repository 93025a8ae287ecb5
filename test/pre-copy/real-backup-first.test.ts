// A copy ahead and the backup of the same volume, with a real mover and repository: the backup goes
// first, whatever the copy is at, and one snapshot is left.

import { writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { systemClock } from '#engine/base/clock.ts';
import { listSnapshots } from '#engine/index.ts';
import { Slots } from '#agent/moves/slots.ts';
import { PreCopying, type PreCopyReport } from '#agent/pre-copy/pre-copying.ts';
import type { WantedVolume } from '#agent/pre-copy/wanted-volume.ts';
import { yieldingMover } from '#agent/pre-copy/yielding-mover.ts';
import { moverFor, NodeScene } from '#test/support/node-scene.ts';
import { SeededRandom } from '#test/support/random.ts';
import { NAME, VeleroScene } from '#test/support/velero-scene.ts';

const FILES = 300;
const FILE_BYTES = 20_000;

async function sceneFor(t: Test) {
  const root = t.testdir({ bucket: {} });
  const velero = await VeleroScene.make(`${root}/bucket`);
  t.teardown(() => velero[Symbol.asyncDispose]());
  const node = new NodeScene(root, velero.kube);
  const pod = node.runPod('web');
  const random = new SeededRandom(13);
  for (let index = 0; index < FILES; index++) {
    writeFileSync(`${pod.path}/${index}`, random.bytes(FILE_BYTES));
  }
  return { velero, pod, mover: moverFor(velero, node) };
}

type Scene = Awaited<ReturnType<typeof sceneFor>>;

function start(t: Test, { mover, pod }: Pick<Scene, 'mover' | 'pod'>) {
  const { podUid, podNamespace: namespace, podName } = pod.volume;
  const reports: PreCopyReport[] = [];
  const reported = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const preCopying = new PreCopying({
    slots: new Slots(1),
    clock: systemClock,
    copier: {
      preCopy: (...args) => {
        begun.resolve();
        return mover.preCopy(...args);
      },
    },
    report: report => {
      reports.push(report);
      reported.resolve();
    },
  });
  t.teardown(() => preCopying.stop());
  const wanted: WantedVolume = {
    ...{ namespace, pod: podName, podUid, volumeName: 'data', claim: '' },
    ...{ location: NAME.backupStorageLocation, dueMs: 1, leftMs: 600_000 },
  };
  preCopying.want([wanted]);
  return { preCopying, reports, begun: begun.promise, reported: reported.promise };
}

async function reasonsIn(velero: VeleroScene): Promise<string[]> {
  await using lease = await velero.repositories.acquire(NAME, 'read');
  const snapshots = await listSnapshots(lease.thing, { includeIncomplete: true });
  return snapshots.map(({ incomplete }) => incomplete);
}

t.test('the backup of a volume ends its copy, and is whole', async t => {
  const scene = await sceneFor(t);
  const { preCopying, reports, begun } = start(t, scene);
  await begun;
  const order = { repository: NAME, volume: scene.pod.volume, moveUid: 'move' };
  const { signal } = new AbortController();
  const mover = yieldingMover(
    {
      ...{
        restore: () => Promise.reject(new Error('no')),
        forgetUnreported: async () => undefined,
      },
      backup: (...args) => {
        preCopying.want([]);
        return scene.mover.backup(...args);
      },
    },
    preCopying,
  );
  const result = await mover.backup(order, { signal });
  t.match(reports, [{ end: { kind: 'stopped', reason: 'backup' } }]);
  t.match(result, { totalBytes: FILES * FILE_BYTES, skippedCount: 0 });
  t.strictSame(await reasonsIn(scene.velero), [''], 'nothing of the copy is left');
  t.strictSame(scene.velero.warnings, []);
});

t.test('an agent that starts anew copies what has changed, and leaves one checkpoint', async t => {
  const scene = await sceneFor(t);
  const first = start(t, scene);
  await first.reported;
  await first.preCopying.stop();
  writeFileSync(`${scene.pod.path}/7`, new SeededRandom(14).bytes(FILE_BYTES));
  const next = start(t, scene);
  await next.reported;
  t.match(first.reports, [{ end: { kind: 'copied', result: { bytesRead: FILES * FILE_BYTES } } }]);
  t.match(next.reports, [{ end: { kind: 'copied' } }]);
  const [{ end }] = next.reports;
  const bytesRead = end.kind === 'copied' ? end.result.bytesRead : Number.NaN;
  // What was written within the last tick of the file system's clock is read once more.
  t.ok(bytesRead >= FILE_BYTES && bytesRead < (FILES * FILE_BYTES) / 2, `${bytesRead} read`);
  t.strictSame(await reasonsIn(scene.velero), ['checkpoint']);
});

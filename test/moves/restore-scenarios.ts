// A PodVolumeRestore from New to its end: it waits for its pod, and only the node of the pod acts.

import type { Pod } from '#agent/moves/objects/pod.ts';
import { systemClock } from '#engine/base/clock.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { ObjectKey } from '#kube/kube-object.ts';
import { keyOf } from '#kube/kube-object.ts';
import type { MoveScenario } from './move-stage.ts';
import { gate, ScriptedMover } from './scripted-mover.ts';
import { clientWithPods } from './client-with-pods.ts';
import { endedStatus, POD_UID, RESTORE_UID, stockMoverPod, waitingPod } from './velero-objects.ts';

const POD_KEY = 'shop/web';

/** Its helper has ended. */
function endedPod(exitCode: number): Pod {
  const pod = waitingPod();
  const status = { name: 'restore-wait', state: { terminated: { exitCode } } };
  return { ...pod, status: { ...pod.status, initContainerStatuses: [status] } };
}

function podsOf(pod: Pod | undefined): Map<ObjectKey, Pod> {
  return new Map(pod ? [[POD_KEY, pod]] : []);
}

export const RESTORE_SCENARIOS: readonly MoveScenario[] = [
  {
    title: 'a restore begins when its pod waits, and not before',
    play: async (t, stage) => {
      const pods = podsOf(waitingPod(false));
      const mover = new ScriptedMover();
      const agent = await stage.agent({ mover, pods });
      const made = await stage.restore();
      await stage.until(await stage.backup(), 'Completed');
      t.equal((await stage.read(made)).metadata.resourceVersion, made.metadata.resourceVersion);
      pods.set(POD_KEY, waitingPod());
      agent.look();
      const { status, spec } = await stage.until(made, 'Completed');
      const before = stage.hasEightPhases ? ['Accepted', 'Prepared'] : [];
      t.strictSame(stage.phasesOf(made), ['New', ...before, 'InProgress', 'Completed']);
      t.equal(status?.node, stage.hasEightPhases ? 'worker-1' : undefined);
      t.strictSame(status?.progress, { totalBytes: 5000, bytesDone: 5000 });
      t.strictSame(spec, made.spec, 'spec is as it was');
      t.strictSame(mover.restores, [
        {
          repository: { volumeNamespace: 'shop-before', backupStorageLocation: 'default' },
          volume: { podUid: POD_UID, podNamespace: 'shop', podName: 'web', volume: 'data' },
          snapshotId: '3f2a9c0d5be14d6f8a7b6c5d4e3f2a1b',
          doneFile: RESTORE_UID,
          moveUid: made.metadata.uid,
          parallelFiles: undefined,
        },
      ]);
    },
  },
  {
    title: 'a restore into a pod of another node, or into another pod of the name, is left alone',
    play: async (t, stage) => {
      const later = { ...waitingPod(), metadata: { ...waitingPod().metadata, uid: 'another' } };
      for (const pods of [podsOf(undefined), podsOf(later)]) {
        const agent = await stage.agent({ pods });
        const made = await stage.restore();
        await stage.until(await stage.backup(), 'Completed');
        t.equal((await stage.read(made)).metadata.resourceVersion, made.metadata.resourceVersion);
        await agent.kill();
      }
    },
  },
  {
    title: 'a helper that was killed has not seen its volumes: the restore is begun again',
    play: async (t, stage) => {
      const made = await stage.restore({ status: { phase: 'InProgress', node: 'worker-1' } });
      const pods = podsOf(endedPod(137));
      const mover = new ScriptedMover();
      const agent = await stage.agent({ mover, pods });
      await stage.until(await stage.backup(), 'Completed');
      t.equal((await stage.read(made)).status?.phase, 'InProgress');
      pods.set(POD_KEY, waitingPod());
      agent.look();
      await stage.until(made, 'Completed');
      t.equal(mover.restores.length, 1);
    },
  },
  {
    title: 'a helper that has ended well has seen its volumes: the restore is Completed',
    play: async (t, stage) => {
      const made = await stage.restore({ status: { phase: 'InProgress', node: 'worker-1' } });
      const mover = new ScriptedMover();
      await stage.agent({ mover, pods: podsOf(endedPod(0)) });
      await stage.until(made, 'Completed');
      t.equal(mover.restores.length, 0);
    },
  },
  {
    title: 'a helper that has ended well before, and waits after a reboot, is told, not restored',
    play: async (t, stage) => {
      const made = await stage.restore({ status: { phase: 'InProgress', node: 'worker-1' } });
      const state = { running: {} };
      const lastState = { terminated: { exitCode: 0 } };
      const status = { initContainerStatuses: [{ name: 'restore-wait', state, lastState }] };
      const mover = new ScriptedMover();
      await stage.agent({ mover, pods: podsOf({ ...waitingPod(), status }) });
      await stage.until(made, 'Completed');
      t.equal(mover.restores.length, 0);
    },
  },
  {
    title: 'a restore that was taken over stops when its pod turns out to have gone on',
    play: async (t, stage) => {
      const made = await stage.restore({ status: { phase: 'InProgress', node: 'worker-1' } });
      const pods = podsOf(waitingPod());
      const mover = new ScriptedMover(() => ({ until: gate().opened }));
      const agent = await stage.agent({ mover, pods });
      await mover.begun(1);
      pods.set(POD_KEY, endedPod(0));
      agent.look();
      await stage.until(made, 'Completed');
      t.equal(mover.abortCount, 1);
    },
  },
  {
    title: 'a restore whose done file is there already is Completed, and says so',
    play: async (t, stage) => {
      const progress = { totalBytes: 7000, bytesDone: 10 };
      const status = { phase: 'InProgress', node: 'worker-1', progress };
      const made = await stage.restore({ status });
      const mover = new ScriptedMover(() => ({ result: { totalBytes: 0, wasDone: true } }));
      await stage.agent({ mover, pods: podsOf(waitingPod()) });
      const done = await stage.until(made, 'Completed');
      t.match(done.status?.message, /^the volume was restored before/);
      t.strictSame(done.status?.progress, { totalBytes: 7000, bytesDone: 7000 });
    },
  },
  {
    title: 'a restore whose pod waits no longer leaves the queue for a slot',
    since: '1.17',
    play: async (t, stage) => {
      const hold = gate();
      const mover = new ScriptedMover(() => ({ until: hold.opened }));
      const pods = podsOf(waitingPod());
      const agent = await stage.agent({ mover, pods });
      const first = await stage.backup();
      await mover.begun(1);
      const restore = await stage.restore();
      await stage.until(restore, 'Prepared');
      while (agent.slots.waitingCount === 0) await systemClock.sleep(1);
      pods.set(POD_KEY, waitingPod(false));
      agent.look();
      hold.open();
      await stage.until(first, 'Completed');
      await stage.until(await stage.backup(), 'Completed');
      t.equal(mover.restores.length, 0);
      t.equal(agent.slots.usedCount + agent.slots.waitingCount, 0);
      pods.set(POD_KEY, waitingPod());
      agent.look();
      await stage.until(restore, 'Completed');
    },
  },
  {
    title: 'a restore with differences is Completed, names them, and warns',
    play: async (t, stage) => {
      const result = { differenceCount: 1, differences: ['a: owner is 0, not 5'] };
      const mover = new ScriptedMover(() => ({ result }));
      const agent = await stage.agent({ mover, pods: podsOf(waitingPod()) });
      const { status } = await stage.until(await stage.restore(), 'Completed');
      const message = 'restored with one difference: a: owner is 0, not 5';
      t.equal(status?.message, message);
      const warnings = await agent.reported('warning');
      t.match(warnings, [{ reason: 'CompletedWithDifferences', message }]);
    },
  },
  {
    title: 'a restore after which entries are missing is Completed, and warns',
    play: async (t, stage) => {
      const result = { missingCount: 1, missing: ['a: EACCES'] };
      const mover = new ScriptedMover(() => ({ result }));
      const agent = await stage.agent({ mover, pods: podsOf(waitingPod()) });
      const { status } = await stage.until(await stage.restore(), 'Completed');
      const message = 'one entry is missing: a: EACCES';
      t.equal(status?.message, message);
      const warnings = await agent.reported('warning');
      t.match(warnings, [{ reason: 'CompletedWithDifferences', message }]);
    },
  },
  {
    title: 'a restore that fails says why',
    play: async (t, stage) => {
      const error = new EngineError('TARGET_FULL', 'volume data: no space left');
      const mover = new ScriptedMover(() => ({ error }));
      await stage.agent({ mover, pods: podsOf(waitingPod()) });
      const { status } = await stage.until(await stage.restore(), 'Failed');
      t.equal(status?.message, 'volume data: no space left (TARGET_FULL)');
    },
  },
  {
    title: 'a restore that was accepted here and whose pod is gone is Failed',
    since: '1.17',
    play: async (t, stage) => {
      const status = { phase: 'Accepted', node: 'worker-1' };
      const made = await stage.restore({ status });
      await stage.agent();
      const failed = await stage.until(made, 'Failed');
      t.match(failed.status?.message, /^pod shop\/web \(6{8}.*\) is gone from this node$/);
    },
  },
  {
    title: 'a restore that was accepted and whose pod does not wait has until its deadline',
    since: '1.17',
    play: async (t, stage) => {
      const acceptedTimestamp = '2026-06-02T09:00:20Z';
      const made = await stage.restore({
        status: { phase: 'Accepted', node: 'worker-1', acceptedTimestamp },
      });
      const pods = podsOf(waitingPod(false));
      await stage.agent({ pods, prepareTimeoutMs: 1 });
      const { status } = await stage.until(made, 'Failed');
      t.equal(
        status?.message,
        'timeout on preparing PVR: a running init container restore-wait is missing',
      );
      t.ok(status?.completionTimestamp);
    },
  },
  {
    title: 'a restore that waits for its turn past its deadline has its turn all the same',
    since: '1.17',
    play: async (t, stage) => {
      const first = gate();
      const scripts = [{ until: first.opened }, {}];
      const mover = new ScriptedMover(() => scripts.shift() ?? {});
      const pods = podsOf(waitingPod());
      await stage.agent({ mover, pods, slotCount: 1, prepareTimeoutMs: 1, requeueMsMax: 5 });
      const running = await stage.restore();
      await mover.begun(1);
      // Hours before: its server has given up waiting, and its pod still waits.
      const acceptedTimestamp = '2026-06-02T09:00:20Z';
      const status = { phase: 'Accepted', node: 'worker-1', acceptedTimestamp };
      const late = await stage.restore({ status });
      await stage.until(late, 'Prepared');
      first.open();
      await stage.until(running, 'Completed');
      await stage.until(late, 'Completed');
      t.notOk(stage.phasesOf(late).includes('Failed'));
      t.equal(mover.restores.length, 2);
    },
  },
  {
    title: 'a restore past its deadline on another node is left to the agent there',
    since: '1.17',
    play: async (t, stage) => {
      const acceptedTimestamp = '2026-06-02T09:00:20Z';
      const status = { phase: 'Accepted', node: 'worker-2', acceptedTimestamp };
      const other = await stage.restore({ status });
      const pods = podsOf(waitingPod(false));
      await stage.agent({ nodeName: 'worker-3', prepareTimeoutMs: 1, requeueMsMax: 5 });
      await stage.agent({ nodeName: 'worker-2', pods, prepareTimeoutMs: 1, requeueMsMax: 5 });
      const { status: ended } = await stage.until(other, 'Failed', 'Canceled');
      t.equal(ended?.phase, 'Failed', 'and not Canceled');
      t.match(ended?.message, /^timeout on preparing PVR/);
      t.equal(stage.phasesOf(other).filter(phase => phase === 'Failed').length, 1);
    },
  },
  {
    title: 'a restore without an owner is refused: nobody would see its end',
    play: async (t, stage) => {
      await stage.agent({ pods: podsOf(waitingPod()) });
      const { status } = await stage.until(await stage.restore({ hasOwner: false }), 'Failed');
      t.match(status?.message, /no owner/);
    },
  },
  {
    title: 'a cancelled restore is Canceled above any server',
    since: '1.17',
    play: async (t, stage) => {
      const mover = new ScriptedMover(() => ({ until: gate().opened }));
      await stage.agent({ mover, pods: podsOf(waitingPod()), serverVersion: 'v1.17.0' });
      const made = await stage.restore();
      await mover.begun(1);
      await stage.until(made, 'InProgress');
      await stage.cancel(made);
      const { status } = await stage.until(made, 'Canceled', 'Failed');
      t.equal(status?.phase, 'Canceled');
      t.equal(mover.abortCount, 1);
    },
  },
  {
    title: 'a restore that is cancelled before it has begun here ends without a run',
    since: '1.17',
    play: async (t, stage) => {
      const phases = ['New', 'Accepted', 'Prepared', 'InProgress', 'Canceling'];
      const made = await Promise.all(
        phases.map(phase =>
          stage.restore({ spec: { cancel: true }, status: { phase, node: 'worker-1' } }),
        ),
      );
      const mover = new ScriptedMover();
      await stage.agent({ mover, pods: podsOf(waitingPod()) });
      for (const [index, one] of made.entries()) {
        await stage.until(one, 'Canceled');
        t.strictSame(stage.phasesOf(one), [phases[index], 'Canceled']);
      }
      t.strictSame(mover.restores, []);
    },
  },
  {
    title: 'a restore that completes although it was cancelled is Completed',
    since: '1.17',
    play: async (t, stage) => {
      const hold = gate();
      const mover = new ScriptedMover(() => ({ until: hold.opened, ignoresAbort: true }));
      await stage.agent({ mover, pods: podsOf(waitingPod()) });
      const made = await stage.restore();
      await mover.begun(1);
      await stage.until(made, 'InProgress');
      await stage.cancel(made);
      await stage.until(made, 'Canceling');
      hold.open();
      const { status } = await stage.until(made, 'Completed', 'Failed', 'Canceled');
      t.equal(status?.phase, 'Completed');
    },
  },
  {
    title: 'a restore of stock that failed while it was being cancelled is Failed',
    since: '1.17',
    play: async (t, stage) => {
      const status = { phase: 'Canceling', node: 'worker-1' };
      const made = await stage.restore({ spec: { cancel: true }, status });
      const { name, uid = '' } = made.metadata;
      const ended = endedStatus('Failed', 'the volume is full');
      const stockPod = stockMoverPod({ name, uid, kind: 'PodVolumeRestore' }, ended);
      const pods = podsOf(waitingPod()).set(keyOf(stockPod), stockPod);
      const client = clientWithPods(stage.client, pods);
      await stage.agent({ client, pods, requeueMsMax: 5 });
      const failed = await stage.until(made, 'Failed', 'Canceled');
      t.match(failed.status, { phase: 'Failed', message: 'the volume is full' });
    },
  },
  {
    title: 'a restore goes on although its pod goes, and ends as the mover says',
    play: async (t, stage) => {
      const hold = gate();
      const pods = podsOf(waitingPod());
      const mover = new ScriptedMover(() => ({ until: hold.opened }));
      const agent = await stage.agent({ mover, pods });
      const made = await stage.restore();
      await mover.begun(1);
      pods.clear();
      agent.look();
      hold.open();
      await stage.until(made, 'Completed');
      t.equal(mover.restores.length, 1);
    },
  },
  {
    title: 'an interrupted restore says that the volume is incomplete',
    play: async (t, stage) => {
      const mover = new ScriptedMover(() => ({ until: gate().opened }));
      const agent = await stage.agent({ mover, pods: podsOf(waitingPod()) });
      const made = await stage.restore();
      await mover.begun(1);
      await stage.until(made, 'InProgress');
      t.strictSame(await agent.stop({ graceMs: 1000 }), []);
      const { status } = await stage.read(made);
      t.match(status, { phase: 'Failed', message: /^interrupted: .* run the restore again$/ });
    },
  },
  {
    title: 'backups and restores share the slots',
    play: async (t, stage) => {
      const hold = gate();
      const mover = new ScriptedMover(() => ({ until: hold.opened }));
      await stage.agent({ mover, pods: podsOf(waitingPod()) });
      const backup = await stage.backup();
      await mover.begun(1);
      const restore = await stage.restore();
      if (stage.hasEightPhases) await stage.until(restore, 'Prepared');
      t.equal(mover.activeCount, 1);
      hold.open();
      await stage.until(backup, 'Completed');
      await stage.until(restore, 'Completed');
      t.equal(mover.activeCountMax, 1);
    },
  },
];

// Agents that end and agents that come: killed, told to stop, replaced by stock, replacing stock.

import type { Pod } from '#agent/moves/objects/pod.ts';
import type { ObjectKey } from '#kube/kube-object.ts';
import { keyOf } from '#kube/kube-object.ts';
import { POD_VOLUME_BACKUPS } from '#agent/moves/objects/pod-volume-backup.ts';
import { clientWithPods } from './client-with-pods.ts';
import type { MoveScenario, MoveStage } from './move-stage.ts';
import { gate, ScriptedMover } from './scripted-mover.ts';
import { endedStatus, stockMoverPod } from './velero-objects.ts';
import type { BackupOptions } from './velero-objects.ts';

const FINALIZERS = ['velero.io/pod-volume-finalizer'];
const LABELS = { 'velero.io/expose-on-going': 'true' };
const RUNNING = { phase: 'Running' };

/** An endless backup that has begun. */
async function begun(stage: MoveStage) {
  const mover = new ScriptedMover(() => ({ until: gate().opened }));
  const agent = await stage.agent({ mover });
  const made = await stage.backup();
  await mover.begun(1);
  await stage.until(made, 'InProgress');
  return { mover, agent, made };
}

/** A backup that a stock agent has brought to `phase`, with its mover pod in that state. */
async function fromStock(
  stage: MoveStage,
  { status, podStatus }: { status: BackupOptions['status']; podStatus: Pod['status'] },
) {
  const made = await stage.backup({ finalizers: FINALIZERS, status });
  const { name, uid = '' } = made.metadata;
  const pod = stockMoverPod({ name, uid, kind: 'PodVolumeBackup' }, podStatus ?? {});
  const pods = new Map<ObjectKey, Pod>([[keyOf(pod), pod]]);
  return { made, pods };
}

export const RESTART_SCENARIOS: readonly MoveScenario[] = [
  {
    title: 'an agent that was killed is followed by one that goes on with the same move',
    play: async (t, stage) => {
      const { agent, made } = await begun(stage);
      await agent.kill();
      const mover = new ScriptedMover();
      const next = await stage.agent({ mover });
      await stage.until(made, 'Completed');
      t.equal(mover.backups[0]?.moveUid, made.metadata.uid);
      t.equal(stage.phasesOf(made).filter(phase => phase === 'InProgress').length, 1);
      t.match(next.reports, [{ type: 'run-started', isTakenOver: true }]);
    },
  },
  {
    title: 'the snapshot stays that the report of a killed run names, however late that comes',
    play: async (t, stage) => {
      const { agent, made } = await begun(stage);
      await agent.kill();
      const hold = gate();
      // It has published its snapshot already.
      const mover = new ScriptedMover(() => ({ until: hold.opened, ignoresAbort: true }));
      await stage.agent({ mover });
      await mover.begun(1);
      const { name, namespace } = made.metadata;
      const body = { status: { phase: 'Completed', snapshotID: 'of-the-first' } };
      await stage.client.patch(POD_VOLUME_BACKUPS, { name, namespace }, { type: 'merge', body });
      t.strictSame(mover.kept, [], 'until then nobody knows which it will be');
      hold.open();
      await mover.forgot(1);
      t.match(mover.kept, [{ moveUid: made.metadata.uid, reportedId: 'of-the-first' }]);
      t.match(await stage.read(made), { status: { snapshotID: 'of-the-first' } });
    },
  },
  {
    title:
      'what a run has published is looked for where its object may not name it, and only there',
    play: async (t, stage) => {
      const hold = gate();
      const error = new Error('read back: gone');
      const scripts = [{ until: hold.opened, ignoresAbort: true }, {}, { error }];
      const mover = new ScriptedMover(() => scripts.shift() ?? { error, publishes: true });
      await stage.agent({ mover });
      const gone = await stage.backup();
      await mover.begun(1);
      await stage.delete(gone);
      await stage.untilGone(gone);
      hold.open();
      await stage.until(await stage.backup(), 'Completed');
      await stage.until(await stage.backup(), 'Failed');
      const made = await stage.until(await stage.backup(), 'Failed');
      await mover.forgot(1);
      t.match(mover.kept, [{ moveUid: made.metadata.uid, reportedId: undefined }]);
    },
  },
  {
    title: 'an agent finds objects in each phase and brings them to their end',
    play: async (t, stage) => {
      const all = ['New', 'Accepted', 'Prepared', 'InProgress'];
      const phases = stage.hasEightPhases ? all : ['New', 'InProgress'];
      const made = await Promise.all(phases.map(phase => stage.backup({ status: { phase } })));
      const mover = new ScriptedMover();
      await stage.agent({ mover });
      for (const one of made) await stage.until(one, 'Completed');
      t.equal(mover.backups.length, phases.length);
    },
  },
  {
    title: 'an agent that is stopped lets a move end that ends in time',
    play: async (t, stage) => {
      const hold = gate();
      const mover = new ScriptedMover(() => ({ until: hold.opened }));
      const agent = await stage.agent({ mover });
      const made = await stage.backup();
      await mover.begun(1);
      const stopped = agent.stop({ graceMs: 20_000 });
      hold.open();
      t.strictSame(await stopped, []);
      t.equal((await stage.read(made)).status?.phase, 'Completed');
      t.equal(mover.abortCount, 0);
    },
  },
  {
    title: 'an agent that is stopped writes Failed where no agent of ours follows',
    play: async (t, stage) => {
      const { agent, mover, made } = await begun(stage);
      const waiting = await stage.backup();
      if (stage.hasEightPhases) await stage.until(waiting, 'Prepared');
      t.strictSame(await agent.stop({ graceMs: 1000 }), []);
      const { status } = await stage.read(made);
      t.equal(status?.phase, 'Failed');
      t.match(
        status?.message,
        /^interrupted: .* next backup .* continues from the last checkpoint/,
      );
      t.equal(mover.abortCount, 1);
      const other = await stage.read(waiting);
      t.equal(other.status?.phase ?? 'New', 'New', 'a stock agent begins with New');
      t.equal(other.status?.acceptedTimestamp, undefined);
    },
  },
  {
    title: 'a move that does not stop when it should is Failed all the same',
    play: async (t, stage) => {
      const mover = new ScriptedMover(() => ({ until: gate().opened, ignoresAbort: true }));
      const agent = await stage.agent({ mover });
      const made = await stage.backup();
      await mover.begun(1);
      await stage.until(made, 'InProgress');
      t.strictSame(await agent.stop({ graceMs: 1000 }), []);
      t.equal((await stage.read(made)).status?.phase, 'Failed');
    },
  },
  {
    title: 'an agent that another one of ours follows leaves its moves to it',
    play: async (t, stage) => {
      const { agent, mover, made } = await begun(stage);
      t.strictSame(await agent.stop({ graceMs: 1000, hasSuccessor: true }), []);
      t.equal(mover.abortCount, 1);
      t.equal((await stage.read(made)).status?.phase, 'InProgress');
      await stage.agent();
      await stage.until(made, 'Completed');
    },
  },
  {
    title: 'what a stock agent has prepared is begun anew, without its mover pod',
    since: '1.17',
    play: async (t, stage) => {
      for (const phase of ['Accepted', 'Prepared']) {
        const { made, pods } = await fromStock(stage, { status: { phase }, podStatus: RUNNING });
        const client = clientWithPods(stage.client, pods);
        const mover = new ScriptedMover();
        const agent = await stage.agent({ client, mover, pods, requeueMsMax: 5 });
        const { metadata } = await stage.until(made, 'Completed');
        await stage.backups.until(() =>
          stage.backups.get(keyOf(made))?.metadata.finalizers === undefined ? true : undefined,
        );
        t.equal(mover.backups.length, 1);
        t.equal(pods.size, 0);
        t.ok(agent.reports.some(({ type }) => type === 'stock-pod-deleted'));
        t.equal(metadata.labels?.['velero.io/expose-on-going'], undefined);
        await agent.kill();
      }
    },
  },
  {
    title: 'a mover pod of stock that runs is watched until it has completed',
    since: '1.17',
    play: async (t, stage) => {
      const status = { phase: 'InProgress', startTimestamp: '2026-06-01T02:00:12Z' };
      const { made, pods } = await fromStock(stage, { status, podStatus: RUNNING });
      const client = clientWithPods(stage.client, pods);
      const mover = new ScriptedMover();
      const agent = await stage.agent({ client, mover, pods, requeueMsMax: 5 });
      await stage.until(await stage.backup(), 'Completed');
      t.equal((await stage.read(made)).status?.phase, 'InProgress');
      const result = {
        snapshotID: '3f2a9c0d5be14d6f8a7b6c5d4e3f2a1b',
        emptySnapshot: false,
        source: { byPath: `/${made.metadata.uid}`, volumeMode: 'Filesystem' },
        totalBytes: 700,
        incrementalBytes: 7,
      };
      const { name, uid = '' } = made.metadata;
      const ended = endedStatus('Succeeded', JSON.stringify(result));
      const pod = stockMoverPod({ name, uid, kind: 'PodVolumeBackup' }, ended);
      pods.set(keyOf(pod), pod);
      agent.look();
      const completed = await stage.until(made, 'Completed');
      t.match(completed.status, {
        snapshotID: result.snapshotID,
        path: result.source.byPath,
        startTimestamp: status.startTimestamp,
        progress: { totalBytes: 700, bytesDone: 700 },
      });
      t.equal(mover.backups.length, 1, 'the other one');
    },
  },
  {
    title: 'a mover pod of stock that failed, or cancelled itself, is Failed with what it said',
    since: '1.17',
    play: async (t, stage) => {
      const messages = ['error to connect to repository', 'Failed: data path is canceled'];
      for (const message of messages) {
        const podStatus = endedStatus('Failed', message);
        const status = { phase: 'InProgress' };
        const { made, pods } = await fromStock(stage, { status, podStatus });
        const client = clientWithPods(stage.client, pods);
        const agent = await stage.agent({ client, pods, requeueMsMax: 5 });
        const failed = await stage.until(made, 'Failed', 'Canceled');
        t.match(failed.status, { phase: 'Failed', message });
        await agent.kill();
      }
    },
  },
  {
    title: 'finalizers of stock go from terminal objects, the expose label from what is begun',
    play: async (t, stage) => {
      const status = { phase: 'Completed', snapshotID: '1', message: 'as it was', progress: {} };
      const made = await stage.backup({ finalizers: [...FINALIZERS, 'example.com/mine'], status });
      const labelled = await stage.backup({ labels: LABELS });
      const agent = await stage.agent();
      await stage.backups.until(() =>
        stage.backups.get(keyOf(made))?.metadata.finalizers?.length === 1 ? true : undefined,
      );
      const now = await stage.read(made);
      t.strictSame(now.metadata.finalizers, ['example.com/mine']);
      t.strictSame(now.status, status);
      t.match(await agent.reported('finalizer-removed'), [
        { item: { metadata: { uid: now.metadata.uid } } },
      ]);
      const { metadata } = await stage.until(labelled, 'Completed');
      t.equal(metadata.labels?.['velero.io/expose-on-going'], undefined);
      t.equal(metadata.labels?.['velero.io/backup-name'], 'b');
    },
  },
];

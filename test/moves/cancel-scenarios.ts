// Cancelling and deleting moves in each phase, above servers that notice Canceled and that do not.

import { POD_VOLUME_BACKUPS } from '#agent/moves/objects/pod-volume-backup.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { PodVolumeBackup } from '#agent/moves/objects/pod-volume-backup.ts';
import type { MoveScenario, MoveStage } from './move-stage.ts';
import { gate, ScriptedMover } from './scripted-mover.ts';

const FINALIZERS = ['velero.io/pod-volume-finalizer'];
const RESTART =
  'PVB is in status "InProgress" during the velero server starting, mark it as cancel';

/** A backup that lasts until it is cancelled, and its mover. */
async function running(stage: MoveStage, serverVersion?: string, finalizers?: string[]) {
  const mover = new ScriptedMover(() => ({ until: gate().opened }));
  const agent = await stage.agent({ mover, serverVersion });
  const made = await stage.backup({ finalizers });
  await mover.begun(1);
  return { mover, agent, made: await stage.until(made, 'InProgress') };
}

/** As a server does that comes back: both in one write. */
async function cancelByRestart(stage: MoveStage, made: PodVolumeBackup): Promise<void> {
  const { namespace, name } = made.metadata;
  const body = { spec: { cancel: true }, status: { message: RESTART } };
  await stage.client.patch(POD_VOLUME_BACKUPS, { namespace, name }, { type: 'merge', body });
}

export const CANCEL_SCENARIOS: readonly MoveScenario[] = [
  {
    title: 'a cancel stops the run, and is Failed where the server would hang on Canceled',
    since: '1.17',
    play: async (t, stage) => {
      const { mover, agent, made } = await running(stage, 'v1.18.1');
      await stage.cancel(made);
      const { status, spec } = await stage.until(made, 'Failed');
      t.match(status?.message, /^cancelled, because spec.cancel was set; shown as Failed/);
      t.equal(mover.abortCount, 1);
      t.ok(stage.phasesOf(made).includes('Canceling'));
      t.notOk(stage.phasesOf(made).includes('Canceled'));
      t.strictSame(spec, { ...made.spec, cancel: true });
      t.equal(agent.slots.usedCount, 0);
      await mover.forgot(1);
      t.match(mover.kept, [{ isGivenUp: true }], 'nobody goes on from what it has saved');
    },
  },
  {
    title: 'a cancelled move whose volume does not answer is Failed, and says so',
    since: '1.17',
    play: async (t, stage) => {
      const error = new EngineError('VOLUME_UNRESPONSIVE', 'the volume does not answer');
      const mover = new ScriptedMover(() => ({ until: gate().opened, abortError: error }));
      const agent = await stage.agent({ mover, serverVersion: 'v1.18.3' });
      const made = await stage.backup();
      await mover.begun(1);
      await stage.until(made, 'InProgress');
      await stage.cancel(made);
      const { status } = await stage.until(made, 'Failed', 'Canceled');
      const message = 'the volume does not answer (VOLUME_UNRESPONSIVE)';
      t.match(status, { phase: 'Failed', message });
      t.equal(agent.slots.usedCount, 0);
    },
  },
  {
    title: 'a move that nobody runs any more leaves no state behind when it is cancelled',
    since: '1.17',
    play: async (t, stage) => {
      const before = await running(stage);
      await before.agent.kill();
      await stage.cancel(before.made);
      await stage.backup({ spec: { cancel: true }, status: { phase: 'New' } });
      const mover = new ScriptedMover();
      await stage.agent({ mover });
      await stage.until(before.made, 'Failed');
      await mover.forgot(1);
      const { uid = '' } = before.made.metadata;
      t.match(mover.kept, [{ moveUid: uid, isGivenUp: true, reportedId: undefined }]);
      t.equal(mover.backups.length, 0, 'it is not begun again');
    },
  },
  {
    title: 'what a killed run has saved is for the next backup when the server was restarted',
    since: '1.17',
    play: async (t, stage) => {
      const before = await running(stage);
      await before.agent.kill();
      await cancelByRestart(stage, before.made);
      const mover = new ScriptedMover();
      await stage.agent({ mover });
      await stage.until(before.made, 'Canceled');
      await mover.forgot(1);
      t.match(mover.kept, [{ isGivenUp: false }]);
    },
  },
  {
    title: 'a cancel is Canceled where the server counts it',
    since: '1.17',
    play: async (t, stage) => {
      const { made } = await running(stage, 'v1.18.3');
      await stage.cancel(made);
      const { status } = await stage.until(made, 'Canceled', 'Failed');
      t.equal(status?.phase, 'Canceled');
      t.equal(status?.message, 'cancelled, because spec.cancel was set');
      t.ok(status?.completionTimestamp);
    },
  },
  {
    title: 'a server is asked for its version when the answer decides something, and only then',
    since: '1.17',
    play: async (t, stage) => {
      const spec = { cancel: true };
      const ended = { phase: 'Completed', snapshotID: '1', progress: {} };
      await stage.backup({ spec, status: ended });
      await stage.backup({ spec, status: { phase: 'Canceled' }, node: 'worker-2' });
      await stage.backup({ spec, status: { phase: 'InProgress' }, node: 'worker-2' });
      const gone = await stage.backup({ node: 'worker-2', finalizers: FINALIZERS });
      await stage.delete(gone);
      const hold = gate();
      const mover = new ScriptedMover(() => ({ until: hold.opened, ignoresAbort: true }));
      const agent = await stage.agent({ mover });
      const made = await stage.backup();
      await mover.begun(1);
      await stage.cancel(made);
      await stage.until(made, 'Canceling');
      hold.open();
      await stage.until(made, 'Completed');
      agent.look();
      t.equal(agent.versionAskedCount, 0);
      await stage.until(await stage.backup({ spec }), 'Failed');
      t.equal(agent.versionAskedCount, 1);
    },
  },
  {
    title: 'a server that was restarted gets Canceled, and its message stays',
    since: '1.17',
    play: async (t, stage) => {
      const { mover, made } = await running(stage, 'v1.18.1');
      await cancelByRestart(stage, made);
      const { status } = await stage.until(made, 'Canceled', 'Failed');
      t.equal(status?.phase, 'Canceled');
      t.equal(status?.message, RESTART);
      const next = await stage.until(await stage.backup(), 'InProgress');
      await mover.begun(2);
      await stage.cancel(next);
      await mover.forgot(1);
      const given = mover.kept.map(({ moveUid }) => moveUid);
      t.strictSame(given, [next.metadata.uid], 'what the first has saved is for the next backup');
    },
  },
  {
    title: 'a cancel in New, Accepted, Prepared and InProgress ends it without a run',
    since: '1.17',
    play: async (t, stage) => {
      const phases = ['New', 'Accepted', 'Prepared', 'InProgress', 'Canceling'];
      const made = await Promise.all(
        phases.map(phase => stage.backup({ spec: { cancel: true }, status: { phase } })),
      );
      const mover = new ScriptedMover();
      await stage.agent({ mover });
      for (const [index, one] of made.entries()) {
        await stage.until(one, 'Failed');
        t.strictSame(stage.phasesOf(one), [phases[index], 'Failed']);
      }
      t.strictSame(mover.backups, []);
    },
  },
  {
    title: 'a cancel in any phase is Canceled where the server counts it',
    since: '1.17',
    play: async (t, stage) => {
      const phases = ['New', 'Accepted', 'Prepared', 'InProgress', 'Canceling'];
      const made = await Promise.all(
        phases.map(phase => stage.backup({ spec: { cancel: true }, status: { phase } })),
      );
      const mover = new ScriptedMover();
      await stage.agent({ mover, serverVersion: 'v1.18.3' });
      for (const [index, one] of made.entries()) {
        await stage.until(one, 'Canceled');
        t.strictSame(stage.phasesOf(one), [phases[index], 'Canceled']);
      }
      t.strictSame(mover.backups, []);
    },
  },
  {
    title: 'a cancel of one that waits for a slot leaves the others their turn',
    since: '1.17',
    play: async (t, stage) => {
      const hold = gate();
      const mover = new ScriptedMover(() => ({ until: hold.opened }));
      const agent = await stage.agent({ mover });
      const first = await stage.backup();
      await mover.begun(1);
      const second = await stage.until(await stage.backup(), 'Prepared');
      const third = await stage.until(await stage.backup(), 'Prepared');
      await stage.cancel(second);
      await stage.until(second, 'Failed');
      hold.open();
      await stage.until(first, 'Completed');
      await stage.until(third, 'Completed');
      t.strictSame(
        mover.backups.map(({ moveUid }) => moveUid),
        [first.metadata.uid, third.metadata.uid],
      );
      t.equal(agent.slots.usedCount + agent.slots.waitingCount, 0);
    },
  },
  {
    title: 'a run that completes although it was cancelled is Completed',
    since: '1.17',
    play: async (t, stage) => {
      const hold = gate();
      const mover = new ScriptedMover(() => ({ until: hold.opened, ignoresAbort: true }));
      await stage.agent({ mover });
      const made = await stage.backup();
      await mover.begun(1);
      await stage.until(made, 'InProgress');
      await stage.cancel(made);
      await stage.until(made, 'Canceling');
      hold.open();
      const { status } = await stage.until(made, 'Completed', 'Failed');
      t.equal(status?.phase, 'Completed');
      t.ok(status?.snapshotID);
    },
  },
  {
    title: 'deleting an object that a finalizer of stock holds ends its move and lets it go',
    play: async (t, stage) => {
      const { mover, made } = await running(stage, undefined, FINALIZERS);
      await stage.delete(made);
      await stage.untilGone(made);
      t.equal(mover.abortCount, 1);
      t.equal(stage.phasesOf(made).at(-1), 'Failed', 'the server sees an end before it is gone');
    },
  },
  {
    title: 'deleting an object that nothing holds ends its move',
    play: async (t, stage) => {
      const { mover, agent, made } = await running(stage);
      await stage.delete(made);
      await stage.untilGone(made);
      await stage.until(await stage.backup(), 'InProgress');
      t.equal(mover.abortCount, 1, 'its slot has gone to the next one');
      t.equal(agent.slots.usedCount, 1);
    },
  },
  {
    title: 'a new object of the same name is another move',
    play: async (t, stage) => {
      const { mover, made } = await running(stage);
      await stage.delete(made);
      const next = await stage.backup({ name: made.metadata.name });
      await mover.begun(2);
      t.equal(mover.backups[1]?.moveUid, next.metadata.uid);
      t.not(next.metadata.uid, made.metadata.uid);
    },
  },
  {
    title: 'a move that somebody else has ended is stopped, and its object left alone',
    play: async (t, stage) => {
      const { mover, agent, made } = await running(stage);
      const { namespace, name } = made.metadata;
      const body = { status: { phase: 'Failed', message: 'by hand' } };
      await stage.client.patch(POD_VOLUME_BACKUPS, { namespace, name }, { type: 'merge', body });
      const next = await stage.backup();
      await stage.until(next, 'InProgress');
      t.equal(mover.abortCount, 1);
      t.equal((await stage.read(made)).status?.message, 'by hand');
      t.equal(agent.slots.usedCount, 1);
    },
  },
];

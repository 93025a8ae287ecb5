// Moves above an API server that is away, loses answers, or serves others first.

import { POD_VOLUME_BACKUPS } from '#agent/moves/objects/pod-volume-backup.ts';
import { systemClock } from '#engine/base/clock.ts';
import { settlesWithin } from '#engine/base/settles-within.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { MoveReport } from '#agent/moves/move-components.ts';
import type { KubeObject, Resource } from '#kube/kube-object.ts';
import { keyOf } from '#kube/kube-object.ts';
import type { MoveScenario, MoveStage } from './move-stage.ts';
import { gate, ScriptedMover } from './scripted-mover.ts';
import { troubledClient } from './troubled-client.ts';
import type { Trouble } from './troubled-client.ts';

/** Somebody else writes an annotation just before each of our writes. */
function rivalOf(stage: MoveStage): NonNullable<Trouble['beforeReplace']> {
  let count = 0;
  const rivalled = new Set<string>();
  return async (resource: Resource, object: KubeObject) => {
    const { name, namespace } = object.metadata;
    if (rivalled.delete(name)) return;
    rivalled.add(name);
    count += 1;
    const body = { metadata: { annotations: { rival: `${count}` } } };
    await stage.client.patch(resource, { name, namespace }, { type: 'merge', body });
  };
}

export const TROUBLE_SCENARIOS: readonly MoveScenario[] = [
  {
    title: 'a conflict at every write changes nothing but the versions',
    play: async (t, stage) => {
      const trouble: Trouble = { isAway: false, beforeReplace: rivalOf(stage) };
      const mover = new ScriptedMover();
      const agent = await stage.agent({ client: troubledClient(stage.client, trouble), mover });
      const made = await stage.backup();
      const { metadata, status } = await stage.until(made, 'Completed');
      t.equal(mover.backups.length, 1);
      t.ok(status?.snapshotID);
      t.ok(Number(metadata.annotations?.['rival']) >= 2, 'what the rival wrote is kept');
      t.strictSame(agent.errors, []);
    },
  },
  {
    title: 'a write whose answer is lost is not done twice',
    play: async (t, stage) => {
      const lost = new Set<string>();
      const losesAnswer = (_resource: Resource, object: KubeObject & { status?: object }) => {
        const phase = JSON.stringify(object.status);
        return lost.size < lost.add(phase).size;
      };
      const client = troubledClient(stage.client, { isAway: false, losesAnswer });
      const mover = new ScriptedMover();
      const agent = await stage.agent({ client, mover });
      const made = await stage.backup();
      await stage.until(made, 'Completed');
      t.equal(mover.backups.length, 1);
      const phases = stage.phasesOf(made);
      t.equal(new Set(phases).size, phases.length, 'no phase comes back');
      await agent.failed(2);
      const told = await agent.reported('phase', phases.length - 1);
      t.match(
        told,
        phases.slice(1).map(phase => ({ phase })),
        'each is told of, although its answer was lost',
      );
      t.equal(told.length, phases.length - 1, 'once');
    },
  },
  {
    title: 'a move that may not be begun gives its slot to others',
    play: async (t, stage) => {
      const refused = await stage.backup();
      const trouble: Trouble = { isAway: false };
      trouble.beforeReplace = async (_resource, { metadata, ...object }) => {
        const isBeginning = JSON.stringify(object).includes('"InProgress"');
        if (metadata.uid !== refused.metadata.uid || !isBeginning) return;
        throw new EngineError('KUBE_FORBIDDEN', 'an admission webhook says no');
      };
      const agent = await stage.agent({ client: troubledClient(stage.client, trouble) });
      await agent.failed(1);
      await stage.until(await stage.backup(), 'Completed');
      await agent.failed(2);
      trouble.beforeReplace = async () => {};
      await stage.until(refused, 'Completed');
      t.equal(agent.slots.usedCount + agent.slots.waitingCount, 0);
    },
  },
  {
    title: 'an end whose answer is lost is told of, once',
    play: async (t, stage) => {
      let lostCount = 0;
      const losesAnswer = (_resource: Resource, { status }: KubeObject & { status?: object }) =>
        JSON.stringify(status).includes('"completionTimestamp"') && (lostCount += 1) <= 2;
      const client = troubledClient(stage.client, { isAway: false, losesAnswer });
      const result = { skippedCount: 1, skipped: ['a: EIO'] };
      const agent = await stage.agent({ client, mover: new ScriptedMover(() => ({ result })) });
      const made = await stage.backup();
      await stage.until(made, 'Completed');
      t.match(await agent.reported('warning'), [{ reason: 'FilesSkipped' }]);
      // One that never runs: its end is all that there is to tell.
      const refused = await stage.backup({ spec: { uploaderType: 'restic' } });
      await stage.until(refused, 'Failed');
      await stage.until(await stage.backup(), 'Completed');
      await agent.reported('warning', 2);
      const ends = agent.reports.filter(
        report => report.type === 'phase' && ['Completed', 'Failed'].includes(report.phase),
      );
      t.match(ends, [
        { phase: 'Completed', message: /a: EIO/, item: { status: { phase: 'Completed' } } },
        { phase: 'Failed', message: /restic/ },
        { phase: 'Completed' },
      ]);
      t.equal(ends.length, 3);
      t.equal(agent.slots.usedCount, 0);
    },
  },
  {
    title: 'an end that somebody else has written is not told as ours',
    play: async (t, stage) => {
      const trouble: Trouble = { isAway: false };
      trouble.beforeReplace = async (resource, { metadata: { name, namespace }, ...object }) => {
        if (!JSON.stringify(object).includes('"completionTimestamp"')) return;
        const body = { status: { phase: 'Failed', message: 'by hand' } };
        await stage.client.patch(resource, { name, namespace }, { type: 'merge', body });
      };
      const agent = await stage.agent({ client: troubledClient(stage.client, trouble) });
      await stage.until(await stage.backup(), 'Failed');
      trouble.beforeReplace = async () => {};
      const next = await stage.backup();
      await stage.until(next, 'Completed');
      const isEnd = (report: MoveReport) =>
        report.type === 'phase' && ['Completed', 'Failed'].includes(report.phase);
      while (!agent.reports.some(isEnd)) await systemClock.sleep(1);
      const { uid } = next.metadata;
      t.match(agent.reports.filter(isEnd), [{ item: { metadata: { uid } } }]);
      t.equal(agent.reports.filter(isEnd).length, 1);
    },
  },
  {
    title: 'a move goes on while the API server is away, and is reported afterwards',
    play: async (t, stage) => {
      const trouble: Trouble = { isAway: false };
      const hold = gate();
      const progress = [{ totalBytes: 9, bytesDone: 3 }];
      const mover = new ScriptedMover(() => ({ progress, until: hold.opened }));
      const agent = await stage.agent({ client: troubledClient(stage.client, trouble), mover });
      const made = await stage.backup();
      await mover.begun(1);
      trouble.isAway = true;
      hold.open();
      while (agent.slots.usedCount > 0 || agent.errors.length < 3) await systemClock.sleep(1);
      t.equal((await stage.read(made)).status?.phase, 'InProgress');
      trouble.isAway = false;
      await stage.until(made, 'Completed');
      t.equal(mover.backups.length, 1);
    },
  },
  {
    title: 'an agent that is stopped while the API server is away says what it could not report',
    play: async (t, stage) => {
      const trouble: Trouble = { isAway: false };
      const mover = new ScriptedMover(() => ({ until: gate().opened }));
      const agent = await stage.agent({ client: troubledClient(stage.client, trouble), mover });
      const made = await stage.backup();
      await mover.begun(1);
      trouble.isAway = true;
      t.strictSame(await agent.stop({ graceMs: 100 }), [keyOf(made)]);
      t.equal((await stage.read(made)).status?.phase, 'InProgress');
      await stage.agent();
      await stage.until(made, 'Completed');
    },
  },
  {
    title: 'a write without an answer does not hold the end of an agent',
    play: async (t, stage) => {
      const trouble: Trouble = { isAway: false };
      const hold = gate();
      const mover = new ScriptedMover(() => ({ until: hold.opened }));
      const agent = await stage.agent({ client: troubledClient(stage.client, trouble), mover });
      const made = await stage.backup();
      await mover.begun(1);
      await stage.until(made, 'InProgress');
      trouble.hangs = true;
      hold.open();
      while (agent.slots.usedCount > 0) await systemClock.sleep(1);
      const stopped = agent.stop({ graceMs: 200 });
      t.ok(await settlesWithin(stopped, 5000));
      t.strictSame(await stopped, [keyOf(made)]);
      // And one that gets an answer from then on is written.
      trouble.hangs = false;
      await stage.agent();
      await stage.until(made, 'Completed');
    },
  },
  {
    title: 'a finalizer of stock on a foreign object goes when nobody cares for it',
    play: async (t, stage) => {
      const finalizers = ['velero.io/pod-volume-finalizer'];
      const foreign = { node: 'elsewhere', finalizers };
      const done = await stage.backup({ ...foreign, status: { phase: 'Completed' } });
      const orphan = await stage.backup({ ...foreign, status: { phase: 'InProgress' } });
      await stage.delete(orphan);
      let elapsedMs = 0;
      const clock = { ...systemClock, monotonic: () => elapsedMs };
      const agent = await stage.agent({ clock, requeueMsMax: 5 });
      await stage.until(await stage.backup(), 'Completed');
      t.strictSame((await stage.read(done)).metadata.finalizers, finalizers);
      elapsedMs = 66_000;
      await stage.backups.until(() =>
        stage.backups.get(keyOf(done))?.metadata.finalizers ? undefined : true,
      );
      t.strictSame((await stage.read(orphan)).metadata.finalizers, finalizers);
      t.equal((await stage.read(orphan)).status?.phase, 'InProgress');
      elapsedMs += 3_600_000;
      await stage.untilGone(orphan);
      t.equal((await agent.reported('finalizer-removed', 2)).length, 2);
    },
  },
  {
    title: 'progress goes on being written, a second after the last',
    play: async (t, stage) => {
      const hold = gate();
      let elapsedMs = 0;
      const clock = { ...systemClock, monotonic: () => elapsedMs };
      const second = gate();
      const mover = new ScriptedMover(() => ({
        progress: [{ totalBytes: 9, bytesDone: 1 }],
        until: hold.opened,
        later: { after: second.opened, progress: { totalBytes: 9, bytesDone: 5 } },
      }));
      await stage.agent({ mover, clock, requeueMsMax: 5 });
      const made = await stage.backup();
      const bytesDone = () => stage.backups.get(keyOf(made))?.status?.progress?.bytesDone;
      await stage.backups.until(() => (bytesDone() === 1 ? true : undefined));
      second.open();
      // Others are served meanwhile; this one is not written before its time.
      const other = await stage.backup({ spec: { uploaderType: 'restic' } });
      await stage.until(other, 'Failed');
      t.equal(bytesDone(), 1);
      elapsedMs = 1000;
      await stage.backups.until(() => (bytesDone() === 5 ? true : undefined));
      hold.open();
      await stage.until(made, 'Completed');
    },
  },
  {
    title: 'fields that nobody here knows survive',
    play: async (t, stage) => {
      const made = await stage.backup();
      const { namespace, name } = made.metadata;
      const body = {
        metadata: { annotations: { 'example.com/a': 'b' } },
        spec: { tags: { x: 'y' } },
      };
      await stage.client.patch(POD_VOLUME_BACKUPS, { namespace, name }, { type: 'merge', body });
      await stage.agent();
      const { metadata, spec } = await stage.until(made, 'Completed');
      t.equal(metadata.annotations?.['example.com/a'], 'b');
      t.equal(spec.tags?.['x'], 'y');
      t.equal(metadata.ownerReferences?.[0]?.controller, true);
    },
  },
];

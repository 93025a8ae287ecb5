// A PodVolumeBackup from New to its end, as a server and its users see it.

import { ASSUMED_RULES } from '#agent/moves/crd-phases.ts';
import { Slots } from '#agent/moves/slots.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { MoveScenario, MoveStage } from './move-stage.ts';
import { gate, ScriptedMover } from './scripted-mover.ts';
import { POD_UID } from './velero-objects.ts';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** Up to InProgress. */
function beginning(stage: MoveStage): string[] {
  return stage.hasEightPhases
    ? ['New', 'Accepted', 'Prepared', 'InProgress']
    : ['New', 'InProgress'];
}

export const BACKUP_SCENARIOS: readonly MoveScenario[] = [
  {
    title: 'a backup goes through the phases of its CRD and is Completed',
    play: async (t, stage) => {
      const mover = new ScriptedMover();
      const agent = await stage.agent({ mover });
      const made = await stage.backup();
      const { status, spec, metadata } = await stage.until(made, 'Completed');
      const uid = metadata.uid ?? '';
      t.strictSame(stage.phasesOf(made), [...beginning(stage), 'Completed']);
      t.match(status, {
        path: `/${uid}`,
        snapshotID: uid.replaceAll('-', ''),
        startTimestamp: TIME,
        completionTimestamp: TIME,
        progress: { totalBytes: 5000, bytesDone: 5000 },
      });
      t.equal(status?.message, undefined);
      t.equal(status?.incrementalBytes, stage.velero === '1.18' ? 1000 : undefined);
      t.equal(TIME.test(status?.acceptedTimestamp ?? ''), stage.hasEightPhases);
      t.strictSame(spec, made.spec, 'spec is as it was');
      t.strictSame(metadata.labels, made.metadata.labels);
      t.strictSame(metadata.annotations, made.metadata.annotations);
      t.equal(metadata.finalizers, undefined);
      t.strictSame(mover.backups, [
        {
          repository: { volumeNamespace: 'shop', backupStorageLocation: 'default' },
          volume: { podUid: POD_UID, podNamespace: 'shop', podName: 'web', volume: 'data' },
          claim: { name: 'web-data', uid: '44444444-0000-4000-8000-000000000001' },
          moveUid: uid,
          parallelFiles: 8,
        },
      ]);
      t.equal(agent.slots.usedCount, 0);
      t.ok(agent.reports.some(({ type }) => type === 'run-started'));
    },
  },
  {
    title: 'files that were skipped are named in a Completed backup, and in a warning',
    play: async (t, stage) => {
      const result = { skippedCount: 1, skipped: ['logs/a.log: EIO'] };
      const agent = await stage.agent({ mover: new ScriptedMover(() => ({ result })) });
      const { status } = await stage.until(await stage.backup(), 'Completed');
      const message = 'one file was not backed up: logs/a.log: EIO';
      t.equal(status?.message, message);
      const warnings = await agent.reported('warning');
      t.match(warnings, [{ reason: 'FilesSkipped', message }]);
      t.equal(warnings.length, 1);
    },
  },
  {
    title: 'a backup that fails says why, and has no snapshot',
    play: async (t, stage) => {
      const error = new EngineError('REPOSITORY_PASSWORD_WRONG', 'repository shop: wrong password');
      await stage.agent({ mover: new ScriptedMover(() => ({ error })) });
      const made = await stage.backup();
      const { status } = await stage.until(made, 'Failed');
      t.equal(status?.message, 'repository shop: wrong password (REPOSITORY_PASSWORD_WRONG)');
      t.equal(status?.snapshotID, undefined);
      t.match(status, { startTimestamp: TIME, completionTimestamp: TIME });
      t.strictSame(stage.phasesOf(made), [...beginning(stage), 'Failed']);
    },
  },
  {
    title: 'a backup without a snapshot is not Completed',
    play: async (t, stage) => {
      await stage.agent({ mover: new ScriptedMover(() => ({ result: { snapshotId: '' } })) });
      const { status } = await stage.until(await stage.backup(), 'Failed', 'Completed');
      t.match(status, { phase: 'Failed', message: /\(INTERNAL\)$/ });
    },
  },
  {
    title: 'a backup by restic is refused at once',
    play: async (t, stage) => {
      const mover = new ScriptedMover();
      await stage.agent({ mover });
      const made = await stage.backup({ spec: { uploaderType: 'restic' } });
      const { status } = await stage.until(made, 'Failed');
      t.match(status?.message, /restic/);
      t.strictSame(stage.phasesOf(made), ['New', 'Failed']);
      t.strictSame(mover.backups, []);
    },
  },
  {
    title: 'objects of other nodes and Completed ones of other clusters are left alone',
    play: async (t, stage) => {
      const foreign = await stage.backup({ node: 'worker-2' });
      const synced = await stage.backup({
        node: 'elsewhere',
        status: { phase: 'Completed', snapshotID: '1', progress: {} },
      });
      const done = await stage.backup({ status: { phase: 'Failed', message: 'no' } });
      await stage.agent();
      await stage.until(await stage.backup(), 'Completed');
      for (const made of [foreign, synced, done]) {
        const now = await stage.read(made);
        t.equal(now.metadata.resourceVersion, made.metadata.resourceVersion);
      }
    },
  },
  {
    title: 'no more run at once than there are slots, of all kinds together',
    play: async (t, stage) => {
      const hold = gate();
      const mover = new ScriptedMover(() => ({ until: hold.opened }));
      const slots = new Slots(2);
      await stage.agent({ mover, slots });
      const made = await Promise.all([1, 2, 3, 4, 5].map(() => stage.backup()));
      await mover.begun(2);
      await Promise.all(made.map(one => stage.until(one, 'Prepared', 'InProgress', 'New')));
      t.equal(mover.activeCount, 2);
      hold.open();
      for (const one of made) await stage.until(one, 'Completed');
      t.equal(mover.activeCountMax, 2);
      t.equal(mover.backups.length, 5);
      slots.check();
      t.equal(slots.usedCount + slots.waitingCount, 0);
    },
  },
  {
    title: 'progress is written while it runs, and at most once in a second',
    play: async (t, stage) => {
      const hold = gate();
      const progress = [1, 2, 3, 4].map(bytesDone => ({ totalBytes: 9, bytesDone }));
      const mover = new ScriptedMover(() => ({ progress, until: hold.opened }));
      await stage.agent({ mover });
      const made = await stage.backup();
      const follower = stage.backups;
      const seen = () =>
        stage
          .historyOf(made)
          .flatMap(({ phase, progress }) =>
            phase === 'InProgress' && progress?.bytesDone !== undefined ? progress.bytesDone : [],
          );
      await follower.until(() => (seen().length > 0 ? true : undefined));
      hold.open();
      const { status } = await stage.until(made, 'Completed');
      t.strictSame(seen(), [4], 'what came in at once is written once, as it is in the end');
      t.strictSame(status?.progress, { totalBytes: 5000, bytesDone: 5000 });
    },
  },
  {
    title: 'an old CRD that could not be read is noticed at its first refusal',
    play: async (t, stage) => {
      const agent = await stage.agent({ rules: ASSUMED_RULES });
      const first = await stage.backup();
      const { status } = await stage.until(first, 'Completed');
      t.strictSame(stage.phasesOf(first), [...beginning(stage), 'Completed']);
      t.equal(status?.incrementalBytes, stage.velero === '1.18' ? 1000 : undefined);
      const count = agent.reports.filter(({ type }) => type === 'rules-corrected').length;
      t.equal(count, stage.hasEightPhases ? 0 : 1);
    },
  },
];

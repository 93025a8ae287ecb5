import t, { type Test } from 'tap';
import { abortable } from '#engine/base/abort.ts';
import { EngineError } from '#engine/base/errors.ts';
import { type VolumeSlotRequest, Slots } from '#agent/moves/slots.ts';
import type { PreCopier, PreCopyResult } from '#agent/moves/volume-mover.ts';
import { PreCopying, type PreCopyReport } from '#agent/pre-copy/pre-copying.ts';
import { idOf, type WantedVolume } from '#agent/pre-copy/wanted-volume.ts';
import { yieldingMover } from '#agent/pre-copy/yielding-mover.ts';
import { PRE_COPY_ID_PREFIX } from '#proto/wire-limits.ts';
import { ManualClock } from '#test/kube/manual-clock.ts';
import { ScriptedMover } from '#test/moves/scripted-mover.ts';

const RESULT = { totalBytes: 10, bytesRead: 1 };
const LEFT_MS = 1_800_000;

function volume(volumeName: string, more: Partial<WantedVolume> = {}): WantedVolume {
  const pod = { namespace: 'shop', pod: 'db-0', podUid: 'uid-of-db-0' };
  const due = { location: 'default', dueMs: 1000, leftMs: LEFT_MS };
  return { ...pod, volumeName, claim: `${volumeName}-db-0`, ...due, ...more };
}

/** Volumes are copied one at a time, each until it is told how that ends. */
class HeldCopier implements PreCopier {
  readonly begun: string[] = [];
  readonly saved: string[] = [];
  #held: PromiseWithResolvers<PreCopyResult> | undefined;
  /** Resolves what an aborted copy waits for before it has ended. */
  saving: Promise<void> = Promise.resolve();

  readonly preCopy: PreCopier['preCopy'] = async (order, { signal }) => {
    const { volume: name } = order.volume;
    this.begun.push(name);
    this.#held = Promise.withResolvers();
    try {
      return await abortable(this.#held.promise, signal);
    } catch (error) {
      await this.saving;
      this.saved.push(name);
      throw error;
    }
  };

  end(how: PreCopyResult | Error = RESULT): Promise<void> {
    if (how instanceof Error) this.#held?.reject(how);
    else this.#held?.resolve(how);
    return settled();
  }
}

function settled(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}

function sceneFor(t: Test) {
  const clock = new ManualClock();
  const slots = new Slots(1);
  const requests: VolumeSlotRequest[] = [];
  const asked = {
    request: (request: VolumeSlotRequest) => {
      requests.push(request);
      return slots.request(request);
    },
    release: (id: string) => {
      slots.release(id);
      slots.check();
    },
  };
  const copier = new HeldCopier();
  const reports: PreCopyReport[] = [];
  const report = (each: PreCopyReport) => void reports.push(each);
  const preCopying = new PreCopying({ slots: asked, copier, clock, report });
  t.teardown(() => preCopying.stop());
  const ends = () => reports.map(({ volume: { volumeName }, end }) => [volumeName, end.kind]);
  return { clock, slots, requests, copier, reports, ends, preCopying };
}

t.test('each volume is copied once for its due time, in a slot of low priority', async t => {
  const { slots, requests, copier, preCopying, ends, reports } = sceneFor(t);
  const both = [volume('data'), volume('log')];
  preCopying.want(both);
  await settled();
  t.strictSame(copier.begun, ['data'], 'there is one slot');
  const move = { claim: 'data-db-0', move: 'PreCopy/db-0' };
  t.match(requests[0], { volume: { priority: 0, gang: undefined, ...move } });
  t.ok(requests[0].id.startsWith(PRE_COPY_ID_PREFIX));
  preCopying.want(both);
  await copier.end();
  await copier.end();
  preCopying.want(both);
  await settled();
  t.strictSame(copier.begun, ['data', 'log']);
  t.match(reports[0].end, { kind: 'copied', result: RESULT });
  t.strictSame([slots.usedCount, preCopying.count], [0, 0]);
  preCopying.want([volume('data', { dueMs: 2000 })]);
  await settled();
  await copier.end();
  t.strictSame(copier.begun, ['data', 'log', 'data'], 'and again for the next one');
  t.strictSame(ends(), [
    ['data', 'copied'],
    ['log', 'copied'],
    ['data', 'copied'],
  ]);
});

t.test('what is not wanted any more is stopped, waiting or not', async t => {
  const { slots, copier, preCopying, reports } = sceneFor(t);
  preCopying.want([volume('data'), volume('log')]);
  await settled();
  preCopying.want([]);
  await settled();
  t.strictSame(copier.saved, ['data']);
  const [log, data] = reports.toSorted((one, other) =>
    one.volume.volumeName < other.volume.volumeName ? 1 : -1,
  );
  t.match(data, { end: { kind: 'stopped', reason: 'not-wanted', hadBegun: true } });
  t.match(log, { end: { kind: 'stopped', reason: 'not-wanted', hadBegun: false } });
  t.strictSame([slots.usedCount, slots.waitingCount], [0, 0]);
});

t.test('at the due time it is over, whether the controller is there or not', async t => {
  const { clock, copier, preCopying, reports } = sceneFor(t);
  preCopying.want([volume('data')]);
  await settled();
  await clock.pass(LEFT_MS - 1);
  t.strictSame(copier.saved, []);
  await clock.pass(1);
  t.strictSame(copier.saved, ['data']);
  t.match(reports, [{ end: { kind: 'stopped', reason: 'over' } }]);
  await settled();
  t.equal(preCopying.count, 0, 'it is not begun again');
  t.equal(clock.sleeperCount, 0);
});

t.test('a fault ends it for that due time, and is told', async t => {
  const { copier, preCopying, reports } = sceneFor(t);
  preCopying.want([volume('data')]);
  await settled();
  const error = new EngineError('REPOSITORY_UNKNOWN', 'there is no BackupRepository');
  await copier.end(error);
  t.match(reports, [{ volume: { volumeName: 'data' }, end: { kind: 'failed', error } }]);
  preCopying.want([volume('data')]);
  await settled();
  t.strictSame(copier.begun, ['data']);
});

t.test('who is refused a slot does without', async t => {
  const { reports } = sceneFor(t);
  const parts = { copier: new HeldCopier(), clock: new ManualClock() };
  const slots = { request: () => 'refused' as const, release: () => undefined };
  const preCopying = new PreCopying({
    ...{ ...parts, slots },
    report: each => void reports.push(each),
  });
  preCopying.want([volume('data')]);
  await settled();
  t.match(reports, [{ end: { kind: 'refused' } }]);
  t.equal(preCopying.count, 0);
});

t.test('a slot that is wanted back is given back, and asked for behind the others', async t => {
  const { slots, requests, copier, preCopying } = sceneFor(t);
  preCopying.want([volume('data')]);
  await settled();
  const real = { id: 'real', group: 'backup', onGranted: () => undefined };
  t.equal(slots.request(real), 'queued');
  requests[0].onRevoked();
  await settled();
  t.strictSame(copier.saved, ['data'], 'with its state saved');
  t.ok(slots.has('real'));
  t.strictSame([preCopying.count, slots.waitingCount], [1, 1]);
  slots.release('real');
  await copier.end();
  t.strictSame(copier.begun, ['data', 'data']);
});

t.test(
  'the backup of the volume waits for the end of its copy, and there is none beside',
  async t => {
    const { copier, preCopying, reports } = sceneFor(t);
    preCopying.want([volume('data')]);
    await settled();
    const saving = Promise.withResolvers<void>();
    copier.saving = saving.promise;
    const { wanted, order } = { wanted: volume('data'), order: orderOf('data') };
    const until = Promise.withResolvers<void>();
    const mover = new ScriptedMover(() => ({ until: until.promise }));
    const yielding = yieldingMover(mover, preCopying);
    const backing = yielding.backup(order, { signal: new AbortController().signal });
    await settled();
    t.equal(mover.backups.length, 0, 'its state is not saved yet');
    saving.resolve();
    await settled();
    t.equal(mover.backups.length, 1);
    t.match(reports, [{ end: { kind: 'stopped', reason: 'backup' } }]);
    preCopying.want([wanted]);
    await settled();
    t.strictSame(copier.begun, ['data'], 'not while the backup is under way');
    until.resolve();
    await backing;
    await settled();
    t.strictSame(copier.begun, ['data', 'data'], 'the next one is still to come');
  },
);

t.test('a backup of another volume stops nothing, and a failed one stands in no way', async t => {
  const { copier, preCopying } = sceneFor(t);
  preCopying.want([volume('data')]);
  await settled();
  const [log, data] = [orderOf('log'), orderOf('data')];
  const mover = new ScriptedMover(order => (order === data ? { error: new Error('no') } : {}));
  const yielding = yieldingMover(mover, preCopying);
  const { signal } = new AbortController();
  await yielding.backup(log, { signal });
  t.strictSame(copier.saved, []);
  await t.rejects(yielding.backup(data, { signal }));
  await settled();
  t.strictSame(copier.begun, ['data', 'data']);
});

function orderOf(volumeName: string) {
  const { podUid, namespace: podNamespace, pod: podName } = volume(volumeName);
  const repository = { volumeNamespace: podNamespace, backupStorageLocation: 'default' };
  const moveUid = idOf(volume(volumeName));
  return { repository, moveUid, volume: { podUid, podNamespace, podName, volume: volumeName } };
}

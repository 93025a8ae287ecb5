// What a move tells of itself to who gives slots, as a table.

import t from 'tap';
import type { Pod } from '#agent/moves/objects/pod.ts';
import { podVolumeBackups } from '#agent/moves/pod-volume-backups.ts';
import { podVolumeRestores } from '#agent/moves/pod-volume-restores.ts';
import { slotVolumeOf } from '#agent/moves/slot-volume.ts';
import { newBackup, newRestore, POD_UID } from './velero-objects.ts';

const CREATED = '2026-06-02T09:00:00Z';
const VOLUMES = 'backup.velero.io/backup-volumes';

function volumeOf(annotations: Record<string, string>, options: { uid?: string } = {}) {
  const { uid = POD_UID } = options;
  const pod: Pod = { metadata: { name: 'web', namespace: 'shop', uid, annotations } };
  const pods = new Map([['shop/web', pod]]);
  const { metadata, ...item } = newBackup({ name: 'daily-1' });
  return slotVolumeOf(
    { ...item, metadata: { ...metadata, creationTimestamp: CREATED } },
    {
      ...{ group: 'b', adapter: podVolumeBackups, nowMs: Date.parse(CREATED) + 90_000 },
      site: { nodeName: 'worker-1', pods },
    },
  );
}

t.test('a volume says whose it is, where it goes and for how long it has waited', async t => {
  const [namespace, pod, location] = ['shop', 'web', 'default'];
  const alone = { priority: 5, gang: undefined, waitedMs: 90_000 };
  const names = { move: 'PodVolumeBackup/daily-1', volumeName: 'data', claim: '' };
  t.strictSame(volumeOf({}), { namespace, pod, location, ...names, ...alone });
});

const GANGS: readonly (readonly [string, Record<string, string>, unknown])[] = [
  ['one volume of a pod', { [VOLUMES]: 'data' }, undefined],
  ['two of them', { [VOLUMES]: 'data, logs' }, { key: `b/${POD_UID}`, count: 2 }],
  ['the same one twice', { [VOLUMES]: 'data,data' }, undefined],
  ['a group', { 'stevedore.io/group': 'shop', [VOLUMES]: 'a,b' }, { key: 'b/shop/shop' }],
  ['no name of a group', { 'stevedore.io/group': 'x'.repeat(64) }, undefined],
  ['more than a pod has', { [VOLUMES]: [...Array(1_001).keys()].join() }, undefined],
];

for (const [what, annotations, gang] of GANGS) {
  t.test(`who begins together: ${what}`, async t => {
    t.strictSame(volumeOf(annotations).gang, gang);
  });
}

t.test('the claim of a volume is the one that its pod names, or that was made for it', async t => {
  const claimOf = (source: object | undefined, uid = POD_UID) => {
    const volumes = source === undefined ? [] : [{ name: 'data', ...source }];
    const pod: Pod = { metadata: { name: 'web', namespace: 'shop', uid }, spec: { volumes } };
    const site = { nodeName: 'worker-1', pods: new Map([['shop/web', pod]]) };
    const facts = { group: 'b', adapter: podVolumeBackups, nowMs: 0, site };
    return slotVolumeOf(newBackup({ name: 'daily-1' }), facts).claim;
  };
  const named = { persistentVolumeClaim: { claimName: 'files' } };
  t.equal(claimOf(named), 'files');
  t.equal(claimOf({ ephemeral: {} }), 'web-data');
  t.equal(claimOf({ emptyDir: {} }), '');
  t.equal(claimOf(undefined), '');
  t.equal(claimOf(named, 'another'), '', 'of a later pod of the name');
});

t.test('a priority is a digit, and anything else is none', async t => {
  const priorityOf = (text: string) => volumeOf({ 'stevedore.io/priority': text }).priority;
  t.strictSame(['9', '0', '10', 'high', ''].map(priorityOf), [9, 0, 5, 5, 5]);
});

t.test('a later pod of the same name says nothing about this one', async t => {
  const { priority } = volumeOf({ 'stevedore.io/priority': '9' }, { uid: 'another' });
  t.equal(priority, 5);
});

t.test('restores are in no gang: their pod waits for all of them', async t => {
  const annotations = { 'stevedore.io/group': 'shop' };
  const pod = { metadata: { name: 'web', namespace: 'shop', uid: POD_UID, annotations } };
  const site = { nodeName: 'worker-1', pods: new Map([['shop/web', pod]]) };
  const facts = { group: 'r', adapter: podVolumeRestores, nowMs: 0, site };
  t.match(slotVolumeOf(newRestore(), facts), { pod: 'web', gang: undefined, waitedMs: 0 });
});

t.test('snapshots that were taken together are in a gang, by the pod that holds each', async t => {
  const order = newBackup({ name: 'up-1' });
  const uid = order.metadata.uid ?? '';
  const volumeWith = (madeFor: string) => {
    const labels = { 'stevedore.io/made-for': madeFor };
    const annotations = { 'stevedore.io/group': 'velero-db-x1' };
    const pod = { metadata: { name: 'up-1', namespace: 'velero', labels, annotations } };
    const { pod: _none, ...spec } = order.spec;
    return slotVolumeOf(
      { ...order, spec },
      {
        ...{ group: 'b', adapter: { ...podVolumeBackups, isFrozen: false }, nowMs: 0 },
        site: { nodeName: 'worker-1', pods: new Map([['velero/up-1', pod]]) },
        of: { namespace: 'shop', claim: 'db' },
      },
    );
  };
  const gang = { key: 'b/velero/velero-db-x1' };
  t.match(volumeWith(uid), { namespace: 'shop', claim: 'db', pod: '', gang });
  t.equal(volumeWith('another').gang, undefined);
});

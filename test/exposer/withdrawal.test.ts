// What is taken away next, for each state of what was made for a move: ours first, each after what
// needs it, the source last.

import t from 'tap';
import { SNAPSHOT_CONTENTS, SNAPSHOTS } from '#agent/exposer/exposed-objects.ts';
import { nextWithdrawal, type WithdrawnParts } from '#agent/exposer/withdrawal.ts';
import { CLAIMS, PERSISTENT_VOLUMES, PODS } from '#kube/core-resources.ts';

const metadata = { name: 'up-1' };
const gone = { ...metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
const content = (deletionPolicy: 'Retain' | 'Delete', meta: typeof metadata = metadata) => ({
  metadata: meta,
  spec: {
    deletionPolicy,
    driver: 'csi.example.org',
    source: {},
    volumeSnapshotRef: { namespace: 'velero', name: 'up-1' },
  },
});
const ALL: WithdrawnParts = {
  holder: { metadata, spec: {} },
  claim: { metadata, spec: {} },
  volume: { metadata: { name: 'pvc-1' }, spec: { persistentVolumeReclaimPolicy: 'Delete' } },
  snapshot: { metadata, spec: { source: {} } },
  content: content('Retain'),
  source: { metadata: { name: 'velero-data' }, spec: { source: {} } },
  sourceContent: content('Retain', { name: 'snapcontent-1' }),
};

/** What goes, one after the other, when each step is done at once. */
const ORDER = [
  ['holder', PODS],
  ['claim', CLAIMS],
  ['snapshot', SNAPSHOTS],
  ['content', SNAPSHOT_CONTENTS],
] as const;

t.test('ours goes first, each after what needs it', async t => {
  let left: WithdrawnParts = ALL;
  for (const [part, resource] of ORDER) {
    const object = left[part];
    t.same(nextWithdrawal(left), { type: 'delete', resource, object });
    const waits = nextWithdrawal({ ...left, [part]: object && { ...object, metadata: gone } });
    t.match(waits, { type: 'wait', leaving: /up-1$/ }, `until the ${part} is gone`);
    left = { ...left, [part]: undefined };
  }
  const release = { type: 'release', resource: SNAPSHOT_CONTENTS, name: 'snapcontent-1' };
  t.match(nextWithdrawal(left), release, 'the storage is to let go of its snapshot');
  left = { ...left, sourceContent: content('Delete', { name: 'snapcontent-1' }) };
  t.same(nextWithdrawal(left), { type: 'delete', resource: SNAPSHOTS, object: ALL.source });
  t.same(nextWithdrawal({ ...left, source: undefined }), { type: 'withdrawn' });
});

t.test('a volume that its class would keep is let go before its claim', async t => {
  const volume = {
    metadata: { name: 'pvc-1' },
    spec: { persistentVolumeReclaimPolicy: 'Retain' as const },
  };
  const step = nextWithdrawal({ ...ALL, holder: undefined, volume });
  const spec = { persistentVolumeReclaimPolicy: 'Delete' };
  t.same(step, { type: 'release', resource: PERSISTENT_VOLUMES, name: 'pvc-1', spec });
});

t.test('a source that goes is not waited for', async t => {
  const source = { metadata: gone, spec: { source: {} } };
  t.same(nextWithdrawal({ source }), { type: 'withdrawn' });
});

t.test('nothing is nothing', async t => {
  t.same(nextWithdrawal({}), { type: 'withdrawn' });
});

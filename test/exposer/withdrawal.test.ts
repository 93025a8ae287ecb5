// What is taken away next, for each state of what was made for a move: ours first, each after what
// needs it, the source last.

import t from 'tap';
import { nextWithdrawal, type WithdrawnParts } from '#agent/exposer/withdrawal.ts';

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
  ['holder', 'delete-holder'],
  ['claim', 'delete-claim'],
  ['snapshot', 'delete-snapshot'],
  ['content', 'delete-content'],
] as const;

t.test('ours goes first, each after what needs it', async t => {
  let left: WithdrawnParts = ALL;
  for (const [part, type] of ORDER) {
    t.same(nextWithdrawal(left), { type });
    const object = left[part];
    const waits = nextWithdrawal({ ...left, [part]: object && { ...object, metadata: gone } });
    t.match(waits, { type: 'wait', leaving: /up-1$/ }, `until the ${part} is gone`);
    left = { ...left, [part]: undefined };
  }
  const release = { type: 'release-source', contentName: 'snapcontent-1' };
  t.same(nextWithdrawal(left), release, 'the storage is to let go of its snapshot');
  left = { ...left, sourceContent: content('Delete', { name: 'snapcontent-1' }) };
  t.same(nextWithdrawal(left), { type: 'delete-source' });
  t.same(nextWithdrawal({ ...left, source: undefined }), { type: 'withdrawn' });
});

t.test('a volume that its class would keep is let go before its claim', async t => {
  const volume = {
    metadata: { name: 'pvc-1' },
    spec: { persistentVolumeReclaimPolicy: 'Retain' as const },
  };
  const step = nextWithdrawal({ ...ALL, holder: undefined, volume });
  t.same(step, { type: 'release-volume', name: 'pvc-1' });
});

t.test('a source that goes is not waited for', async t => {
  const source = { metadata: gone, spec: { source: {} } };
  t.same(nextWithdrawal({ source }), { type: 'withdrawn' });
});

t.test('nothing is nothing', async t => {
  t.same(nextWithdrawal({}), { type: 'withdrawn' });
});

// What is made to expose a volume says of itself what others go by.

import t from 'tap';
import type { VolumeSnapshotContent } from '#agent/exposer/exposed-objects.ts';
import { type ExposedMove, makeContent, makeHolder } from '#agent/exposer/made-objects.ts';

const MOVE: ExposedMove = {
  name: 'up-1',
  namespace: 'velero',
  uid: 'uid-of-up-1',
  owner: { apiVersion: 'velero.io/v2alpha1', kind: 'DataUpload', name: 'up-1', uid: 'uid-of-up-1' },
};

t.test('a holder is there until its kubelet has unmounted the volume', async t => {
  const holder = makeHolder(MOVE, { mode: 'Filesystem', isReadOnly: false }, { image: 'pause' });
  // Zero is a forced deletion (kubernetes pkg/registry/core/pod/strategy.go CheckGracefulDelete).
  t.equal(holder.spec['terminationGracePeriodSeconds'], 1);
});

t.test(
  'a content has what its source says of the driver, and not what is done to that',
  async t => {
    const source: VolumeSnapshotContent = {
      metadata: {
        name: 'snapcontent-1',
        annotations: {
          'snapshot.storage.kubernetes.io/deletion-secret-name': 'secret',
          'snapshot.storage.kubernetes.io/volumesnapshot-being-created': 'yes',
          'snapshot.storage.kubernetes.io/volumesnapshot-being-deleted': 'yes',
        },
      },
      spec: {
        deletionPolicy: 'Delete',
        driver: 'csi.example.org',
        source: { volumeHandle: 'volume-1' },
        volumeSnapshotRef: { namespace: 'shop', name: 'velero-data' },
      },
      status: { snapshotHandle: 'handle-1' },
    };
    const content = makeContent(MOVE, source);
    const kept = { 'snapshot.storage.kubernetes.io/deletion-secret-name': 'secret' };
    t.same(content.metadata.annotations, kept);
    t.match(content.spec, { deletionPolicy: 'Retain', source: { snapshotHandle: 'handle-1' } });
  },
);

// What is made to expose a volume says of itself what others go by.

import t from 'tap';
import { type ExposedMove, makeHolder } from '#agent/exposer/made-objects.ts';

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

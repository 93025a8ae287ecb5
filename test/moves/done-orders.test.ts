// Which pods are told again that their volumes are restored, and of which volumes.

import t from 'tap';
import { doneOrdersOf } from '#agent/moves/done-orders.ts';
import type { Pod } from '#agent/moves/objects/pod.ts';
import type { PodVolumeRestore } from '#agent/moves/objects/pod-volume-restore.ts';
import { newRestore, POD_UID, RESTORE_UID, waitingPod } from './velero-objects.ts';

const ORDER = {
  volume: { podUid: POD_UID, podNamespace: 'shop', podName: 'web', volume: 'data' },
  doneFile: RESTORE_UID,
};

/** As the kubelet shows it when its node was rebooted: the helper runs once more. */
function rebooted(exitCode: number): Pod {
  const pod = waitingPod();
  const helper = {
    name: 'restore-wait',
    args: [RESTORE_UID],
    volumeMounts: [
      { name: 'data', mountPath: '/restores/data' },
      { name: 'logs', mountPath: '/restores/logs' },
      { name: 'token', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
    ],
  };
  const running = { running: { startedAt: '2026-06-03T09:00:20Z' } };
  const status = { name: 'restore-wait', state: running, lastState: { terminated: { exitCode } } };
  return {
    ...pod,
    spec: { nodeName: 'worker-1', initContainers: [{ name: 'mesh' }, helper] },
    status: { ...pod.status, initContainerStatuses: [status] },
  };
}

const completed = newRestore({ status: { phase: 'Completed' } });
const pod = { kind: 'Pod', namespace: 'shop', name: 'web', uid: 'another' };
const anothers = newRestore({ spec: { pod }, status: { phase: 'Completed' } });
const logs = { ...ORDER, volume: { ...ORDER.volume, volume: 'logs' } };

type Row = readonly [title: string, Pod, readonly PodVolumeRestore[], readonly object[]];

const ROWS: readonly Row[] = [
  ['a volume whose restore is Completed', waitingPod(), [completed], [ORDER]],
  ['none of a restore that is under way, or failed', waitingPod(), ended('Failed'), []],
  ['none where the pod does not wait', waitingPod(false), [completed], []],
  ['none of another pod of the name', waitingPod(), [anothers], []],
  ['none of a restore without an owner', waitingPod(), [ownerless()], []],
  ['after a reboot the same', rebooted(0), [completed, ...ended('Failed')], [ORDER]],
  [
    'all of the helper, when the restores are gone and it had ended well',
    rebooted(0),
    [],
    [ORDER, logs],
  ],
  ['the same beside those of another pod', rebooted(0), [anothers], [ORDER, logs]],
  ['none when it had been killed', rebooted(137), [], []],
  ['none when it had not run before', waitingPod(), [], []],
];

function ended(phase: string): PodVolumeRestore[] {
  return ['', 'InProgress', phase].map(one => newRestore({ status: { phase: one } }));
}

function ownerless(): PodVolumeRestore {
  return newRestore({ hasOwner: false, status: { phase: 'Completed' } });
}

for (const [title, waiting, restores, orders] of ROWS) {
  t.test(title, async t => {
    t.strictSame(doneOrdersOf(waiting, restores), orders);
  });
}

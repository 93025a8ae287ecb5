// What is made next so that a claim gets a volume that is filled, and how the volume is handed
// over, for each state of what there is.

import t from 'tap';
import type { ExposedVolume, HolderPod, VolumeClaim } from '#agent/exposer/exposed-objects.ts';
import { nextRebinding, POLICY_BEFORE, type ReboundParts } from '#agent/exposer/rebinding.ts';
import { nextRestoreExposure, type RestoredParts } from '#agent/exposer/restore-exposure.ts';

const SELECTED = { 'volume.kubernetes.io/selected-node': 'node1' };
const metadata = { name: 'down-1', namespace: 'velero' };
const leaving = { ...metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
const target: VolumeClaim = {
  metadata: { name: 'data', namespace: 'shop', uid: 'uid-of-data' },
  spec: { storageClassName: 'fast' },
};
const chosen = { ...target, metadata: { ...target.metadata, annotations: SELECTED } };
const targetClass = { metadata: { name: 'fast' }, volumeBindingMode: 'WaitForFirstConsumer' };
const claim: VolumeClaim = { metadata, spec: { volumeName: 'pvc-1' } };
const holder: HolderPod = { metadata, spec: { nodeName: 'node1' }, status: { phase: 'Running' } };

t.test('a volume is made for a claim that waits', async t => {
  const rows: readonly [title: string, parts: RestoredParts, step: object][] = [
    ['the claim is not there yet', {}, { type: 'wait', missing: 'claim shop/data' }],
    [
      'it goes',
      { target: { ...target, metadata: { ...target.metadata, ...leaving } } },
      { type: 'hopeless', message: /being deleted/ },
    ],
    [
      'it has a volume',
      { target: { ...target, spec: { volumeName: 'pvc-9' } } },
      { type: 'hopeless', message: /has volume pvc-9 already/ },
    ],
    ['its pod has no node', { target, targetClass }, { type: 'wait', missing: /a pod that uses/ }],
    ['its pod has one', { target: chosen, targetClass }, { type: 'make-claim', like: chosen }],
    ['its class does not wait', { target }, { type: 'make-claim', like: target }],
    [
      'there is a claim of ours',
      { target: chosen, targetClass, claim },
      { type: 'make-holder', like: chosen, nodeName: 'node1' },
    ],
    [
      'that one goes',
      { target, claim: { ...claim, metadata: leaving } },
      { type: 'wait', missing: /is deleted$/ },
    ],
    ['it is mounted', { target, claim, holder }, { type: 'exposed', nodeName: 'node1' }],
  ];
  for (const [title, parts, step] of rows) {
    const rules = { targetName: 'shop/data', ignoresDelayedBinding: false };
    t.match(nextRestoreExposure(parts, rules), step, title);
  }
  const rules = { targetName: 'shop/data', ignoresDelayedBinding: true };
  t.match(nextRestoreExposure({ target, targetClass }, rules), { type: 'make-claim' });
});

const NAMES = {
  target: 'shop/data',
  isMarked: ({ metadata: { labels } }: ExposedVolume) => labels?.['mark'] === 'ours',
};
const volume: ExposedVolume = {
  metadata: { name: 'pvc-1' },
  spec: { persistentVolumeReclaimPolicy: 'Delete', claimRef: { uid: 'uid-of-ours' } },
};
const marked: ExposedVolume = {
  metadata: {
    name: 'pvc-1',
    labels: { mark: 'ours' },
    annotations: { [POLICY_BEFORE]: 'Delete' },
  },
  spec: { persistentVolumeReclaimPolicy: 'Retain', claimRef: { uid: 'uid-of-ours' } },
};
const handed = { ...marked, spec: { ...marked.spec, claimRef: { uid: 'uid-of-data' } } };
const named = { ...target, spec: { volumeName: 'pvc-1' } };

t.test('a volume that is filled is handed over, whoever goes on with it', async t => {
  const rows: readonly [title: string, parts: ReboundParts, step: object][] = [
    ['filled', { target, claim, holder, volume }, { type: 'mark-volume', volume }],
    ['marked', { target, claim, holder, volume: marked }, { type: 'delete-holder' }],
    [
      'its holder goes',
      { target, claim, holder: { ...holder, metadata: leaving }, volume: marked },
      { type: 'wait', missing: /the end of down-1/ },
    ],
    ['without a holder', { target, claim, volume: marked }, { type: 'delete-claim' }],
    ['without a claim', { target, volume: marked }, { type: 'hand-over', to: target }],
    ['handed over', { target, volume: handed }, { type: 'name-volume', volumeName: 'pvc-1' }],
    [
      'named',
      { target: named, volume: handed },
      { type: 'wait', missing: /the binding of claim shop\/data to volume pvc-1/ },
    ],
    [
      'bound',
      { target: { ...named, status: { phase: 'Bound' } }, volume: handed },
      { type: 'unmark-volume', name: 'pvc-1', policy: 'Delete' },
    ],
    ['done before', { target: named }, { type: 'rebound' }],
    ['lost', { target }, { type: 'impossible', message: /volume .* is gone/ }],
    ['not wanted', { claim, holder, volume }, { type: 'impossible', message: /claim .* is gone/ }],
    [
      'too late',
      { target: { ...target, spec: { volumeName: 'pvc-9' } }, claim, holder, volume },
      { type: 'impossible', message: /has got volume pvc-9/ },
    ],
  ];
  for (const [title, parts, step] of rows) t.match(nextRebinding(parts, NAMES), step, title);
});

t.test('what was to become of the volume is as it was', async t => {
  const kept = {
    ...handed,
    metadata: { ...handed.metadata, annotations: { [POLICY_BEFORE]: 'Retain' } },
  };
  const bound = { ...named, status: { phase: 'Bound' } };
  t.match(nextRebinding({ target: bound, volume: kept }, NAMES), { policy: 'Retain' });
});

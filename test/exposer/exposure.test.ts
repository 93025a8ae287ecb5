// What is made next so that a snapshot can be read, for each state of what there is.

import t from 'tap';
import type {
  HolderPod,
  VolumeClaim,
  VolumeSnapshot,
  VolumeSnapshotContent,
} from '#agent/exposer/exposed-objects.ts';
import { type ExposedParts, nextExposure } from '#agent/exposer/exposure.ts';

const metadata = { name: 'up-1', namespace: 'velero' };
const source: VolumeSnapshot = {
  metadata: { name: 'velero-data', namespace: 'shop' },
  spec: { source: { persistentVolumeClaimName: 'data' } },
  status: { readyToUse: true, boundVolumeSnapshotContentName: 'snapcontent-1', restoreSize: '2Gi' },
};
const sourceContent: VolumeSnapshotContent = {
  metadata: { name: 'snapcontent-1' },
  spec: {
    deletionPolicy: 'Delete',
    driver: 'csi.example.org',
    source: { volumeHandle: 'volume-1' },
    sourceVolumeMode: 'Block',
    volumeSnapshotRef: { namespace: 'shop', name: 'velero-data' },
  },
  status: { snapshotHandle: 'handle-1' },
};
const content = { ...sourceContent, metadata, status: {} };
const snapshot = { ...source, metadata, status: {} };
const claim: VolumeClaim = { metadata, spec: {}, status: { phase: 'Bound' } };
const holder: HolderPod = {
  metadata,
  spec: { nodeName: 'node1' },
  status: { phase: 'Running' },
};
const leaving = { ...metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };

const found = { source, sourceContent };
const made = { ...found, content, snapshot };
const withHolder = (status: HolderPod['status']): ExposedParts => ({
  ...made,
  claim,
  holder: { ...holder, status },
});

type Row = readonly [title: string, parts: ExposedParts, step: object];

const ROWS: readonly Row[] = [
  [
    'a source that is gone',
    {},
    { type: 'hopeless', message: /VolumeSnapshot shop\/data is not there/ },
  ],
  [
    'one that somebody deletes',
    { source: { ...source, metadata: { ...source.metadata, ...leaving } }, sourceContent },
    { type: 'hopeless', message: /VolumeSnapshot shop\/data is being deleted/ },
  ],
  [
    'one that is not ready, and why',
    {
      source: { ...source, status: { readyToUse: false, error: { message: 'quota' } } },
      sourceContent,
    },
    { type: 'wait', missing: /ready to use, \(quota\)/ },
  ],
  ['one without a content', { source }, { type: 'wait', missing: /^the content of/ }],
  [
    'one without a handle',
    { source, sourceContent: { ...sourceContent, status: {} } },
    { type: 'wait', missing: /^the handle of VolumeSnapshotContent snapcontent-1$/ },
  ],
  ['one that is ready', found, { type: 'make-content', from: sourceContent }],
  ['with a content', { ...found, content }, { type: 'make-snapshot', of: content }],
  ['with a content, its source gone', { content }, { type: 'make-snapshot', of: content }],
  ['with a snapshot', made, { type: 'make-claim', size: '2Gi', mode: 'Block' }],
  [
    'the size that the claim of the application asks for, where no snapshot says one',
    {
      content,
      snapshot,
      sourceClaim: { metadata, spec: { resources: { requests: { storage: '3Gi' } } } },
    },
    { type: 'make-claim', size: '3Gi', mode: 'Block' },
  ],
  [
    'the size in bytes that a content has',
    { content: { ...content, status: { restoreSize: 4096 } }, snapshot },
    { type: 'make-claim', size: '4096' },
  ],
  ['without any size', { content, snapshot }, { type: 'wait', missing: /^a size/ }],
  ['with a claim', { ...made, claim }, { type: 'make-holder', mode: 'Block' }],
  [
    'with a claim that somebody deletes',
    { ...made, claim: { ...claim, metadata: leaving } },
    { type: 'wait', missing: /is deleted$/ },
  ],
  ['a holder that runs', withHolder(holder.status), { type: 'exposed', nodeName: 'node1' }],
  [
    'a holder that is deleted',
    { ...made, claim, holder: { ...holder, metadata: leaving } },
    { type: 'wait', missing: /the end of pod up-1/ },
  ],
  ['a holder that ended', withHolder({ phase: 'Failed' }), { type: 'hopeless', message: /Failed/ }],
  [
    'a holder whose image cannot be had',
    withHolder({
      phase: 'Pending',
      containerStatuses: [{ state: { waiting: { reason: 'ErrImageNeverPull', message: 'no' } } }],
    }),
    { type: 'hopeless', message: /cannot start: ErrImageNeverPull: no/ },
  ],
  [
    'a holder for which there is no node',
    withHolder({
      phase: 'Pending',
      conditions: [{ type: 'PodScheduled', status: 'False', message: '0/3 nodes are available' }],
    }),
    { type: 'wait', missing: 'a node for pod up-1 (0/3 nodes are available)' },
  ],
  ['a holder that starts', withHolder({}), { type: 'wait', missing: 'the mount of claim up-1' }],
  [
    'a holder whose claim is not bound',
    { ...withHolder({}), claim: { ...claim, status: { phase: 'Pending' } } },
    { type: 'wait', missing: 'a volume for claim up-1' },
  ],
];

for (const [title, parts, step] of ROWS) {
  t.test(title, async t => {
    t.match(nextExposure(parts, 'shop/data'), step);
  });
}

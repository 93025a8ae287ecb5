// Pods as an API server has them, rules as they are written, and what is done about each pod.

import t from 'tap';
import { decide } from '#controller/annotator/decide.ts';
import { parseRules } from '#controller/annotator/parse-rules.ts';
import { watchedClaim, watchedPod, watchedVolume } from '#controller/annotator/watched-objects.ts';

interface Case {
  readonly title: string;
  /** YAML. */
  readonly rules: string;
  /** Of the pod, over what podWith() gives it. */
  readonly pod?: object;
  readonly metadata?: object;
  readonly volumes?: readonly object[];
  readonly state: string;
  readonly change?: Readonly<Record<string, string | null>>;
  readonly lost?: readonly string[];
}

const INCLUDE = 'backup.velero.io/backup-volumes';
const EXCLUDE = 'backup.velero.io/backup-volumes-excludes';
const INCLUDE_RECORD = 'stevedore.io/annotated-backup-volumes';
const EXCLUDE_RECORD = 'stevedore.io/annotated-backup-volumes-excludes';
const ALL = '[{action: include}]';

const claim = (name: string, spec: object, status: object = {}) => ({
  metadata: { name, namespace: 'shop' },
  spec,
  status,
});
const CLAIMS = [
  claim(
    'db',
    { storageClassName: 'fast', volumeName: 'pv-csi', resources: { requests: { storage: '5Gi' } } },
    { capacity: { storage: '10Gi' } },
  ),
  claim('raw', { volumeMode: 'Block', volumeName: 'pv-csi' }),
  claim('unbound', { storageClassName: 'fast' }),
  claim('on-node', { storageClassName: 'local-path', volumeName: 'pv-host' }),
  claim('without-pv', { volumeName: 'pv-unseen' }),
  claim('lost', { storageClassName: 'fast', volumeName: 'pv-unseen' }, { phase: 'Lost' }),
  claim('web-scratch', {
    ...{ storageClassName: 'slow', volumeName: 'pv-csi' },
    resources: { requests: { storage: '500M' } },
  }),
].map(watchedClaim);
const VOLUMES = [
  { metadata: { name: 'pv-csi' }, spec: { csi: { driver: 'd' } } },
  { metadata: { name: 'pv-host' }, spec: { hostPath: { path: '/x' } } },
].map(watchedVolume);
const lookup = {
  claim: (namespace: string, name: string) =>
    CLAIMS.find(each => each.metadata.namespace === namespace && each.metadata.name === name),
  volume: (name: string) => VOLUMES.find(each => each.metadata.name === name),
};

const of = (claimName: string) => ({ name: claimName, persistentVolumeClaim: { claimName } });
const CACHE = { name: 'cache', emptyDir: {} };
const mounting = (volumes: readonly object[]) => [
  { volumeMounts: volumes.map(volume => ({ ...volume, mountPath: '/x' })) },
];

function podWith({ pod = {}, metadata = {}, volumes = [of('db'), CACHE] }: Partial<Case>) {
  return {
    metadata: { name: 'web', namespace: 'shop', resourceVersion: '1', ...metadata },
    spec: { volumes, containers: mounting(volumes), ...pod },
    status: { phase: 'Running' },
    ...('status' in pod ? pod : {}),
  };
}

const both = (key: string, record: string, value: string | null) => ({
  [key]: value,
  [record]: value,
});
const included = (value: string | null) => both(INCLUDE, INCLUDE_RECORD, value);
const excluded = (value: string | null) => both(EXCLUDE, EXCLUDE_RECORD, value);
const outdated = (change: Case['change']) => ({ state: 'outdated', change });
const annotated = (...parts: object[]) => ({
  metadata: { annotations: Object.assign({}, ...parts) as object },
});

const CASES: readonly Case[] = [
  { title: 'no rule, nothing to do', rules: '', state: 'unchosen' },
  {
    title: 'a rule without conditions is for whatever can be backed up',
    rules: ALL,
    ...outdated(included('db,cache')),
  },
  {
    title: 'a namespace by its name, or by a pattern',
    rules: '[{action: include, namespaces: [other, sh*p]}]',
    ...outdated(included('db,cache')),
  },
  {
    title: 'another namespace',
    rules: '[{action: include, namespaces: [other]}]',
    state: 'unchosen',
  },
  {
    title: 'labels of the pod, all of them',
    rules: '[{action: include, podLabels: {app: db, tier: [front, "b*"]}}]',
    metadata: { labels: { app: 'db', tier: 'back' } },
    ...outdated(included('db,cache')),
  },
  {
    title: 'a label that the pod has not got fits no pattern',
    rules: '[{action: include, podLabels: {app: "*"}}]',
    state: 'unchosen',
  },
  {
    title: 'types of volumes',
    rules: '[{action: include, volumeTypes: [persistentVolumeClaim]}]',
    ...outdated(included('db')),
  },
  {
    title: 'storage classes, which an emptyDir has not got',
    rules: '[{action: include, storageClasses: ["*"]}]',
    ...outdated(included('db')),
  },
  {
    title: 'sizes, both ends within: what the volume has counts, not what was asked for',
    rules: '[{action: include, sizeMin: 10Gi, sizeMax: 10Gi}]',
    ...outdated(included('db')),
  },
  { title: 'too small', rules: '[{action: include, sizeMin: 11Gi}]', state: 'unchosen' },
  { title: 'too large', rules: '[{action: include, sizeMax: 9Gi}]', state: 'unchosen' },
  {
    title: 'names of volumes',
    rules: '[{action: include, volumeNames: [c*e]}]',
    ...outdated(included('cache')),
  },
  {
    title: 'the first rule that fits counts, and what is excluded is annotated as such',
    rules: '[{action: exclude, volumeTypes: [emptyDir]}, {action: include}]',
    ...outdated({ ...included('db'), ...excluded('cache') }),
  },
  {
    title: 'what is ignored is neither',
    rules: '[{action: ignore, volumeNames: [cache]}, {action: include}, {action: exclude}]',
    ...outdated(included('db')),
  },
  {
    title: 'never what has no files of the application, or Velero leaves out',
    rules: ALL,
    volumes: [
      { name: 'a', hostPath: { path: '/x' } },
      { name: 'b', configMap: { name: 'x' } },
      { name: 'c', secret: { secretName: 'x' } },
      { name: 'kube-api-access-x', projected: { sources: [] } },
      { name: 'e', downwardAPI: {} },
      { name: 'f', image: { reference: 'x' } },
      { name: 'g', comesLater: {} },
      { name: 'default-token-abcde', emptyDir: {} },
      of('raw'),
      of('on-node'),
    ],
    state: 'unchosen',
  },
  {
    title: 'nor are they excluded, which says nothing',
    rules: '[{action: exclude}]',
    volumes: [{ name: 'a', hostPath: { path: '/x' } }, of('raw'), of('on-node'), CACHE],
    ...outdated(excluded('cache')),
  },
  {
    title: 'nor what no container mounts: init containers and devices do not count',
    rules: ALL,
    pod: {
      containers: [{ volumeDevices: [{ name: 'db', devicePath: '/dev/x' }] }],
      initContainers: mounting([CACHE]),
    },
    state: 'unchosen',
  },
  {
    title: 'a claim that is made for a volume of the pod',
    rules: '[{action: include, volumeTypes: [ephemeral], storageClasses: [slow], sizeMax: 1Gi}]',
    volumes: [{ name: 'scratch', ephemeral: { volumeClaimTemplate: {} } }],
    ...outdated(included('scratch')),
  },
  { title: 'a claim that waits', rules: ALL, volumes: [of('unbound'), CACHE], state: 'waiting' },
  { title: 'a claim that is not known', rules: ALL, volumes: [of('none')], state: 'waiting' },
  { title: 'a volume not known', rules: ALL, volumes: [of('without-pv')], state: 'waiting' },
  {
    title: 'a volume that is lost is named and left out, and the others are not held up',
    rules: ALL,
    volumes: [of('lost'), of('db'), CACHE],
    ...outdated(included('db,cache')),
    lost: ['lost'],
  },
  {
    title: 'one that was annotated before it was lost',
    rules: ALL,
    volumes: [of('lost')],
    ...annotated({ [INCLUDE]: 'lost', [INCLUDE_RECORD]: 'lost' }),
    ...outdated(included(null)),
    lost: ['lost'],
  },
  {
    title: 'a lost one of a pod that waits for another',
    rules: ALL,
    volumes: [of('lost'), of('unbound')],
    state: 'waiting',
    lost: ['lost'],
  },
  {
    title: 'a lost one that a person has chosen is that person’s',
    rules: ALL,
    volumes: [of('lost')],
    ...annotated({ [INCLUDE]: 'lost' }),
    state: 'own',
  },
  {
    title: 'a pod that has ended is of no use to a backup',
    rules: ALL,
    pod: { status: { phase: 'Succeeded' } },
    state: 'over',
  },
  {
    title: 'nor one that is being deleted',
    rules: ALL,
    metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' },
    state: 'over',
  },
  {
    title: 'what is there already is not written again',
    rules: ALL,
    ...annotated(included('db,cache')),
    state: 'chosen',
  },
  {
    title: 'of what we have written the outdated is changed',
    rules: '[{action: include, volumeNames: [db]}]',
    ...annotated(included('db,cache')),
    ...outdated(included('db')),
  },
  {
    title: 'and taken away with its record where no rule wants it',
    rules: '',
    ...annotated(included('db,cache'), excluded('x')),
    ...outdated({ ...included(null), ...excluded(null) }),
  },
  {
    title: 'an annotation without a record is a person’s',
    rules: ALL,
    ...annotated({ [INCLUDE]: 'db' }),
    state: 'own',
  },
  {
    title: 'as is an empty one, by which somebody wants nothing',
    rules: ALL,
    ...annotated({ [INCLUDE]: '' }),
    state: 'own',
  },
  {
    title: 'and one that was changed since',
    rules: ALL,
    ...annotated({ [INCLUDE]: 'db', [INCLUDE_RECORD]: 'db,cache' }),
    state: 'own',
  },
  {
    title: 'who takes away what we wrote does not want it',
    rules: ALL,
    ...annotated({ [INCLUDE_RECORD]: 'db,cache' }),
    state: 'own',
  },
  {
    title: 'a person’s word about one of the two annotations is about both',
    rules: ALL,
    ...annotated({ [EXCLUDE]: 'cache' }),
    state: 'own',
  },
];

for (const { title, rules, state, change, lost, ...rest } of CASES) {
  t.test(title, async t => {
    const pod = watchedPod(podWith(rest));
    const decision = decide(pod, parseRules(rules, 'the rules'), lookup);
    const wanted = { state, ...(change && { change }), ...(lost && { lost }) };
    t.strictSame(decision, wanted);
    // What is written has to be right in the next look, or it would be written again and again.
    if (decision.state !== 'outdated') return;
    const annotations = { ...pod.metadata.annotations, ...decision.change };
    const after = Object.entries(annotations).filter(([, value]) => value !== null);
    const written = podWith({
      ...rest,
      metadata: { ...rest.metadata, annotations: Object.fromEntries(after) },
    });
    const again = decide(watchedPod(written), parseRules(rules, 'the rules'), lookup);
    t.match(again.state, /^(chosen|unchosen)$/);
  });
}

t.test('of a pod only what is needed is kept', async t => {
  const metadata = {
    ...{ uid: 'u', ownerReferences: [{}], managedFields: [{}], labels: { app: 'x' } },
    annotations: { other: 'x'.repeat(1000), [INCLUDE]: 'db' },
  };
  t.strictSame(watchedPod(podWith({ metadata })), {
    metadata: {
      ...{ name: 'web', namespace: 'shop', resourceVersion: '1', labels: { app: 'x' } },
      annotations: { [INCLUDE]: 'db' },
    },
    isOver: false,
    volumes: [
      { name: 'db', type: 'persistentVolumeClaim', claim: 'db' },
      { name: 'cache', type: 'emptyDir', claim: undefined },
    ],
  });
});

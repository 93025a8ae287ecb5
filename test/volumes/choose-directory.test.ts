import t from 'tap';
import { claimNameOf } from '#kube/claim-name.ts';
import { isEngineError } from '#engine/base/errors.ts';
import { chooseDirectory, type NodeDirectories } from '#agent/volumes/choose-directory.ts';
import { hasPassingInodes, parseMountTable } from '#agent/volumes/mount-table.ts';
import type { Claim, PersistentVolume, Pod, PodVolumeSpec } from '#agent/volumes/volume-objects.ts';
import { claimDirectory, inlineDirectory, volumeOfPod } from '#agent/volumes/wanted-directory.ts';

const UID = '33333333-0000-4000-8000-000000000001';
const ROOT = `/host_pods/${UID}/volumes`;

function podWith(volume: PodVolumeSpec, metadata: Partial<Pod['metadata']> = {}): Pod {
  return {
    metadata: { name: 'web', namespace: 'shop', uid: UID, ...metadata },
    spec: { nodeName: 'worker-1', volumes: [volume] },
  };
}

function line(path: string, type = 'ext4', root = '/', source = '/dev/sda'): string {
  const escaped = path.replace(
    /[ \\\t\n]/g,
    c => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
  return `36 35 98:0 ${root} ${escaped} rw,noatime shared:1 - ${type} ${source} rw`;
}

function nodeWith(
  volumes: Record<string, string[]>,
  mounted: readonly string[] = [],
  devices: string[] = [],
): NodeDirectories {
  const mounts = parseMountTable(mounted.map(path => line(path)).join('\n'));
  return { pods: '/host_pods', volumes: new Map(Object.entries(volumes)), devices, mounts };
}

const volume: PodVolumeSpec = { name: 'data', persistentVolumeClaim: { claimName: 'web-data' } };
const claim = (spec: Claim['spec'] = {}): Claim => ({
  metadata: { name: 'web-data', namespace: 'shop', uid: 'c' },
  spec: { volumeName: 'pvc-1', ...spec },
});
const pv = (spec: Record<string, unknown>): PersistentVolume => ({
  metadata: { name: 'pvc-1' },
  spec,
});
const csi = `${ROOT}/kubernetes.io~csi/pvc-1/mount`;

interface Case {
  readonly title: string;
  readonly inline?: PodVolumeSpec;
  readonly claim?: Claim['spec'];
  readonly pv?: Record<string, unknown>;
  readonly metadata?: Partial<Pod['metadata']>;
  readonly node: NodeDirectories;
  /** A path or a code. */
  readonly gives: string;
}

const CASES: readonly Case[] = [
  {
    title: 'CSI has mount behind the name',
    pv: { csi: {} },
    node: nodeWith({ 'kubernetes.io~csi': ['pvc-0', 'pvc-1'] }, [csi]),
    gives: csi,
  },
  {
    title: 'in-tree NFS has none',
    pv: { nfs: { server: 's', path: '/' } },
    node: nodeWith({ 'kubernetes.io~nfs': ['pvc-1'] }, [`${ROOT}/kubernetes.io~nfs/pvc-1`]),
    gives: `${ROOT}/kubernetes.io~nfs/pvc-1`,
  },
  {
    title: 'in-tree CephFS',
    pv: { cephfs: {} },
    node: nodeWith({ 'kubernetes.io~cephfs': ['pvc-1'] }, [`${ROOT}/kubernetes.io~cephfs/pvc-1`]),
    gives: `${ROOT}/kubernetes.io~cephfs/pvc-1`,
  },
  {
    title: 'an in-tree volume that a CSI driver has taken over',
    pv: { awsElasticBlockStore: {} },
    node: nodeWith({ 'kubernetes.io~aws-ebs': ['pvc-1'], 'kubernetes.io~csi': ['pvc-1'] }, [csi]),
    gives: csi,
  },
  {
    title: 'a local volume',
    pv: { local: { path: '/disks/1' } },
    node: nodeWith({ 'kubernetes.io~local-volume': ['pvc-1'] }, [
      `${ROOT}/kubernetes.io~local-volume/pvc-1`,
    ]),
    gives: `${ROOT}/kubernetes.io~local-volume/pvc-1`,
  },
  {
    title: 'a volume of a pod that is defined by a file on the node',
    metadata: {
      annotations: { 'kubernetes.io/config.mirror': 'abc0', 'kubernetes.io/config.hash': 'abc0' },
    },
    inline: { name: 'scratch', emptyDir: {} },
    node: nodeWith({ 'kubernetes.io~empty-dir': ['scratch'] }),
    gives: '/host_pods/abc0/volumes/kubernetes.io~empty-dir/scratch',
  },
  {
    title: 'a pod that claims to be static reaches no directory of another pod',
    metadata: {
      annotations: {
        'kubernetes.io/config.mirror': 'abc0',
        'kubernetes.io/config.hash': '5b1c9f5e-9a51-4d44-9a3c-2f7a1b0d6c11',
      },
    },
    inline: { name: 'scratch', emptyDir: {} },
    node: nodeWith({ 'kubernetes.io~empty-dir': ['scratch'] }),
    gives: 'VOLUME_NOT_FOUND',
  },
  {
    title: 'an emptyDir is the directory itself',
    inline: { name: 'scratch', emptyDir: {} },
    node: nodeWith({ 'kubernetes.io~empty-dir': ['scratch'] }),
    gives: `${ROOT}/kubernetes.io~empty-dir/scratch`,
  },
  {
    title: 'an emptyDir in memory is a mount',
    inline: { name: 'scratch', emptyDir: { medium: 'Memory' } },
    node: nodeWith({ 'kubernetes.io~empty-dir': ['scratch'] }),
    gives: 'VOLUME_NOT_MOUNTED',
  },
  {
    title: 'a projected volume',
    inline: { name: 'token', projected: {} },
    node: nodeWith({ 'kubernetes.io~projected': ['token'] }, [
      `${ROOT}/kubernetes.io~projected/token`,
    ]),
    gives: `${ROOT}/kubernetes.io~projected/token`,
  },
  {
    title: 'inline CSI',
    inline: { name: 'inline', csi: { driver: 'd' } },
    node: nodeWith({ 'kubernetes.io~csi': ['inline'] }, [`${ROOT}/kubernetes.io~csi/inline/mount`]),
    gives: `${ROOT}/kubernetes.io~csi/inline/mount`,
  },
  {
    title: 'a type that is not known, in the directory of its plugin',
    inline: { name: 'glus', glusterfs: {} },
    node: nodeWith({ 'kubernetes.io~glusterfs': ['glus'] }, [
      `${ROOT}/kubernetes.io~glusterfs/glus`,
    ]),
    gives: `${ROOT}/kubernetes.io~glusterfs/glus`,
  },
  {
    title: 'a volume that is not mounted yet',
    pv: { csi: {} },
    node: nodeWith({ 'kubernetes.io~csi': ['pvc-1'] }),
    gives: 'VOLUME_NOT_MOUNTED',
  },
  {
    title: 'a volume of another pod is mounted, this one is not',
    pv: { csi: {} },
    node: nodeWith({ 'kubernetes.io~csi': ['pvc-1'] }, [csi.replace(UID, 'other')]),
    gives: 'VOLUME_NOT_MOUNTED',
  },
  {
    title: 'two directories that are both mounted',
    pv: { csi: {} },
    node: nodeWith({ 'kubernetes.io~csi': ['pvc-1'], 'kubernetes.io~nfs': ['pvc-1'] }, [
      csi,
      `${ROOT}/kubernetes.io~nfs/pvc-1`,
    ]),
    gives: 'VOLUME_NOT_FOUND',
  },
  { title: 'no directory', pv: { csi: {} }, node: nodeWith({}), gives: 'VOLUME_NOT_FOUND' },
  {
    title: 'no directory of the pod',
    pv: { csi: {} },
    node: { ...nodeWith({}), volumes: undefined },
    gives: 'VOLUME_NOT_FOUND',
  },
  {
    title: 'a claim in block mode',
    claim: { volumeMode: 'Block' },
    pv: { csi: {} },
    node: nodeWith({}),
    gives: 'VOLUME_IS_BLOCK',
  },
  {
    title: 'a volume in block mode that the claim does not tell',
    pv: { csi: {}, volumeMode: 'Block' },
    node: nodeWith({}),
    gives: 'VOLUME_IS_BLOCK',
  },
  {
    title: 'a device of the name',
    pv: { csi: {} },
    node: nodeWith({}, [], ['pvc-1']),
    gives: 'VOLUME_IS_BLOCK',
  },
  {
    title: 'a directory of the node',
    inline: { name: 'host', hostPath: { path: '/' } },
    node: nodeWith({}),
    gives: 'VOLUME_TYPE_UNSUPPORTED',
  },
  {
    title: 'a claim that is a directory of the node',
    pv: { hostPath: { path: '/' } },
    node: nodeWith({}),
    gives: 'VOLUME_TYPE_UNSUPPORTED',
  },
  {
    title: 'a uid that leads elsewhere',
    metadata: { uid: '../../etc' },
    inline: { name: 'scratch', emptyDir: {} },
    node: nodeWith({ 'kubernetes.io~empty-dir': ['scratch'] }),
    gives: 'VOLUME_NOT_FOUND',
  },
];

function choose({ inline, claim: spec, pv: source, metadata, node }: Case): string {
  const pod = podWith(inline ?? volume, metadata);
  try {
    const wanted = inline
      ? inlineDirectory(pod, inline)
      : claimDirectory(pod, claim(spec), pv(source ?? {}));
    return chooseDirectory(wanted, node, 'the volume').path;
  } catch (error) {
    if (isEngineError(error)) return error.code;
    throw error;
  }
}

t.test('the directory of a volume follows from objects, names and mounts', async t => {
  for (const each of CASES) t.equal(choose(each), each.gives, each.title);
});

t.test('what is not there or not mounted is told with what to do', async t => {
  const wanted = inlineDirectory(podWith(volume), { name: 'x', nfs: {} });
  const none = nodeWith({ 'kubernetes.io~empty-dir': ['scratch'] });
  t.throws(() => chooseDirectory(wanted, none, 'volume x'), {
    message: /volumes\/kubernetes.io~nfs\/x is not there, there are .*~empty-dir\/scratch/,
  });
  const unmounted = nodeWith({ 'kubernetes.io~nfs': ['x'] });
  t.throws(() => chooseDirectory(wanted, unmounted, 'volume x'), {
    message: /nothing is mounted at .*HostToContainer/,
  });
  t.throws(() => volumeOfPod(podWith(volume), 'log'), { message: /no volume "log".*are: data/ });
});

t.test('an ephemeral volume is a claim that is called after its pod', async t => {
  const ephemeral = { name: 'data', ephemeral: { volumeClaimTemplate: {} } };
  t.equal(claimNameOf('web', ephemeral), 'web-data');
  t.equal(claimNameOf('web', volume), 'web-data');
  t.equal(claimNameOf('web', { name: 'x', emptyDir: {} }), undefined);
});

t.test('mountinfo is read with its escapes, and the upper of two mounts counts', async t => {
  const text = [
    line('/a b\\c\t', 'ext4'),
    '37 35 0:52 / /plain rw - tmpfs tmpfs rw',
    line('/nfs', 'nfs4', '/share/sub', 'server:/share'),
    line('/nfs', 'fuse.s3fs'),
    'nonsense',
    '',
  ].join('\n');
  const table = parseMountTable(text);
  t.strictSame([...table.keys()], ['/a b\\c\t', '/plain', '/nfs']);
  t.match(table.get('/plain'), { fileSystem: 'tmpfs', source: 'tmpfs', root: '/' });
  const upper = table.get('/nfs');
  t.match(upper, { fileSystem: 'fuse.s3fs' });
  t.ok(upper && hasPassingInodes(upper));
  const lower = parseMountTable(line('/nfs', 'nfs4', '/share/sub', 'server:/share')).get('/nfs');
  t.match(lower, { root: '/share/sub', source: 'server:/share' });
  t.notOk(lower && hasPassingInodes(lower));
});

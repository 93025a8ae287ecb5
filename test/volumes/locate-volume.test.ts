import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { systemClock } from '#engine/base/clock.ts';
import {
  locateVolume,
  type LocateSettings,
  requireLivingPod,
} from '#agent/volumes/locate-volume.ts';
import { TimedStat } from '#agent/volumes/timed-stat.ts';
import { CLAIMS, PERSISTENT_VOLUMES, PODS } from '#kube/core-resources.ts';
import { KubeObjects } from '#test/support/kube-objects.ts';

const UID = '33333333-0000-4000-8000-000000000001';
const query = { podUid: UID, podNamespace: 'shop', podName: 'web', volume: 'data' };

/** A node with one pod of two volumes: a claim of CSI and an emptyDir. */
function scene(t: Test) {
  const directory = t.testdir({ pods: {} });
  const pods = `${directory}/pods`;
  const csi = `${pods}/${UID}/volumes/kubernetes.io~csi/pvc-1`;
  mkdirSync(`${csi}/mount`, { recursive: true });
  mkdirSync(`${pods}/${UID}/volumes/kubernetes.io~empty-dir/scratch`, { recursive: true });
  const mountTable = `${directory}/mountinfo`;
  writeFileSync(mountTable, `1 1 0:1 / ${csi}/mount rw - fuse.x fuse rw\n`);
  const kube = new KubeObjects();
  const volumes = [
    { name: 'data', persistentVolumeClaim: { claimName: 'web-data' } },
    { name: 'scratch', emptyDir: {} },
    { name: 'temporary', ephemeral: {} },
  ];
  kube.put(PODS, {
    metadata: { name: 'web', namespace: 'shop', uid: UID },
    spec: { nodeName: 'worker-1', volumes },
  } as never); // more than KubeObject has
  for (const name of ['web-data', 'web-temporary']) {
    const metadata = { name, namespace: 'shop', uid: `uid of ${name}` };
    kube.put(CLAIMS, { metadata, spec: { volumeName: 'pvc-1' } } as never); // as above
  }
  kube.put(PERSISTENT_VOLUMES, { metadata: { name: 'pvc-1' }, spec: { csi: {} } } as never);
  const settings: LocateSettings = { hostPods: pods, nodeName: 'worker-1', mountTable };
  const parts = { kube, stat: new TimedStat({ clock: systemClock }) };
  const locate = (more: Partial<typeof query> = {}, other: Partial<LocateSettings> = {}) =>
    locateVolume(parts, { ...settings, ...other }, { ...query, ...more });
  const requireLiving = () => requireLivingPod(parts, query);
  return { kube, locate, requireLiving, csi, pods, directory };
}

function identityOf(path: string): string {
  const { dev, ino } = statSync(path);
  return `${dev}:${ino}`;
}

t.test('a claim, an ephemeral volume and an emptyDir are found', async t => {
  const { locate, csi, pods } = scene(t);
  t.strictSame(await locate(), {
    path: `${csi}/mount`,
    identity: identityOf(`${csi}/mount`),
    isMounted: true,
    claim: { name: 'web-data', uid: 'uid of web-data' },
    hasPassingInodes: true,
  });
  t.match(await locate({ volume: 'temporary' }), { claim: { name: 'web-temporary' } });
  t.match(await locate({ volume: 'scratch' }), {
    path: `${pods}/${UID}/volumes/kubernetes.io~empty-dir/scratch`,
    isMounted: false,
    claim: undefined,
    hasPassingInodes: false,
  });
});

t.test('the pods directory may be a link to another place', async t => {
  const { locate, csi, pods, directory } = scene(t);
  symlinkSync(pods, `${directory}/link`);
  t.match(await locate({}, { hostPods: `${directory}/link` }), { path: `${csi}/mount` });
});

t.test('a pod that is gone or was replaced, and another node, are told', async t => {
  const { locate, kube } = scene(t);
  await t.rejects(locate({ podName: 'none' }), { code: 'POD_NOT_FOUND', message: /not there/ });
  await t.rejects(locate({ podUid: 'other' }), { code: 'POD_NOT_FOUND', message: /replaced/ });
  await t.rejects(locate({}, { nodeName: 'n2' }), {
    code: 'VOLUME_NOT_FOUND',
    message: /is on node worker-1, and this is n2/,
  });
  kube.remove(PERSISTENT_VOLUMES, { name: 'pvc-1' });
  await t.rejects(locate(), { message: /persistent volume pvc-1 is not there/ });
  kube.put(CLAIMS, { metadata: { name: 'web-data', namespace: 'shop' } });
  await t.rejects(locate(), { message: /claim shop\/web-data: it is not bound/ });
  kube.remove(CLAIMS, { namespace: 'shop', name: 'web-data' });
  await t.rejects(locate(), { message: /claim web-data, which is not there/ });
});

t.test('a pod that has ended may have lost files already, and that is told', async t => {
  const { kube, requireLiving } = scene(t);
  await requireLiving();
  const identity = { name: 'web', namespace: 'shop', uid: UID };
  const states = [
    { metadata: { ...identity, deletionTimestamp: '2026-01-01T00:00:00Z' } },
    { metadata: identity, status: { phase: 'Succeeded' } },
    { metadata: identity, status: { phase: 'Failed' } },
  ];
  for (const state of states) {
    kube.put(PODS, state); // more than KubeObject has
    await t.rejects(requireLiving(), { code: 'VOLUME_NOT_MOUNTED' });
  }
  kube.put(PODS, { metadata: { ...identity, uid: 'another' } });
  await t.rejects(requireLiving(), { code: 'POD_NOT_FOUND' });
});

t.test('a pods directory that is not there is told', async t => {
  const { locate, directory } = scene(t);
  const locating = locate({}, { hostPods: `${directory}/none` });
  await t.rejects(locating, { code: 'VOLUME_NOT_FOUND', message: /ENOENT.*kubelet's pods/ });
  mkdirSync(`${directory}/empty`);
  await t.rejects(locate({}, { hostPods: `${directory}/empty` }), {
    message: /is the pod on this node/,
  });
});

// What a move reads of the API, over HTTP and with the CRDs of each version of Velero: names, label
// selectors, base64, refusals.

import { mkdirSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { systemClock } from '#engine/base/clock.ts';
import { findLocation } from '#agent/repositories/find-location.ts';
import { planLocation } from '#agent/repositories/location-plan.ts';
import { waitUntilReady } from '#agent/repositories/ready-repository.ts';
import { SECRETS } from '#kube/core-resources.ts';
import { readSecret } from '#agent/repositories/secrets.ts';
import { locateVolume } from '#agent/volumes/locate-volume.ts';
import { TimedStat } from '#agent/volumes/timed-stat.ts';
import { startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { VELERO_VERSIONS } from '#test/kube-emulator/velero-crds.ts';

const namespace = 'velero';
const NAME = { volumeNamespace: 'shop', backupStorageLocation: 'default' };

for (const version of VELERO_VERSIONS) {
  t.test(`a move finds all that it needs beneath Velero ${version}`, async t => {
    const api = await startKubeEmulator({ velero: version });
    t.teardown(() => api.stop());
    const kube = api.client();
    const metadata = { name: 'default', namespace };
    api.add({
      kind: 'BackupStorageLocation',
      metadata,
      spec: {
        provider: 'aws',
        config: { region: 'minio', s3Url: 'http://minio:9000', tagging: 'a=b' },
        objectStorage: { bucket: 'backups', prefix: 'cluster-a' },
        credential: { name: 'cloud-credentials', key: 'cloud' },
      },
    });
    const location = await findLocation({ kube, namespace }, 'default', 'write');
    t.match(planLocation(location, 'shop'), {
      s3: { prefix: 'cluster-a/kopia/shop/', tagging: 'a=b' },
      credential: { name: 'cloud-credentials' },
    });
    const labels = {
      'velero.io/volume-namespace': 'shop',
      'velero.io/storage-location': 'default',
      'velero.io/repository-type': 'kopia',
    };
    const spec = {
      ...NAME,
      repositoryType: 'kopia',
      maintenanceFrequency: '1h0m0s',
      resticIdentifier: 'none',
    };
    const other = { ...labels, 'velero.io/volume-namespace': 'shop2' };
    const repository = { kind: 'BackupRepository', spec, status: { phase: 'Ready' } };
    api.add({ ...repository, metadata: { name: 'other', namespace, labels: other } });
    api.add({ ...repository, metadata: { name: 'shop-default-kopia', namespace, labels } });
    await waitUntilReady({ kube, clock: systemClock, namespace, timeoutMs: 1000 }, NAME);
    const data = { 'repository-password': Buffer.from('secret').toString('base64') };
    api.add({ kind: 'Secret', metadata: { name: 'velero-repo-credentials', namespace }, data });
    const key = { name: 'velero-repo-credentials', key: 'repository-password' };
    t.equal(await readSecret({ kube, namespace }, key, 'the password'), 'secret');
    const missing = readSecret({ kube, namespace }, { ...key, name: 'none' }, 'the password');
    await t.rejects(missing, { code: 'SECRET_NOT_FOUND' });
    const unknown = findLocation({ kube, namespace }, 'none', 'write');
    await t.rejects(unknown, { code: 'STORAGE_LOCATION_NOT_FOUND' });
    api.access.deny({ verb: 'get', plural: SECRETS.plural });
    const refused = readSecret({ kube, namespace }, key, 'the password');
    await t.rejects(refused, { code: 'KUBE_FORBIDDEN' });
  });
}

t.test('a volume is found from the objects that a server has', async t => {
  const api = await startKubeEmulator();
  t.teardown(() => api.stop());
  const kube = api.client();
  const pod = api.add({
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      nodeName: 'worker-1',
      containers: [{ name: 'web', image: 'nginx' }],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'web-data' } }],
    },
  });
  const claim = api.add({
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'web-data', namespace: 'shop' },
    spec: { volumeName: 'pv-1', volumeMode: 'Filesystem' },
  });
  api.add({ kind: 'PersistentVolume', metadata: { name: 'pv-1' }, spec: { csi: { driver: 'd' } } });
  const podUid = String(pod.metadata.uid);
  const root = t.testdir({});
  const path = `${root}/${podUid}/volumes/kubernetes.io~csi/pv-1/mount`;
  mkdirSync(path, { recursive: true });
  const mountTable = `${root}/mountinfo`;
  writeFileSync(mountTable, `1 1 0:1 / ${path} rw - ext4 /dev/sda rw\n`);
  const settings = { hostPods: root, nodeName: 'worker-1', mountTable };
  const parts = { kube, stat: new TimedStat({ clock: systemClock }) };
  const query = { podUid, podNamespace: 'shop', podName: 'web', volume: 'data' };
  const found = await locateVolume(parts, settings, query);
  t.match(found, { path, claim: { name: 'web-data', uid: claim.metadata.uid } });
});

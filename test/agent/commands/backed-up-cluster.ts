// A cluster that is emulated, with what a Velero server, stock agents and a backup have left there:
// a storage location in a directory, a repository with a snapshot, and the object that names it.

import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { backup, createRepository, openRepository, openStorageAt } from '#engine/index.ts';
import { type KubeEmulator, startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';

export const PASSWORD = 'a-passw0rd-nobody-may-see';
const OWNER = Object.freeze({ user: 'default', host: 'default' });

export interface BackedUpCluster {
  readonly api: KubeEmulator;
  readonly kubeconfig: string;
  readonly snapshotId: string;
}

const inVelero = (name: string) => ({ name, namespace: 'velero' });

export async function backedUpCluster(t: Test): Promise<BackedUpCluster> {
  const made = await template();
  const root = t.testdir({});
  cpSync(made.root, root, { recursive: true });
  const api = await startKubeEmulator({ velero: '1.18' });
  t.teardown(() => api.stop());
  const { snapshotId } = made;
  installVelero(api, root);
  const moved = (name: string, volume: string, status: object) =>
    api.add({
      ...{ apiVersion: 'velero.io/v1', kind: 'PodVolumeBackup' },
      metadata: { ...inVelero(name), labels: { 'velero.io/backup-name': 'daily' } },
      spec: {
        ...{ backupStorageLocation: 'default', node: 'n1', repoIdentifier: '', volume },
        pod: { kind: 'Pod', namespace: 'shop', name: 'db-0', uid: 'u' },
      },
      status,
    });
  moved('daily-1', 'data', { phase: 'Completed', snapshotID: snapshotId });
  moved('daily-2', 'logs', { phase: 'Failed', message: 'the disk is gone' });
  return { api, kubeconfig: api.kubeconfig(), snapshotId };
}

let stored: Promise<{ readonly root: string; readonly snapshotId: string }> | undefined;

/** Deriving a key takes a while, so one repository is made and copied. */
function template() {
  stored ??= (async () => {
    const root = mkdtempSync(join(tmpdir(), 'backed-up-'));
    process.on('exit', () => rmSync(root, { recursive: true, force: true }));
    mkdirSync(join(root, 'source', 'conf'), { recursive: true });
    writeFileSync(join(root, 'source', 'conf', 'my.cnf'), 'port = 1\n');
    writeFileSync(join(root, 'source', 'a\u001b[31mb'), '');
    return { root, snapshotId: await storeSnapshot(root) };
  })();
  return stored;
}

async function storeSnapshot(root: string): Promise<string> {
  const directory = join(root, 'kopia', 'shop');
  mkdirSync(directory, { recursive: true });
  const storage = await openStorageAt({ scheme: 'file', directory });
  await createRepository({ storage, password: PASSWORD, owner: OWNER, forVelero: true });
  await using repository = await openRepository({
    ...{ storage, isStorageOwned: true, password: PASSWORD, owner: OWNER, threads: 1 },
  });
  const path = join(root, 'source');
  const source = { ...OWNER, path: '/data' };
  const { snapshotId } = await backup(repository, { path, source }, {});
  return snapshotId;
}

function installVelero(api: KubeEmulator, root: string): void {
  const password = Buffer.from(PASSWORD).toString('base64');
  const metadata = inVelero('velero-repo-credentials');
  api.add({ kind: 'Secret', metadata, data: { 'repository-password': password } });
  api.add({
    ...{ apiVersion: 'velero.io/v1', kind: 'BackupStorageLocation' },
    metadata: inVelero('default'),
    spec: {
      ...{ provider: 'velero.io/fs', config: { fspath: root } },
      objectStorage: { bucket: 'none' },
    },
    status: { phase: 'Available' },
  });
  api.add({
    ...{ apiVersion: 'velero.io/v1', kind: 'BackupRepository' },
    metadata: inVelero('shop-default-kopia'),
    spec: {
      ...{ backupStorageLocation: 'default', volumeNamespace: 'shop', repositoryType: 'kopia' },
      ...{ maintenanceFrequency: '1h0m0s', resticIdentifier: '' },
    },
    status: { phase: 'Ready' },
  });
  const pod = (name: string, image: string, more: object = {}) => ({
    template: { spec: { containers: [{ name, image }], ...more } },
  });
  const server = pod('velero', 'velero/velero:v1.18.1');
  api.add({ kind: 'Deployment', metadata: inVelero('velero'), spec: server });
  api.add({
    ...{ kind: 'DaemonSet', metadata: inVelero('node-agent') },
    spec: pod('node-agent', 'velero/velero:v1.18.1', { serviceAccountName: 'velero' }),
  });
}

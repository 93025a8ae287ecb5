// `stevedore moves` against an API server that is emulated.

import t, { type Test } from 'tap';
import { type KubeEmulator, startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { cells, runCluster } from './run-cluster.ts';

const ago = (ms: number) => new Date(Date.now() - ms).toISOString().replace(/\.\d+Z$/, 'Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

async function startCluster(t: Test): Promise<KubeEmulator> {
  const api = await startKubeEmulator({ velero: '1.18' });
  t.teardown(() => api.stop());
  const add = (name: string, namespace: string, status: object, spec: object = {}) =>
    api.add({
      ...{ apiVersion: 'velero.io/v1', kind: 'PodVolumeBackup' },
      metadata: { name, namespace: 'velero', labels: { 'velero.io/backup-name': 'daily' } },
      spec: {
        ...{ backupStorageLocation: 'default', node: 'n1', repoIdentifier: '', volume: 'data' },
        pod: { kind: 'Pod', namespace, name: 'db-0', uid: 'u' },
        ...spec,
      },
      status,
    });
  const progress = { totalBytes: 4 * 2 ** 20, bytesDone: 2 ** 20 };
  add('a-moves', 'shop', { phase: 'InProgress', startTimestamp: ago(10_000), progress });
  add('b-waits', 'blog', {}, { cancel: true, node: 'n2' });
  const ended = { phase: 'Completed', startTimestamp: ago(3 * HOUR), progress };
  add('c-old', 'shop', { ...ended, completionTimestamp: ago(2 * HOUR) });
  const failed = { phase: 'Failed', message: 'no \u001b[31mroom' };
  add('d-failed', 'shop', { ...failed, completionTimestamp: ago(MINUTE) });
  api.add({
    ...{ apiVersion: 'velero.io/v2alpha1', kind: 'DataDownload' },
    metadata: { name: 'e-down', namespace: 'velero' },
    spec: {
      ...{ backupStorageLocation: 'default', snapshotID: 'x', sourceNamespace: 'shop' },
      ...{ operationTimeout: '10m', targetVolume: { pvc: 'files', pv: '', namespace: 'new' } },
    },
    status: { phase: 'Accepted', acceptedByNode: 'n3' },
  });
  return api;
}

t.test('what moves, what waits and what has just ended, of all kinds', async t => {
  const api = await startCluster(t);
  const { status, stdout } = await runCluster(['moves'], { kubeconfig: api.kubeconfig() });
  t.equal(status, 0);
  const lines = cells(stdout);
  t.equal(lines[0], '3 moves under way or waiting, 1 over (1 older with --all)');
  t.match(lines[3], /^pvb\/a-moves \| shop\/db-0\/data \| n1 \| InProgress \| 1 MiB, 25 % \|/);
  t.match(lines[3], /\| (\d\d\.?\d?|10\d) KiB\/s \| \d\d s \| 1\d s \| \d+ s$/);
  t.match(stdout, /pvb\/b-waits +blog\/db-0\/data +n2 +New \(to be canceled\)/);
  t.match(stdout, /dd\/e-down +new\/files +n3 +Accepted/);
  t.match(stdout, /\nWhy: kubectl stevedore why pvb\/d-failed\n$/);
  t.notMatch(stdout, '\u001b');
  t.ok(api.requests.every(({ method }) => method === 'GET'));
});

t.test('kinds that may not be listed are named, and the others shown', async t => {
  const api = await startCluster(t);
  const { kubeconfig } = { kubeconfig: api.kubeconfig() };
  api.access.deny({ plural: 'datauploads' });
  const text = await runCluster(['moves'], { kubeconfig });
  t.equal(text.status, 0, text.stderr);
  t.match(text.stdout, /pvb\/a-moves[^]*\nNot seen: datauploads, which you may not list\.\n$/);
  const { stdout } = await runCluster(['moves', '-o', 'json'], { kubeconfig });
  t.match(JSON.parse(stdout), { unseen: ['datauploads'] });
  for (const plural of ['podvolumebackups', 'podvolumerestores', 'datadownloads'])
    api.access.deny({ plural });
  t.match(await runCluster(['moves'], { kubeconfig }), { status: 1, stderr: /KUBE_FORBIDDEN/ });
});

t.test('no Velero is told from no moves', async t => {
  const without = await startKubeEmulator();
  t.teardown(() => without.stop());
  const none = await runCluster(['moves'], { kubeconfig: without.kubeconfig() });
  t.match(none, { status: 1, stderr: /is its CRD installed/ });
  const api = await startCluster(t);
  const words = ['moves', '--velero-namespace', 'elsewhere'];
  const elsewhere = await runCluster(words, { kubeconfig: api.kubeconfig() });
  t.match(elsewhere, { status: 1, stderr: /there is no namespace elsewhere; say in which/ });
});

t.test('a context that is not there is named, with those that are', async t => {
  const api = await startCluster(t);
  const words = ['moves', '--context', 'prod'];
  const { stderr } = await runCluster(words, { kubeconfig: api.kubeconfig() });
  t.match(stderr, /has no context prod; it has emulator\n/);
});

t.test('filtered by namespace, node and failure, and as a document', async t => {
  const api = await startCluster(t);
  const kubeconfig = api.kubeconfig();
  const names = async (...words: string[]) => {
    const { stdout } = await runCluster(['moves', '-o', 'json', ...words], { kubeconfig });
    const { moves } = JSON.parse(stdout) as { moves: { name: string }[] };
    return moves.map(({ name }) => name);
  };
  t.strictSame(await names('-n', 'shop'), ['a-moves', 'd-failed']);
  t.strictSame((await names('-n', 'shop', '--all')).toSorted(), ['a-moves', 'c-old', 'd-failed']);
  t.strictSame(await names('--failed', '-A'), ['d-failed']);
  t.strictSame(await names('--node', 'n2'), ['b-waits']);
  t.strictSame(await names('--velero-namespace', 'default'), []);
});

t.test('what cannot be done is said in a sentence, with what to do', async t => {
  const api = await startCluster(t);
  const kubeconfig = api.kubeconfig();
  for (const plural of ['podvolumebackups', 'podvolumerestores', 'datauploads', 'datadownloads'])
    api.access.deny({ plural });
  const denied = await runCluster(['moves'], { kubeconfig });
  t.equal(denied.status, 1);
  t.match(denied.stderr, /cannot list podvolumebackups\.velero\.io in namespace velero/);
  t.match(denied.stderr, /KUBE_FORBIDDEN/);
  const none = await runCluster(['moves'], { environment: { HOME: '/nowhere' } });
  t.equal(none.status, 1);
  t.match(none.stderr, /neither a service account nor a kubeconfig/);
  t.match(none.stderr, /try: give --kubeconfig FILE or set KUBECONFIG/);
  const wrong = await runCluster(['moves', '-n', 'UPPER'], { kubeconfig });
  t.equal(wrong.status, 2);
  t.match(wrong.stderr, /--namespace is 'UPPER'/);
  const away = kubeconfig.replace(/127\.0\.0\.1:\d+/, '127.0.0.1:1');
  const unreachable = await runCluster(['moves', '-o', 'json'], { kubeconfig: away });
  t.equal(unreachable.status, 1);
  t.match(JSON.parse(unreachable.stdout), { error: { code: 'KUBE_UNAVAILABLE' } });
});

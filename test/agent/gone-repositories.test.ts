import t from 'tap';
import { AgentMetrics } from '#agent/metrics.ts';
import { followGoneRepositories } from '#agent/gone-repositories.ts';
import { REPOSITORIES } from '#agent/repositories/repository-objects.ts';
import { startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { until } from '#test/kube/manual-clock.ts';

function repository(name: string, type = 'kopia') {
  const labels = { 'velero.io/repository-type': type };
  const spec = {
    volumeNamespace: name,
    backupStorageLocation: 'default',
    repositoryType: 'kopia',
    maintenanceFrequency: '1h0m0s',
    resticIdentifier: '',
  };
  return { kind: 'BackupRepository', metadata: { name, namespace: 'velero', labels }, spec };
}

t.test('a BackupRepository that goes, or is made again, is told of once', async t => {
  const api = await startKubeEmulator({ velero: '1.18' });
  t.teardown(() => api.stop());
  const gone: string[] = [];
  using metrics = new AgentMetrics('worker-1');
  for (const name of ['stays', 'goes', 'again']) api.add(repository(name));
  api.add(repository('others', 'restic'));
  const before = api.object(REPOSITORIES, { namespace: 'velero', name: 'again' })?.metadata.uid;
  const following = followGoneRepositories({
    client: api.client(),
    namespace: 'velero',
    onPhase: (phaseBefore, now) => metrics.repositoryChanged(phaseBefore, now),
    forget: async ({ metadata, spec }) =>
      void gone.push(`${spec?.volumeNamespace ?? ''} ${metadata.uid ?? ''}`),
  });
  await until(() => api.watchCount() === 1);
  const remove = (name: string) => api.remove(REPOSITORIES, { namespace: 'velero', name });
  const goes = api.object(REPOSITORIES, { namespace: 'velero', name: 'goes' })?.metadata.uid;
  api.change(REPOSITORIES, { namespace: 'velero', name: 'stays' }, object => {
    object.status = { phase: 'Ready' };
  });
  remove('others');
  remove('goes');
  await until(() => gone.length === 1);
  // Both within one watch that is missed.
  const release = api.holdWatches();
  remove('again');
  api.add(repository('again'));
  release();
  await until(() => gone.length === 2);
  const text = await metrics.registry.metrics();
  for (const [phase, count] of Object.entries({ Ready: 1, New: 1, NotReady: 0, other: 0 })) {
    t.match(text, `stevedore_backup_repositories{phase="${phase}"} ${count}\n`);
  }
  await following[Symbol.asyncDispose]();
  t.strictSame(gone, [`goes ${goes ?? ''}`, `again ${before ?? ''}`]);
  // And then it ends.
  await until(() => api.watchCount() === 0);
});

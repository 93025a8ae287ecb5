import t from 'tap';
import { ClusterObjects } from '#agent/exposer/cluster-objects.ts';
import type { VolumeClaim } from '#agent/exposer/exposed-objects.ts';
import { CLAIMS } from '#kube/core-resources.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import { startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';

const NAME = { namespace: 'default', name: 'data' };

function makeClaim(client: KubeClient): Promise<VolumeClaim> {
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
  return client.create<VolumeClaim>(CLAIMS, { metadata: NAME, spec });
}

t.test('what has the name of something deleted meanwhile is not deleted in its place', async t => {
  const api = await startKubeEmulator({});
  t.teardown(() => api.stop());
  const client = api.client();
  const objects = new ClusterObjects(client);
  const first = await makeClaim(client);
  await objects.delete(CLAIMS, first);
  const second = await makeClaim(client);
  await objects.delete(CLAIMS, first);
  t.match(await objects.get(CLAIMS, NAME), { metadata: { uid: second.metadata.uid } });
  await objects.delete(CLAIMS, second);
  t.equal(await objects.get(CLAIMS, NAME), undefined);
  await objects.delete(CLAIMS, second);
});

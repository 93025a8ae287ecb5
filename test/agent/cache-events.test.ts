// A cache that is lost and comes back, as `kubectl describe pod` tells it.

import t, { type Test } from 'tap';
import { cacheEvents } from '#agent/cache-events.ts';
import { EVENTS, EventWriter } from '#kube/events.ts';
import { HttpKubeClient } from '#kube/http-client.ts';
import type { KubeObject } from '#kube/kube-object.ts';
import { until } from '#test/kube/manual-clock.ts';
import { startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';

const POD = { namespace: 'velero', name: 'node-agent-x7x2p' };
const LOST = { kind: 'unavailable', reason: 'the directory is gone' } as const;
const BACK = { kind: 'attached', directory: '/cache' } as const;

async function scene(t: Test) {
  const api = await startKubeEmulator({ velero: '1.18' });
  t.teardown(() => api.stop());
  let answers = 0;
  const onAttempt = (): void => void answers++;
  const client = new HttpKubeClient(api.connection(), { onAttempt });
  const writer = new EventWriter({ client, component: 'agent', nodeName: 'worker-1' });
  const tell = cacheEvents({ client, pod: POD, emit: writer.emit });
  const addPod = () => api.add({ kind: 'Pod', metadata: { ...POD } });
  // By version: they have the order of their names, which are random.
  const versionOf = ({ metadata }: KubeObject) => Number(metadata.resourceVersion);
  const events = () =>
    api.objects(EVENTS, POD.namespace).toSorted((a, b) => versionOf(a) - versionOf(b));
  return { addPod, tell, events, answers: () => answers };
}

t.test('a cache that is lost and back is told of the pod of the agent, in order', async t => {
  const { addPod, tell, events } = await scene(t);
  const { uid } = addPod().metadata;
  tell(BACK);
  tell(LOST);
  tell({ kind: 'limit', bytes: 0, reason: 'file system' });
  tell(BACK);
  await until(() => events().length === 2);
  const involvedObject = { kind: 'Pod', name: POD.name, uid };
  t.match(events(), [
    {
      ...{ type: 'Warning', reason: 'CacheUnavailable', involvedObject },
      message: 'moves go on without a cache: the directory is gone',
    },
    {
      ...{ type: 'Normal', reason: 'CacheAttached', involvedObject },
      message: 'the cache in /cache is used again',
    },
  ]);
});

t.test('where the pod of the agent has another name, the log has to do', async t => {
  const { addPod, tell, events, answers } = await scene(t);
  tell(LOST);
  await until(() => answers() === 1);
  addPod();
  tell(BACK);
  await until(() => events().length > 0);
  t.match(events(), [{ reason: 'CacheAttached' }], 'nothing waited for the pod');
});

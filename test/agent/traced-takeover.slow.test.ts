// A trace that goes on in another process: an agent that is killed in the middle of a move, and the
// one that the kubelet starts in its place.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { POD_VOLUME_BACKUPS } from '#agent/moves/objects/pod-volume-backup.ts';
import { createRepository } from '#engine/index.ts';
import * as velero from '#test/demo/velero-objects.ts';
import { startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { BACKUP, ended, PASSWORD } from '#test/support/agent-scene.ts';
import { OtlpReceiver } from '#test/support/otlp-receiver.ts';
import { ServiceProcess } from '#test/support/service-process.ts';
import { traced } from '#test/support/tracing-scene.ts';
import { until } from '#test/kube/manual-clock.ts';

t.test('the agent after one that was killed goes on with the trace of its move', async t => {
  const receiver = await OtlpReceiver.start(t);
  const { api, repository, words } = await scene(t);
  // For as long as it is not ready a move that has begun waits for it.
  api.put({ ...repository, status: { phase: 'New' } });
  const agent = () => new ServiceProcess([...words, '--otlp-endpoint', receiver.url]);
  const first = agent();
  t.teardown(() => first.end('SIGKILL'));
  await first.lineWith(({ message }) => message === 'ready');
  const move = api.add(velero.podVolumeBackup('daily-1', BACKUP, podOf(api, words)));
  // What has ended is sent every five seconds, whether or not the move has.
  await until(() => receiver.named('find the volume').length > 0);
  await first.end('SIGKILL');
  const before = [...receiver.spans];
  t.match(api.objects(POD_VOLUME_BACKUPS, 'velero'), [{ status: { phase: 'InProgress' } }]);
  t.notOk(
    before.some(({ name }) => name === 'move'),
    'its own end nobody has told',
  );

  await using second = agent();
  await second.lineWith(({ message }) => message === 'ready');
  api.put(repository);
  t.match(await ended(api, POD_VOLUME_BACKUPS, 'daily-1'), { phase: 'Completed' });
  t.equal(await second.end('SIGTERM'), 0);

  const traceId = String(move.metadata.uid).replaceAll('-', '');
  t.equal(traced(api, 'daily-1'), traceId);
  t.strictSame([...new Set(receiver.spans.map(each => each.traceId))], [traceId]);
  const [root] = receiver.named('move');
  t.match(root.values, { 'stevedore.is_taken_over': true, 'stevedore.outcome': 'Completed' });
  const partsOf = (parent: string | undefined) =>
    receiver.spans.filter(({ parentSpanId }) => parentSpanId === parent).map(({ name }) => name);
  const [ofKilled] = before;
  t.not(ofKilled?.parentSpanId, root.spanId, 'each process has a `move` of its own');
  t.strictSame(partsOf(ofKilled?.parentSpanId).sort(), before.map(({ name }) => name).sort());
  for (const name of ['upload', 'publish']) t.ok(partsOf(root.spanId).includes(name), name);
  const lines = second.lines.filter(line => line.move === 'velero/daily-1');
  t.ok(lines.length > 0 && lines.every(line => line.traceId === traceId), 'so does its log');
});

type Scene = Awaited<ReturnType<typeof scene>>;

async function scene(t: Test) {
  const directory = t.testdir({ pods: {}, bucket: {} });
  const api = await startKubeEmulator({ velero: '1.18' });
  t.teardown(() => api.stop());
  api.put({ kind: 'Node', metadata: { name: velero.NODE } });
  const seeds = velero.surroundings(join(directory, 'bucket'), PASSWORD);
  for (const seed of seeds) api.put(seed);
  const repository = seeds.find(({ kind }) => kind === 'BackupRepository');
  if (repository === undefined) throw new Error('the server would have made one');
  const folder = join(directory, 'bucket/kopia', velero.NAMESPACE);
  mkdirSync(folder, { recursive: true });
  const owner = { user: 'default', host: 'default' };
  const url = pathToFileURL(folder).href;
  await createRepository({ url, password: PASSWORD, owner, forVelero: true });
  writeFileSync(join(directory, 'kubeconfig'), api.kubeconfig());
  const words = [
    ...['node-agent', '--kubeconfig', join(directory, 'kubeconfig')],
    ...['--node-name', velero.NODE, '--metrics-address', '127.0.0.1:0'],
    ...['--host-pods', join(directory, 'pods')],
  ];
  return { api, repository, words };
}

/** A running pod, and its volume on the node. */
function podOf(api: Scene['api'], words: Scene['words']): velero.PodIdentity {
  const name = 'web';
  const { uid = '' } = api.add(velero.pod(name)).metadata;
  const files = `${uid}/volumes/kubernetes.io~empty-dir/${velero.VOLUME}`;
  const volume = join(words.at(-1) ?? '', files);
  mkdirSync(volume, { recursive: true });
  writeFileSync(join(volume, 'file'), 'what was there');
  return { name, uid };
}

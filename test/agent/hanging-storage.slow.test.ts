// The node agent as a process of its own beneath an S3 server that takes requests and answers none:
// told to end, it writes how its moves have ended and is gone well before the kubelet kills it.

import { mkdirSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { POD_VOLUME_BACKUPS } from '#agent/moves/objects/pod-volume-backup.ts';
import { POD_VOLUME_RESTORES } from '#agent/moves/objects/pod-volume-restore.ts';
import {
  backup,
  createRepository,
  openRepository,
  openStorage,
  type Storage,
} from '#engine/index.ts';
import * as velero from '#test/demo/velero-objects.ts';
import { CREDENTIALS, type Handler, startFakeS3 } from '#test/engine/storage/fake-s3.ts';
import { MemoryS3 } from '#test/faults/memory-s3.ts';
import { startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { BACKUP, PASSWORD, RESTORE } from '#test/support/agent-scene.ts';
import { putBucket } from '#test/support/bucket-location.ts';
import { ServiceProcess } from '#test/support/service-process.ts';

/** Velero's DaemonSet leaves the kubelet's 30 s, of which `--shutdown-grace` takes 25. */
const END_MS_MAX = 23_000;
const VOLUME_BYTES = 60_000_000;

interface Hang {
  readonly title: string;
  readonly kind: 'PodVolumeBackup' | 'PodVolumeRestore';
  /** What of the requests hangs. */
  readonly isHung: (method: string, key: string) => boolean;
  readonly hang: Handler;
  /** What is said to have had no answer. */
  readonly operation: { readonly operation: string; readonly id?: RegExp };
}

const silent: Handler = () => undefined;
const halfAnswer: Handler = ({ headers }, response) => {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
  response.writeHead(206, {
    'content-length': String(Number(last) - Number(first) + 1),
    'content-range': `bytes ${first}-${last}/100000000`,
  });
  response.write('only some');
};

const TABLE: readonly Hang[] = [
  {
    title: 'from the first request on',
    kind: 'PodVolumeBackup',
    isHung: () => true,
    hang: silent,
    operation: { operation: 'open' },
  },
  {
    title: 'when the data of a backup comes',
    kind: 'PodVolumeBackup',
    isHung: method => method === 'PUT',
    hang: silent,
    operation: { operation: 'put' },
  },
  {
    title: 'in the middle of the data of a restore',
    kind: 'PodVolumeRestore',
    isHung: (method, key) => method === 'GET' && /^p[0-9a-f]/.test(key),
    hang: halfAnswer,
    operation: { operation: 'get', id: /^p[0-9a-f]/ },
  },
];

for (const { title, kind, isHung, hang, operation } of TABLE) {
  t.test(`a storage that hangs ${title} does not keep the agent from ending`, async t => {
    const { api, fake, sound, directory, begin } = await scene(t);
    const move = await begin(kind);
    const hung = Promise.withResolvers<void>();
    fake.play((request, response, socket) => {
      const key = new URL(request.url, fake.endpoint).pathname.split('/').at(-1) ?? '';
      if (!isHung(request.method, key)) return sound.handle(request, response, socket);
      hang(request, response, socket);
      hung.resolve();
    });
    await using agent = agentOf(directory);
    api.add(move);
    await hung.promise;
    const startMs = performance.now();
    t.equal(await agent.end('SIGTERM'), 0, 'it ends by itself');
    const durationMs = performance.now() - startMs;
    t.ok(durationMs < END_MS_MAX, `after ${Math.round(durationMs)} ms`);
    const resource = kind === 'PodVolumeBackup' ? POD_VOLUME_BACKUPS : POD_VOLUME_RESTORES;
    t.match(api.objects(resource, 'velero'), [
      { status: { phase: 'Failed', message: /^interrupted: the node agent was stopped/ } },
    ]);
    const text = 'a storage does not answer and is cut off';
    const said = agent.lines.filter(({ message }) => message === text);
    const what = { storage: 's3://bucket/kopia/shop/', ...operation };
    t.match(said[0]?.operations, [what], 'and says what had no answer');
  });
}

async function scene(t: Test) {
  const directory = t.testdir({ pods: {}, source: {} });
  const fake = await startFakeS3(t);
  const sound = new MemoryS3();
  fake.play(sound.handle);
  const api = await startKubeEmulator({ velero: '1.18' });
  t.teardown(() => api.stop());
  api.put({ kind: 'Node', metadata: { name: velero.NODE } });
  for (const seed of velero.surroundings(directory, PASSWORD)) api.put(seed);
  putBucket(api, fake.endpoint);
  writeFileSync(join(directory, 'kubeconfig'), api.kubeconfig());
  const url = `s3://bucket/kopia/shop?endpoint=${fake.endpoint}&region=minio`;
  const storage = await openStorage(url, { s3Credentials: CREDENTIALS });
  const owner = { user: 'default', host: 'default' };
  await createRepository({ storage, password: PASSWORD, owner, forVelero: true });
  const begin = async (kind: Hang['kind']) => {
    const isRestore = kind === 'PodVolumeRestore';
    const options = isRestore ? { waiting: 'running' as const } : {};
    const { uid = '' } = api.add(velero.pod('web', options)).metadata;
    const volume = join(directory, `pods/${uid}/volumes/kubernetes.io~empty-dir`, velero.VOLUME);
    mkdirSync(volume, { recursive: true });
    const web = { name: 'web', uid };
    const source = isRestore ? join(directory, 'source') : volume;
    writeFileSync(join(source, 'file'), randomBytes(VOLUME_BYTES));
    const snapshotId = isRestore ? await store(storage, source) : '';
    await storage.close();
    return isRestore
      ? velero.podVolumeRestore('restored-1', RESTORE, { restored: web, snapshotId })
      : velero.podVolumeBackup('daily-1', BACKUP, web);
  };
  return { api, fake, sound, directory, begin };
}

async function store(storage: Storage, path: string): Promise<string> {
  await using repository = await openRepository({ storage, password: PASSWORD });
  const { snapshotId } = await backup(repository, { path });
  return snapshotId;
}

function agentOf(directory: string): ServiceProcess {
  return new ServiceProcess([
    ...['node-agent', 'server'],
    ...['--kubeconfig', join(directory, 'kubeconfig'), '--node-name', velero.NODE],
    ...['--host-pods', join(directory, 'pods'), '--metrics-address', '127.0.0.1:0'],
  ]);
}

// The annotator as a program on a real API server, with as many pods as a large cluster has: what
// it asks for, how long that takes and how much memory. Counted by the API server's own metrics.

import { readFileSync } from 'node:fs';
import t from 'tap';
import { mapBounded } from '#engine/base/map-bounded.ts';
import { ServiceProcess } from '#test/support/service-process.ts';
import type { ApiClient, ApiObject } from './api-client.ts';
import { controlPlaneIsMissing, startControlPlane } from './control-plane.ts';

const NAMESPACES = 412;
const PODS = 5_000;
/** Objects in one answer of a list (agent/kube/http-client.ts). */
const PAGE_ITEMS = 250;
const CREATED_AT_ONCE = 24;
const READY_MS_MAX = 2_000;
const MIB = 2 ** 20;
const PROCESS_BYTES_MAX = 150 * MIB;
const RULES = JSON.stringify([
  { action: 'ignore', namespaces: ['kube-*', 'default', 'velero'] },
  { action: 'exclude', volumeTypes: ['emptyDir'], podLabels: { tier: 'front-*' } },
  { action: 'include', storageClasses: ['fast'], sizeMax: '10Gi' },
]);

t.test(
  `${PODS} pods of ${NAMESPACES} namespaces are each listed once and decided about within ` +
    `${READY_MS_MAX} ms of the lists being in, which is when the annotator is ready; ` +
    'all are annotated then, and nobody is throttled',
  { skip: controlPlaneIsMissing(), timeout: 400_000 },
  async t => {
    await using plane = await startControlPlane();
    const { client, kubeconfig } = plane;
    await client.create(of('Namespace', 'velero'));
    const beganMs = performance.now();
    await createAll(client);
    t.comment(`created in ${seconds(performance.now() - beganMs)}`);
    const before = await requestsOf(client);
    await using controller = new ServiceProcess([
      ...['controller', '--plaintext', '--listen-address=127.0.0.1:0', '--log-format=json'],
      ...['--metrics-address=127.0.0.1:0', `--kubeconfig=${kubeconfig}`],
      ...['--annotator', `--annotator-rules=${RULES}`],
    ]);
    const said = (text: string) => controller.lineWith(({ message }) => message === text);
    const { port } = await said('metrics are served');
    const served = async (path: string) =>
      await (await fetch(`http://127.0.0.1:${String(port)}${path}`)).text();

    const looked = await said('every pod was looked at');
    t.match(await served('/readyz'), /^\[\+\] lease\n\[\+\] annotator\n[^]*\nready\n$/);
    t.match(looked.pods, { chosen: 0, outdated: PODS });
    t.ok(Number(looked.durationMs) < READY_MS_MAX, `ready after ${String(looked.durationMs)} ms`);
    const annotated = await said('the first pass is over');
    t.equal(annotated.written, PODS);
    t.comment(`annotated after ${seconds(Number(annotated.durationMs))}`);
    const rss = residentBytes(controller.pid);
    t.ok(rss <= PROCESS_BYTES_MAX, `it takes ${Math.round(rss / MIB)} MiB`);

    const after = await requestsOf(client);
    const made = (key: string) => (after.get(key) ?? 0) - (before.get(key) ?? 0);
    // Each page of a list is a request; the next one would make them more.
    t.equal(made('LIST pods cluster 200'), Math.ceil(PODS / PAGE_ITEMS));
    for (const resource of ['persistentvolumeclaims', 'persistentvolumes']) {
      t.equal(made(`LIST ${resource} cluster 200`), Math.ceil(NAMESPACES / PAGE_ITEMS), resource);
    }
    t.equal(made('PATCH pods resource 200'), PODS, 'each pod is written once');
    const refused = [...after.keys()].filter(key => key.endsWith(' 429') && made(key) > 0);
    t.strictSame(refused, [], 'the server holds nobody back, and nothing else does');
    const { items } = await client.get<{ items: ApiObject[] }>('/api/v1/pods');
    const wrong = items.filter(pod => !isRight(pod)).map(({ metadata }) => metadata.name);
    t.strictSame(wrong, []);
    const metrics = await served('/metrics');
    t.match(metrics, `stevedore_controller_annotator_pods{state="chosen"} ${PODS}\n`);
    t.match(metrics, 'stevedore_controller_annotator_changes_total{result="failed"} 0\n');
  },
);

function isRight({ metadata: { annotations = {}, labels = {} } }: ApiObject): boolean {
  const isFront = labels.tier === 'front-end';
  return (
    annotations['backup.velero.io/backup-volumes'] === 'data' &&
    annotations['backup.velero.io/backup-volumes-excludes'] === (isFront ? 'cache' : undefined)
  );
}

function of(kind: string, name: string, namespace?: string): ApiObject {
  return { apiVersion: 'v1', kind, metadata: { name, namespace } };
}

/** In each namespace a claim of a volume of its own, which all of its pods mount. */
async function createAll(client: ApiClient): Promise<void> {
  const names = Array.from({ length: NAMESPACES }, (_, index) => `team-${index}`);
  await mapBounded(names, { parallelism: CREATED_AT_ONCE }, async name => {
    await client.create(of('Namespace', name));
    await client.create(of('ServiceAccount', 'default', name));
    await client.create(volumeOf(name));
    await client.create(claimOf(name));
  });
  await mapBounded(Array(PODS).keys(), { parallelism: CREATED_AT_ONCE }, index =>
    client.create(podOf(index, names[index % NAMESPACES] ?? '')),
  );
}

const SIZE = { storage: '5Gi' };

function volumeOf(name: string): ApiObject {
  const csi = { driver: 'csi.example.org', volumeHandle: name };
  return {
    ...of('PersistentVolume', name),
    spec: { csi, capacity: SIZE, accessModes: ['ReadWriteMany'], storageClassName: 'fast' },
  };
}

function claimOf(name: string): ApiObject {
  return {
    ...of('PersistentVolumeClaim', 'data', name),
    spec: {
      ...{ storageClassName: 'fast', volumeName: name, accessModes: ['ReadWriteMany'] },
      resources: { requests: SIZE },
    },
  };
}

function podOf(index: number, namespace: string): ApiObject {
  const { apiVersion, kind, metadata } = of('Pod', `pod-${index}`, namespace);
  const labels = { app: `app-${index % 20}`, tier: index % 2 === 0 ? 'front-end' : 'back-end' };
  const mounts = ['data', 'cache', 'settings'].map(name => ({ name, mountPath: `/${name}` }));
  return {
    ...{ apiVersion, kind },
    metadata: { ...metadata, labels, annotations: { note: 'x'.repeat(500) } },
    spec: {
      volumes: [
        { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
        { name: 'cache', emptyDir: {} },
        { name: 'settings', configMap: { name: 'settings' } },
      ],
      containers: [
        {
          ...{ name: 'app', image: 'registry.example/app:1', volumeMounts: mounts },
          env: Array.from({ length: 20 }, (_, number) => ({
            name: `VARIABLE_${number}`,
            value: 'x'.repeat(40),
          })),
        },
      ],
    },
  };
}

/** Requests that the API server has answered, by verb, resource, scope and status. */
async function requestsOf(client: ApiClient): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const text = await client.text('/metrics');
  for (const line of text.split('\n')) {
    if (!line.startsWith('apiserver_request_total{')) continue;
    const label = (name: string) => new RegExp(`[{,]${name}="([^"]*)"`).exec(line)?.[1] ?? '';
    const key = ['verb', 'resource', 'scope', 'code'].map(label).join(' ');
    counts.set(key, (counts.get(key) ?? 0) + Number(line.split(' ').at(-1)));
  }
  return counts;
}

function residentBytes(pid: number): number {
  const [, pages = ''] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ');
  return Number(pages) * 4096;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

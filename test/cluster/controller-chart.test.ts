// What the chart installs of the controller, on a real API server: that it is taken, that its pods
// are `restricted`, and that the controller leads, hears agents, tells them of the queue, ends what
// is stuck and deletes what was left behind with the rights, the settings and the certificate of
// the chart, and nothing else.

import { DATA_MOVE_FINALIZER } from '#agent/moves/objects/well-known-names.ts';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import t, { type Test } from 'tap';
import { systemClock } from '#engine/base/clock.ts';
import { askOverview } from '#proto/overview-client.ts';
import { SessionClient } from '#proto/session-client.ts';
import { TOKEN_AUDIENCE } from '#proto/wire-limits.ts';
import { helmIsMissing, renderChart } from '#test/charts/helm.ts';
import { makeAuthority, makePair } from '#test/support/certificates.ts';
import { ServiceProcess } from '#test/support/service-process.ts';
import { type ApiClient, type ApiObject, pathOf } from './api-client.ts';
import { isMissing } from './cluster-programs.ts';
import { type ControlPlane, controlPlaneIsMissing, startControlPlane } from './control-plane.ts';
import { applyVeleroCrds } from './velero-crds.ts';

const HOST = 'stevedore-controller.velero.svc';
const NAMESPACE = '/api/v1/namespaces/velero';
const MOVES = '/apis/velero.io/v1/namespaces/velero/podvolumebackups';
/** Nobody makes them here: there is no controller manager. */
const ACCOUNT = { name: 'default', namespace: 'confined' };
const DEFAULT_ACCOUNT = { name: 'default', namespace: 'velero' };
const LEFT = 'left';
/** Two looks, 15 s apart. */
const STUCK_MS_MAX = 90_000;
const VALUES = [
  '--set=image.repository=registry.example/stevedore,controller.enabled=true',
  '--set=controller.configuration.locationSlots.offsite=2',
  '--set=controller.configuration.agentAbsence=1s',
];

interface Installed extends ApiObject {
  readonly data?: Readonly<Record<string, string>>;
}

t.test(
  'a controller has what it needs from its chart',
  { skip: controlPlaneIsMissing() || helmIsMissing() || isMissing('velero-crds') },
  async t => {
    await using plane = await startControlPlane();
    const { client } = plane;
    for (const name of ['velero', 'confined']) await client.create(namespace(name));
    await client.create({ ...core('ServiceAccount'), metadata: ACCOUNT });
    await applyVeleroCrds(client, 'v1.16.2');
    for (const name of ['worker-1', 'worker-2']) {
      await client.create({ ...core('Node'), metadata: { name } });
      await client.create(backupOf(name));
    }
    await client.create(dataUploadOf('worker-2'));
    const staying = await leaveBehind(client);
    // Of the chart, and the API server says whether they are objects.
    const objects = renderChart(...VALUES) as Installed[];
    for (const object of objects) await client.apply(object);
    await t.resolves(client.create(controllerPod(objects)), 'its pods are restricted');
    const directory = t.testdir({});
    await putFiles(directory, plane, objects);
    await using controller = startController(directory, objects);
    const { port } = await controller.lineWith(({ message }) => message === 'agents may connect');
    await controller.lineWith(({ message }) => message === 'this controller leads');
    const agent = await agentOf(t, client, {
      port: Number(port),
      ca: readFileSync(join(directory, 'tls/ca.crt'), 'utf8'),
    });
    t.match(await agent.heard, {}, 'it is heard and answered');
    const lease = '/apis/coordination.k8s.io/v1/namespaces/velero/leases/stevedore-controller';
    t.match(await client.get(lease), { spec: { leaseTransitions: Number } });
    const { nodes } = await askOverview(agent.target);
    t.match(nodes, [{ name: 'worker-1', isConnected: true, version: 'test' }]);
    const hasFailed = ({ status }: ApiObject) => status?.phase === 'Failed';
    const ended = await client.until(`${MOVES}/of-worker-2`, hasFailed, { msMax: STUCK_MS_MAX });
    t.match(ended.status, { message: /^node worker-2 has had no running agent for \d+ s$/ });
    const upload = '/apis/velero.io/v2alpha1/namespaces/velero/datauploads/of-worker-2';
    const endedToo = await client.until(upload, hasFailed, { msMax: STUCK_MS_MAX });
    t.match(endedToo.status, { message: /^node worker-2 has had no running node agent/ });
    t.strictSame(endedToo.metadata.finalizers, [DATA_MOVE_FINALIZER], 'for an agent to tidy up');
    t.equal((await client.get(`${MOVES}/of-worker-1`)).status?.phase, 'New', 'its agent is there');
    await client.untilGone(`${NAMESPACE}/pods/${LEFT}`, STUCK_MS_MAX);
    // Who would take its finalizer away when no pod has it is not there.
    const isGoing = ({ metadata }: ApiObject) => metadata.deletionTimestamp !== undefined;
    const claim = `${NAMESPACE}/persistentvolumeclaims/${LEFT}`;
    await client.until(claim, isGoing, { msMax: STUCK_MS_MAX });
    for (const path of staying) t.notOk(isGoing(await client.get(path)), path);
    t.equal(await controller.end('SIGTERM'), 0);
    t.notMatch(JSON.stringify(controller.lines), /FORBIDDEN/, 'nothing was refused to it');
  },
);

function core(kind: string): Pick<ApiObject, 'apiVersion' | 'kind'> {
  return { apiVersion: 'v1', kind };
}

function namespace(name: string): ApiObject {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  return { ...core('Namespace'), metadata: { name, labels: name === 'confined' ? labels : {} } };
}

function find(objects: readonly Installed[], kind: string): Installed {
  const isControllers = ({ metadata }: Installed) => /^stevedore-controller/.test(metadata.name);
  const found = objects.find(object => object.kind === kind && isControllers(object));
  if (!found) throw new Error(`the chart has no ${kind} of the controller`);
  return found;
}

/** It waits for an agent on that node. */
function backupOf(node: string): ApiObject {
  const pod = { kind: 'Pod', namespace: 'shop', name: 'web', uid: 'u-1' };
  return {
    apiVersion: 'velero.io/v1',
    kind: 'PodVolumeBackup',
    metadata: { name: `of-${node}`, namespace: 'velero' },
    spec: { node, pod, volume: 'data', backupStorageLocation: 'default', repoIdentifier: '' },
    status: { phase: 'New' },
  };
}

/** An agent of Velero's on that node has begun it. */
function dataUploadOf(node: string): ApiObject {
  const finalizers = [DATA_MOVE_FINALIZER];
  return {
    apiVersion: 'velero.io/v2alpha1',
    kind: 'DataUpload',
    metadata: { name: `of-${node}`, namespace: 'velero', finalizers },
    spec: {
      ...{ snapshotType: 'CSI', sourceNamespace: 'shop', sourcePVC: 'data' },
      ...{ backupStorageLocation: 'default', operationTimeout: '10m0s' },
    },
    status: { phase: 'InProgress', node },
  };
}

/**
 * Of a move that has ended, as Velero's agents make them; and what is not to be touched: of a
 * user's, with the same label, and of a move that goes on. The paths of those.
 */
async function leaveBehind(client: ApiClient): Promise<string[]> {
  await client.create({ ...core('ServiceAccount'), metadata: DEFAULT_ACCOUNT });
  const ended = { phase: 'Canceled', node: 'worker-2' };
  const metadata = { name: LEFT, namespace: 'velero' };
  const upload = await client.create({ ...dataUploadOf('worker-2'), metadata, status: ended });
  const open = await client.get(`${MOVES}/of-worker-1`);
  const [ofUpload, ofBackup] = ['data-upload', 'pod-volume-backup'];
  const pods = [
    moverPod(LEFT, { [`velero.io/${ofUpload}`]: LEFT }, upload),
    moverPod('of-worker-1', { [`velero.io/${ofBackup}`]: 'of-worker-1' }, open),
    moverPod('mine', { [`velero.io/${ofUpload}`]: LEFT }),
  ];
  const claims = [claimOf(LEFT, upload), claimOf('mine'), claimOf(`${LEFT}-of-mine`, upload)];
  for (const object of [...pods, ...claims]) await client.create(object);
  const paths = [...pods, ...claims].map(pathOf);
  return paths.filter(path => !path.endsWith(`/${LEFT}`));
}

function moverPod(name: string, labels: Record<string, string>, owner?: ApiObject): ApiObject {
  return {
    ...core('Pod'),
    metadata: { name, namespace: 'velero', labels, ...ownedBy(owner) },
    spec: {
      ...{ nodeName: 'worker-2', terminationGracePeriodSeconds: 0 },
      automountServiceAccountToken: false,
      containers: [{ name: 'mover', image: 'mover' }],
    },
  };
}

function claimOf(name: string, owner?: ApiObject): ApiObject {
  return {
    ...core('PersistentVolumeClaim'),
    metadata: { name, namespace: 'velero', ...ownedBy(owner) },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  };
}

function ownedBy(owner: ApiObject | undefined): object {
  if (owner === undefined) return {};
  const { apiVersion, kind, metadata } = owner;
  const { name, uid } = metadata;
  return { ownerReferences: [{ apiVersion, kind, name, uid, controller: true }] };
}

interface PodTemplate {
  readonly spec: {
    readonly serviceAccountName?: string;
    readonly containers: readonly { readonly args: readonly string[] }[];
  };
}

function podTemplate(objects: readonly Installed[]): PodTemplate {
  // The API server has taken it as a Deployment, which has one.
  return find(objects, 'Deployment').spec?.template as PodTemplate;
}

function controllerPod(objects: readonly Installed[]): ApiObject {
  const metadata = { name: 'controller', namespace: 'confined' };
  // Service accounts are the namespace's own.
  const spec = { ...podTemplate(objects).spec, serviceAccountName: undefined };
  return { ...core('Pod'), metadata, spec: { ...spec, automountServiceAccountToken: false } };
}

/** What the kubelet would mount, and in place of the pod's token a kubeconfig with it. */
async function putFiles(
  directory: string,
  { client, kubeconfig }: ControlPlane,
  objects: readonly Installed[],
): Promise<void> {
  const token = await tokenOf(client, 'stevedore-controller', {});
  const text = readFileSync(kubeconfig, 'utf8');
  // Written by startControlPlane.
  const config = JSON.parse(text) as { users: { user: object }[] };
  config.users[0].user = { token };
  writeFileSync(join(directory, 'kubeconfig'), JSON.stringify(config));
  mkdirSync(join(directory, 'tls'));
  for (const [name, content] of Object.entries(find(objects, 'Secret').data ?? {})) {
    writeFileSync(join(directory, 'tls', name), Buffer.from(content, 'base64'));
  }
  const settings = find(objects, 'ConfigMap').data?.['controller.yaml'] ?? '';
  writeFileSync(join(directory, 'controller.yaml'), settings);
}

function startController(directory: string, objects: readonly Installed[]): ServiceProcess {
  const [{ args }] = podTemplate(objects).spec.containers;
  const elsewhere: Readonly<Record<string, string>> = {
    '--config': join(directory, 'controller.yaml'),
    '--tls-dir': join(directory, 'tls'),
    '--listen-address': '127.0.0.1:0',
    '--metrics-address': '127.0.0.1:0',
  };
  const words = args.map(word => {
    const [flag = ''] = word.split('=');
    return elsewhere[flag] === undefined ? word : `${flag}=${elsewhere[flag]}`;
  });
  return new ServiceProcess([...words, `--kubeconfig=${join(directory, 'kubeconfig')}`]);
}

/** Of a service account of the chart's, as the kubelet gets it for a pod. */
async function tokenOf(client: ApiClient, account: string, spec: object): Promise<string> {
  const path = `${NAMESPACE}/serviceaccounts/${account}/token`;
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
  const answer = await client.post<{ status: { token: string } }>(path, request);
  return answer.status.token;
}

interface Server {
  readonly port: number;
  readonly ca: string;
}

/** An agent of the chart's on worker-1, which has said hello. */
async function agentOf(t: Test, client: ApiClient, server: Server) {
  const pod = await client.create({
    ...core('Pod'),
    metadata: { name: 'agent-1', namespace: 'velero', labels: { name: 'node-agent' } },
    spec: {
      nodeName: 'worker-1',
      serviceAccountName: 'stevedore-node-agent',
      automountServiceAccountToken: false,
      containers: [{ name: 'agent', image: 'agent' }],
    },
  });
  const boundObjectRef = { ...core('Pod'), name: 'agent-1', uid: pod.metadata.uid };
  const audiences = [TOKEN_AUDIENCE];
  const token = await tokenOf(client, 'stevedore-node-agent', { audiences, boundObjectRef });
  const { promise: heard, resolve, reject } = Promise.withResolvers<unknown>();
  const target = { ...(await doorTo(t, server)), token, clock: systemClock };
  const session = new SessionClient({ ...target, onMessage: resolve, onEnd: reject });
  t.teardown(() => session.close());
  session.put('hello', () => ({
    hello: { node: 'worker-1', version: 'test', wireVersion: 1, session: 1 },
  }));
  return { heard, target };
}

/**
 * What the Service and the cluster's DNS are to an agent: here nobody knows the name HOST. What
 * answers behind it has to be known by that name and by the chart's authority.
 */
async function doorTo(t: Test, { port: portBehind, ca }: Server) {
  const authority = makeAuthority();
  const { certificate: cert, key } = makePair(authority);
  const sockets = new Set<Socket>();
  const server = createServer({ cert, key, ALPNProtocols: ['h2'] }, socket => {
    const behind = { host: '127.0.0.1', port: portBehind, servername: HOST, ca };
    const onward = connect({ ...behind, ALPNProtocols: ['h2'] });
    for (const each of [socket, onward]) {
      sockets.add(each);
      each.on('error', () => undefined);
      each.on('close', () => [socket, onward].forEach(one => one.destroy()));
    }
    socket.pipe(onward).pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  // A listening TCP server has an address of this form.
  const { port } = server.address() as AddressInfo;
  return { host: 'localhost', port, trust: { caPem: authority.certificate } };
}

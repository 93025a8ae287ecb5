// A whole cluster of one node: control plane, containerd, kubelet, and an S3 server that its pods
// reach. Only inside the namespaces that in-namespaces.ts makes, whose end ends all of it.
//
// The service of the API has the address 10.96.0.1; it is an address of the node itself, where the
// API server listens, so that nobody has to translate addresses: there is no kube-proxy.

import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startServer, type RunningServer } from '#test/servers/start.ts';
import type { ApiObject } from './api-client.ts';
import { ChildProgram } from './child-program.ts';
import { clusterProgram, isMissing } from './cluster-programs.ts';
import { startControlPlane, type ControlPlane } from './control-plane.ts';
import { importImage, packRoot } from './image.ts';
import * as settings from './node-settings.ts';

const run = promisify(execFile);
const LOGS = '/var/log';
const CONTAINERD_MS_MAX = 60_000;
const NODE_MS_MAX = 120_000;

export interface Cluster {
  readonly plane: ControlPlane;
  /** With the bucket `velero`. */
  readonly s3: RunningServer;
  /** Directory of logs, one for each program; with those of all pods. */
  readonly logs: string;
}

/** Why there can be none here; false where there can. */
export function clusterIsMissing(): string | false {
  if (process.env.STEVEDORE_TEST_GROUPS === undefined) {
    return process.env.STEVEDORE_TEST_NO_NAMESPACES ?? 'not inside test/cluster/in-namespaces.ts';
  }
  const control = ['setpriv', 'ip', 'etcd', 'kube-apiserver'];
  const others = ['kube-controller-manager', 'kube-scheduler', 'kubelet', 'versitygw'];
  const runtime = ['containerd', 'containerd-shim-runc-v2', 'ctr', 'runc', 'bare-runc', 'pause'];
  return isMissing(...control, ...others, ...runtime, 'bridge', 'host-local', 'loopback');
}

/** Resolves when the node is ready for pods. */
export async function startCluster(): Promise<Cluster> {
  const { NODE_ADDRESS, API_SERVICE_ADDRESS, BRIDGE, BRIDGE_MAC } = settings;
  await run('ip', ['link', 'add', BRIDGE, 'address', BRIDGE_MAC, 'type', 'bridge']);
  await run('ip', ['address', 'add', `${NODE_ADDRESS}/16`, 'dev', BRIDGE]);
  await run('ip', ['address', 'add', `${API_SERVICE_ADDRESS}/32`, 'dev', 'lo']);
  await run('ip', ['link', 'set', BRIDGE, 'up']);
  const listen = { bind: '0.0.0.0', advertise: NODE_ADDRESS, port: 443 };
  const [plane, s3] = await Promise.all([
    startControlPlane({ listen, logs: LOGS }),
    startServer('versitygw', { host: NODE_ADDRESS, buckets: ['velero'] }),
    startContainerd(),
  ]);
  startControllers(plane);
  await startKubelet(plane);
  return { plane, s3, logs: LOGS };
}

function startControllers({ directory, kubeconfig }: ControlPlane): void {
  const words = [`--kubeconfig=${kubeconfig}`, '--leader-elect=false', '--bind-address=127.0.0.1'];
  const authority = `--root-ca-file=${join(directory, 'certificates', 'apiserver.crt')}`;
  const start = (name: string, ...more: string[]): ChildProgram =>
    new ChildProgram(clusterProgram(name), [...words, ...more], { logs: LOGS });
  start('kube-controller-manager', authority);
  start('kube-scheduler');
}

async function startContainerd(): Promise<void> {
  const { CONTAINERD_SOCKET, NETWORK_SETTINGS, PAUSE_IMAGE } = settings;
  await mkdir(NETWORK_SETTINGS, { recursive: true });
  await writeFile(join(NETWORK_SETTINGS, 'pods.conflist'), settings.networkSettings());
  const file = '/run/containerd.toml';
  await writeFile(file, settings.containerdSettings());
  const path = clusterProgram('containerd');
  // It finds its shim on the PATH.
  const environment = { PATH: `${join(path, '..')}:${process.env.PATH ?? ''}` };
  const containerd = new ChildProgram(path, ['--config', file], { logs: LOGS, environment });
  const probe = ['--address', CONTAINERD_SOCKET, 'version'];
  await containerd.ready(async () => {
    return run(clusterProgram('ctr'), probe).then(
      () => true,
      () => false,
    );
  }, CONTAINERD_MS_MAX);
  const root = await packRoot({ pause: clusterProgram('pause') });
  await importImage({ name: PAUSE_IMAGE, root, entrypoint: ['/pause'] }, CONTAINERD_SOCKET);
}

async function startKubelet({ directory, kubeconfig, client }: ControlPlane): Promise<void> {
  const file = join(directory, 'kubelet.json');
  await writeFile(file, settings.kubeletSettings(process.env.STEVEDORE_TEST_GROUPS ?? ''));
  const words = [`--config=${file}`, `--kubeconfig=${kubeconfig}`, '--v=2'];
  words.push(`--hostname-override=${settings.NODE_NAME}`, `--node-ip=${settings.NODE_ADDRESS}`);
  const kubelet = new ChildProgram(clusterProgram('kubelet'), words, { logs: LOGS });
  await kubelet.ready(async () => {
    const nodes = await client.list('/api/v1/nodes');
    return nodes.some(isReady);
  }, NODE_MS_MAX);
}

function isReady({ status }: ApiObject): boolean {
  // core/v1, NodeStatus.
  const conditions = (status?.conditions ?? []) as readonly { type: string; status: string }[];
  return conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True');
}

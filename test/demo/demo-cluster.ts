// The cluster of the second act: an API server within this process, or the one of a kubeconfig.
// Whatever is made lies in two namespaces of its own with a label of its own; they are removed in
// the end, and nothing else is ever written to.

import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EngineError, isEngineError } from '#engine/base/errors.ts';
import { connect } from '#kube/kube-config.ts';
import type { KubeConnection } from '#kube/connection.ts';
import { exchange } from '#kube/http-exchange.ts';
import { HttpKubeClient } from '#kube/http-client.ts';
import type { KubeObject, Resource } from '#kube/kube-object.ts';
import { objectPath } from '#kube/request-target.ts';
import { startKubeEmulator, type SeedObject } from '#test/kube-emulator/kube-emulator.ts';
import { say } from './say.ts';
import type { Names } from './velero-objects.ts';

const LABEL = 'stevedore-demo';
const GONE_MS_MAX = 60_000;
const LOOK_EVERY_MS = 100;
const VELERO_API = '/apis/velero.io/v1';

const NAMESPACES = resource('v1', 'namespaces', 'Namespace', false);
export const PODS = resource('v1', 'pods', 'Pod');
export const BACKUPS = resource('velero.io/v1', 'podvolumebackups', 'PodVolumeBackup');
export const RESTORES = resource('velero.io/v1', 'podvolumerestores', 'PodVolumeRestore');

const RESOURCES: readonly Resource[] = [
  NAMESPACES,
  PODS,
  BACKUPS,
  RESTORES,
  resource('v1', 'secrets', 'Secret'),
  resource('v1', 'serviceaccounts', 'ServiceAccount'),
  resource('velero.io/v1', 'backups', 'Backup'),
  resource('velero.io/v1', 'restores', 'Restore'),
  resource('velero.io/v1', 'backuprepositories', 'BackupRepository'),
  resource('velero.io/v1', 'backupstoragelocations', 'BackupStorageLocation'),
];

function resource(api: string, plural: string, kind: string, isNamespaced = true): Resource {
  const [version = '', group = ''] = api.split('/').reverse();
  return { group, version, plural, kind, isNamespaced };
}

interface Server {
  readonly title: string;
  /** Path of a file. */
  readonly kubeconfig: string;
  readonly connection: KubeConnection;
  readonly stop: () => Promise<void>;
}

export class DemoCluster implements AsyncDisposable {
  readonly kubeconfig: string;
  readonly client: HttpKubeClient;
  readonly names: Names;
  readonly #server: Server;
  readonly #run: string;

  private constructor(server: Server, run: string) {
    this.#server = server;
    this.#run = run;
    this.kubeconfig = server.kubeconfig;
    this.client = new HttpKubeClient(server.connection);
    this.names = { velero: `${run}-velero`, shop: `${run}-shop`, node: `${run}-node` };
  }

  /** Makes nothing yet. `place` is for files. @throws KUBE_CONFIG_INVALID */
  static async open(place: string, kubeconfig: string | undefined): Promise<DemoCluster> {
    const server = kubeconfig === undefined ? await emulated(place) : await real(kubeconfig);
    return new DemoCluster(server, `${LABEL}-${randomBytes(3).toString('hex')}`);
  }

  /**
   * Says what will be made, and makes the namespaces.
   * @throws KUBE_NOT_FOUND for a cluster without Velero's resources, …
   */
  async begin(): Promise<void> {
    await this.#checkVelero();
    const { velero, shop } = this.names;
    say('cluster', this.#server.title);
    say('', `made in it, and removed in the end: the namespaces`);
    say('', `${velero} and ${shop}`);
    for (const name of [velero, shop]) {
      await this.create({ kind: 'Namespace', metadata: { name, labels: UNRESTRICTED } });
    }
  }

  /** With the label. */
  async create({ metadata, ...content }: SeedObject): Promise<KubeObject> {
    const found = RESOURCES.find(({ kind }) => kind === content.kind);
    if (found === undefined) throw new Error(`the demo makes no ${content.kind}`);
    const { labels = {} } = metadata as { labels?: object };
    const labelled = { ...metadata, labels: { ...labels, [LABEL]: this.#run } };
    return this.client.create(found, { ...content, metadata: labelled });
  }

  /** As a kubelet does, which alone says how a pod is. */
  async reportPod(pod: SeedObject): Promise<void> {
    const { name, namespace } = pod.metadata;
    await exchange(this.#server.connection, {
      target: { verb: 'patch', resource: PODS, namespace, name },
      method: 'PATCH',
      path: `${objectPath(PODS, { namespace, name })}/status`,
      body: JSON.stringify({ status: pod.status }),
      contentType: 'application/merge-patch+json',
    });
  }

  /** Removes the namespaces, with all that is in them. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      for (const name of await this.#namespaces()) {
        await this.client.delete(NAMESPACES, { name }).catch(unlessGone);
      }
      for (const end = performance.now() + GONE_MS_MAX; performance.now() < end;) {
        if ((await this.#namespaces()).length === 0) return;
        await delay(LOOK_EVERY_MS);
      }
      const left = (await this.#namespaces()).join(', ');
      throw new Error(`still there: ${left}; kubectl delete namespaces -l ${LABEL}`);
    } finally {
      await this.#server.stop();
    }
  }

  /** Those of this run that are there, by their label: never anybody else's. */
  async #namespaces(): Promise<string[]> {
    const labelSelector = `${LABEL}=${this.#run}`;
    const { items } = await this.client.list(NAMESPACES, { labelSelector });
    return items.map(({ metadata }) => metadata.name);
  }

  async #checkVelero(): Promise<void> {
    const { resources } = await this.client
      .read<{ resources: { name: string }[] }>(VELERO_API)
      .catch((error: unknown) => {
        unlessGone(error);
        return { resources: [] };
      });
    const there = new Set(resources.map(({ name }) => name));
    const lacking = RESOURCES.find(({ group, plural }) => group !== '' && !there.has(plural));
    if (lacking === undefined) return;
    const what = `${lacking.plural}.${lacking.group}`;
    const advice = 'install Velero, or its resources alone: velero install --crds-only';
    throw new EngineError('KUBE_NOT_FOUND', `the cluster has no ${what}; ${advice}`);
  }
}

/** A pod that never starts needs no more; a cluster may refuse it elsewhere. */
const UNRESTRICTED = { 'pod-security.kubernetes.io/enforce': 'privileged' };

function unlessGone(error: unknown): void {
  if (!isEngineError(error, 'KUBE_NOT_FOUND')) throw error;
}

async function emulated(place: string): Promise<Server> {
  const api = await startKubeEmulator({ velero: '1.18' });
  const kubeconfig = join(place, 'kubeconfig');
  writeFileSync(kubeconfig, api.kubeconfig());
  const title = "an API server within this process, with Velero 1.18's resources";
  return { title, kubeconfig, connection: api.connection(), stop: () => api.stop() };
}

async function real(given: string): Promise<Server> {
  const kubeconfig = resolve(given);
  const connection = await connect({ kubeconfig });
  const title = connection.server.href;
  return { title, kubeconfig, connection, stop: async () => connection.close() };
}

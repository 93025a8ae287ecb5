// A controller and node agents as processes of their own, beneath an API server and an S3 server of
// this process, with volumes of pods that can be backed up and restored, and made to have trouble.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { POD_VOLUME_BACKUPS } from '#agent/moves/objects/pod-volume-backup.ts';
import { POD_VOLUME_RESTORES } from '#agent/moves/objects/pod-volume-restore.ts';
import { createRepository, openStorage } from '#engine/index.ts';
import { TOKEN_AUDIENCE } from '#proto/wire-limits.ts';
import * as velero from '#test/demo/velero-objects.ts';
import { CREDENTIALS, type FakeS3, startFakeS3 } from '#test/engine/storage/fake-s3.ts';
import { MemoryS3 } from '#test/faults/memory-s3.ts';
import { type KubeEmulator, startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { BACKUP, ended, PASSWORD, RESTORE } from '#test/support/agent-scene.ts';
import { putBucket } from '#test/support/bucket-location.ts';
import { ServiceProcess } from '#test/support/service-process.ts';

export interface ObservedProcess {
  readonly process: ServiceProcess;
  /** Of its metrics. */
  readonly address: string;
}

export interface ObservedAgent extends ObservedProcess {
  readonly node: string;
  readonly cacheDirectory: string;
  /** Its `--kubelet-config`. */
  readonly kubeletConfig: string;
  /** What it serves now. */
  readonly scrape: () => Promise<string>;
}

type Files = Readonly<Record<string, string | Buffer>>;

export class ObservedCluster {
  readonly api: KubeEmulator;
  readonly fake: FakeS3;
  readonly #t: Test;
  readonly #directory: string;
  readonly #sound = new MemoryS3();
  #moveCount = 0;

  static async start(t: Test): Promise<ObservedCluster> {
    const api = await startKubeEmulator({ velero: '1.18' });
    t.teardown(() => api.stop());
    const cluster = new ObservedCluster(t, api, await startFakeS3(t));
    await cluster.#furnish();
    return cluster;
  }

  private constructor(t: Test, api: KubeEmulator, fake: FakeS3) {
    this.#t = t;
    this.api = api;
    this.fake = fake;
    this.#directory = t.testdir({ pods: {}, prometheus: {} });
  }

  /** For the files of a Prometheus. */
  get prometheusDirectory(): string {
    return this.#at('prometheus');
  }

  get settingsFile(): string {
    return this.#at('controller.yaml');
  }

  async #furnish(): Promise<void> {
    const { api, fake } = this;
    for (const seed of velero.surroundings(this.#directory, PASSWORD)) api.put(seed);
    putBucket(api, fake.endpoint);
    writeFileSync(this.#at('kubeconfig'), api.kubeconfig());
    this.answer();
    const url = `s3://bucket/kopia/shop?endpoint=${fake.endpoint}&region=minio`;
    const storage = await openStorage(url, { s3Credentials: CREDENTIALS });
    const owner = { user: 'default', host: 'default' };
    await createRepository({ storage, password: PASSWORD, owner, forVelero: true });
    await storage.close();
  }

  /** The storage is sound from now on. */
  answer(): void {
    this.fake.play(this.#sound.handle);
  }

  /** It takes what it is to store and says nothing to it. */
  hang(): void {
    this.fake.play((request, response, socket) => {
      if (request.method !== 'PUT') this.#sound.handle(request, response, socket);
    });
  }

  async startController(settings: string): Promise<ObservedProcess & { readonly port: number }> {
    writeFileSync(this.settingsFile, settings);
    const process = this.#run([
      ...['controller', '--kubeconfig', this.#at('kubeconfig'), '--plaintext'],
      ...['--listen-address', '127.0.0.1:0', '--metrics-address', '127.0.0.1:0'],
      ...['--status-address', '127.0.0.1:0', '--config', this.settingsFile],
    ]);
    const { port } = await process.lineWith(({ message }) => message === 'agents may connect');
    await process.lineWith(({ message }) => message === 'this controller leads');
    return { process, address: await metricsAddress(process), port: Number(port) };
  }

  async startAgent(node: string, port: number, cacheLimit: string): Promise<ObservedAgent> {
    const { api } = this;
    api.put({ kind: 'Node', metadata: { name: node } });
    const pod = { name: `node-agent-${node}`, uid: node };
    const metadata = { name: pod.name, namespace: 'velero' };
    api.put({ kind: 'Pod', metadata, spec: { nodeName: node, serviceAccountName: 'stevedore' } });
    const account = { namespace: 'velero', serviceAccount: 'stevedore', node };
    const token = api.serviceTokens.issue({ ...account, audiences: [TOKEN_AUDIENCE], pod });
    const at = (path: string) => this.#at(`${node}-${path}`);
    mkdirSync(at('cache'));
    writeFileSync(at('token'), token);
    const kubeletConfig = at('kubelet.yaml');
    // Far from the line, however full the disk of the test is.
    writeFileSync(kubeletConfig, evictionHard(1));
    const process = this.#run([
      ...['node-agent', 'server', '--kubeconfig', this.#at('kubeconfig'), '--node-name', node],
      ...['--host-pods', this.#at('pods'), '--metrics-address', '127.0.0.1:0'],
      ...['--cache-dir', at('cache'), '--cache-limit', cacheLimit, '--cache-allow-root-disk'],
      ...['--kubelet-config', kubeletConfig, '--controller', `127.0.0.1:${port}`],
      ...['--controller-plain-text', '--controller-token-file', at('token')],
    ]);
    await process.lineWith(({ message }) => message === 'the controller gives slots');
    const address = await metricsAddress(process);
    const scrape = async () => await (await fetch(`http://${address}/metrics`)).text();
    return { process, address, node, cacheDirectory: at('cache'), kubeletConfig, scrape };
  }

  /** A pod with one volume that has these files; undefined for no directory of it. */
  pod(node: string, files: Files | undefined, options: { isRestored?: boolean } = {}) {
    const name = `pod-${++this.#moveCount}`;
    const waiting = options.isRestored ? ('running' as const) : undefined;
    const names = { velero: 'velero', shop: velero.NAMESPACE, node };
    const { uid = '' } = this.api.add(velero.pod(name, { waiting, names })).metadata;
    const volume = this.#at(`pods/${uid}/volumes/kubernetes.io~empty-dir/${velero.VOLUME}`);
    if (files !== undefined) mkdirSync(volume, { recursive: true });
    for (const [path, content] of Object.entries(files ?? {})) {
      writeFileSync(join(volume, path), content);
    }
    return { name, uid, volume, names };
  }

  /** Resolves with the status in which it has ended. */
  async backUp(pod: ReturnType<ObservedCluster['pod']>) {
    const name = `backup-of-${pod.name}`;
    this.api.add(velero.podVolumeBackup(name, BACKUP, { name: pod.name, uid: pod.uid }, pod.names));
    return await ended(this.api, POD_VOLUME_BACKUPS, name);
  }

  async restore(pod: ReturnType<ObservedCluster['pod']>, snapshotId: string) {
    const name = `restore-of-${pod.name}`;
    const { name: podName, uid } = pod;
    const wanted = { restored: { name: podName, uid }, snapshotId };
    this.api.add(velero.podVolumeRestore(name, RESTORE, wanted, pod.names));
    return await ended(this.api, POD_VOLUME_RESTORES, name);
  }

  #run(words: readonly string[]): ServiceProcess {
    const process = new ServiceProcess(words);
    this.#t.teardown(() => process.end('SIGKILL'));
    return process;
  }

  #at(path: string): string {
    return join(this.#directory, path);
  }
}

/** Of a kubelet that evicts below so many bytes. */
export function evictionHard(bytes: number): string {
  const line = `{nodefs.available: "${bytes}", imagefs.available: "${bytes}"}`;
  return `evictionHard: ${line}\n`;
}

async function metricsAddress(process: ServiceProcess): Promise<string> {
  const { port } = await process.lineWith(({ message }) => message === 'metrics are served');
  return `127.0.0.1:${String(port)}`;
}

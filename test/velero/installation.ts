// Stock Velero 1.18.1 in a cluster of ours: its server, and as DaemonSet `node-agent` either the
// stock agent or the one of this repository, which differ in image, program and capabilities; or
// what our chart makes of it. With STEVEDORE_TEST_BESIDE=1 ours is a process of the machine, and
// its pod does nothing: no image has to be packed.

import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { messageOf } from '#engine/base/errors.ts';
import { pathOf, type ApiClient, type ApiObject } from '#test/cluster/api-client.ts';
import { ChildProgram } from '#test/cluster/child-program.ts';
import type { Cluster } from '#test/cluster/cluster.ts';
import { clusterProgram } from '#test/cluster/cluster-programs.ts';
import { importImage, packRoot, tagImage } from '#test/cluster/image.ts';
import {
  CONTAINERD_SOCKET,
  NODE_ADDRESS,
  NODE_NAME,
  PAUSE_IMAGE,
} from '#test/cluster/node-settings.ts';
import { applyVeleroCrds } from '#test/cluster/velero-crds.ts';
import { renderChart } from '#test/charts/helm.ts';
import { REPOSITORY_ROOT } from '#test/tidy/source-files.ts';
import { AGENT_COMMAND, packAgent } from './agent-root.ts';
import { podsInWords } from './pods-in-words.ts';
import { processesOf } from './program-figures.ts';

const run = promisify(execFile);
const READY_MS_MAX = 180_000;
const LOOK_EVERY_MS = 50;
const PROGRAM_MS_MAX = 300_000;
const OUTPUT_BYTES_MAX = 16 << 20;
export const STOCK_IMAGE = 'test.local/velero:v1.18.1';
const PLUGIN_IMAGE = 'test.local/velero-plugin-for-aws:v1.14.3';
const SECRET = 'credentials';
const OUR_REPOSITORY = 'test.local/stevedore';
const OUR_TAG = 'test';
const OUR_IMAGE = `${OUR_REPOSITORY}:${OUR_TAG}`;
const DAEMON_SET = '/apis/apps/v1/namespaces/velero/daemonsets/node-agent';
const PODS_PLACE = '/api/v1/namespaces/velero';
const AGENTS = `${PODS_PLACE}/pods?labelSelector=role%3Dnode-agent`;
const SERVER = '/apis/apps/v1/namespaces/velero/deployments/velero';
/** Part of its command line, wherever its program is. */
export const OUR_PROCESS = /stevedore\.js node-agent/;
export const VELERO = '/apis/velero.io/v1/namespaces/velero';

export const VELERO_PROGRAMS = [
  'velero',
  'velero-restore-helper',
  'velero-plugin-for-aws',
  'cp-plugin',
  'velero-crds',
] as const;

const isBeside = process.env.STEVEDORE_TEST_BESIDE === '1';

export type AgentKind = 'stock' | 'ours';

export class Installation {
  readonly cluster: Cluster;
  readonly client: ApiClient;
  readonly #agent: ApiObject;
  readonly #home: string;
  #hasOurImage = false;
  #chartObjects: readonly ApiObject[] = [];
  #beside: ChildProgram | undefined;

  private constructor(cluster: Cluster, agent: ApiObject, home: string) {
    this.cluster = cluster;
    this.client = cluster.plane.client;
    this.#agent = agent;
    this.#home = home;
  }

  /**
   * Resolves when the server has found its storage, and the agent runs.
   * @param options features as `velero install --features` has them
   */
  static async make(
    cluster: Cluster,
    kind: AgentKind,
    { features }: { readonly features?: string } = {},
  ): Promise<Installation> {
    const { client } = cluster.plane;
    const home = await mkdtemp(join(tmpdir(), 'velero-'));
    await importStock();
    await applyVeleroCrds(client, 'v1.18.1');
    const objects = await installedObjects(cluster, home, features);
    const agent = objects.find(isAgent);
    if (agent === undefined) throw new Error('velero install makes no DaemonSet node-agent');
    const others = objects.filter(each => !isAgent(each) && !isDefinition(each));
    for (const object of others) await client.apply(object);
    const installation = new Installation(cluster, agent, home);
    await installation.useAgent(kind);
    await client.until(SERVER, isAvailable, { msMax: READY_MS_MAX, what: 'available' });
    const location = `${VELERO}/backupstoragelocations/default`;
    const hasLocation = ({ status }: ApiObject): boolean => status?.phase === 'Available';
    await client.until(location, hasLocation, { msMax: READY_MS_MAX, what: 'Available' });
    return installation;
  }

  /** In place of the agent that is there; resolves when it runs. */
  async useAgent(kind: AgentKind): Promise<void> {
    await this.#removeAgent();
    if (kind === 'ours' && !isBeside) await this.#importOurs();
    await this.client.apply(kind === 'ours' ? withOurs(this.#agent, isBeside) : this.#agent);
    await this.#untilAgentRuns();
    if (kind === 'ours' && isBeside) this.#beside = this.startAgent();
  }

  /** As useAgent: what helm makes of our chart with these values (`a.b=c`), and nothing else. */
  async useChart(...values: readonly string[]): Promise<void> {
    await this.#removeAgent();
    await this.#importOurs();
    const all = [`image.repository=${OUR_REPOSITORY}`, `image.tag=${OUR_TAG}`, ...values];
    // The kinds that it has are in the chart.
    const objects = renderChart(...all.map(value => `--set=${value}`)) as ApiObject[];
    this.#chartObjects = objects;
    // As a user is told to (templates/refuse.yaml).
    await this.#delete(DAEMON_SET);
    for (const object of objects) await this.client.apply(object);
    await this.#untilAgentRuns();
  }

  /** A DaemonSet whose pods do nothing, for whoever starts agents. */
  async useNoAgent(): Promise<void> {
    await this.#removeAgent();
    await this.client.apply(withOurs(this.#agent, true));
    await this.#untilAgentRuns();
  }

  /**
   * As useAgent: ours as a process of the machine, whatever is set, with words that are made when
   * its pod runs, which does nothing.
   */
  async useAgentBeside(wordsFor: (pod: ApiObject) => Promise<readonly string[]>): Promise<void> {
    await this.useNoAgent();
    // One that is replaced may still be there, and what is bound to it ends with it.
    const pods = await this.client.list(AGENTS);
    const pod = pods.find(({ metadata }) => metadata.deletionTimestamp === undefined);
    if (pod === undefined) throw new Error('the DaemonSet node-agent has no pod');
    this.#beside = this.startAgent(await wordsFor(pod));
  }

  /** What does not go by being changed into another; in the order of helm uninstall. */
  async #removeAgent(): Promise<void> {
    await this.#beside?.stop('SIGTERM');
    this.#beside = undefined;
    for (const object of this.#chartObjects.toReversed()) await this.#delete(pathOf(object));
    this.#chartObjects = [];
  }

  /** With what belongs to it. */
  async #delete(path: string): Promise<void> {
    await this.client.delete(`${path}?propagationPolicy=Foreground`);
    await this.client.untilGone(path, READY_MS_MAX);
  }

  /** What `docker build` and `docker push` would do: our image is there by this name, too. */
  async offerImage(name: string): Promise<void> {
    await this.#importOurs();
    await tagImage(OUR_IMAGE, name, CONTAINERD_SOCKET);
  }

  async #importOurs(): Promise<void> {
    if (this.#hasOurImage) return;
    const root = await packAgent();
    const image = { name: OUR_IMAGE, root, entrypoint: AGENT_COMMAND };
    await importImage(image, CONTAINERD_SOCKET);
    this.#hasOurImage = true;
  }

  /** Ours, without asking it first. Resolves when another process is there. */
  async killAgent(): Promise<void> {
    if (this.#beside !== undefined) {
      await this.#beside.stop();
      this.#beside = this.startAgent();
      return;
    }
    const killed = processesOf(OUR_PROCESS);
    for (const pid of killed) process.kill(Number(pid), 'SIGKILL');
    const isAnother = (pid: string): boolean => !killed.includes(pid);
    for (const end = performance.now() + READY_MS_MAX; performance.now() < end;) {
      if (processesOf(OUR_PROCESS).some(isAnother)) return;
      await delay(LOOK_EVERY_MS);
    }
    throw new Error(`the agent was not started again within ${READY_MS_MAX} ms`);
  }

  /** As a DaemonSet that is rolled out does. Resolves when the pod that was there is gone. */
  async replaceAgent(): Promise<void> {
    for (const { metadata } of await this.client.list(AGENTS)) {
      const path = `${PODS_PLACE}/pods/${metadata.name}`;
      await this.client.delete(path);
      await this.client.untilGone(path, READY_MS_MAX);
    }
  }

  /** Where its metrics are. */
  async agentAddress(): Promise<string> {
    if (this.#beside !== undefined) return NODE_ADDRESS;
    const [pod] = await this.client.list(AGENTS);
    return String(pod?.status?.podIP);
  }

  async #untilAgentRuns(): Promise<void> {
    try {
      await this.client.until(DAEMON_SET, isRolledOut, { msMax: READY_MS_MAX, what: 'there' });
    } catch (error) {
      const pods = { place: PODS_PLACE, labels: 'role=node-agent', logs: this.cluster.logs };
      const why = await podsInWords(this.client, pods);
      throw new Error(`${messageOf(error)}\n${why}`, { cause: error });
    }
  }

  /** Ours as a process of the machine, beside whatever there is; whoever asks for it stops it. */
  startAgent(more: readonly string[] = []): ChildProgram {
    const { plane, logs } = this.cluster;
    const words = [join(REPOSITORY_ROOT, 'agent/stevedore.js'), 'node-agent', 'server'];
    words.push('--host-pods=/var/lib/kubelet/pods', `--kubeconfig=${plane.kubeconfig}`);
    words.push(
      `--holder-image=${PAUSE_IMAGE}`,
      `--node-name=${NODE_NAME}`,
      `--credentials-file=${join(this.#home, SECRET)}`,
    );
    words.push(...more);
    return new ChildProgram(process.execPath, words, { logs });
  }

  /** The `velero` command; standard output. */
  async velero(...words: readonly string[]): Promise<string> {
    return veleroCommand({ kubeconfig: this.cluster.plane.kubeconfig, home: this.#home }, words);
  }

  /** Kills them, without asking first; others come by themselves. */
  async killPods(labelSelector: string): Promise<void> {
    const pods = `${PODS_PLACE}/pods`;
    const now = '?gracePeriodSeconds=0';
    for (const { metadata } of await this.client.list(`${pods}?labelSelector=${labelSelector}`)) {
      await this.client.delete(`${pods}/${metadata.name}${now}`);
    }
  }

  async untilServerIsThere(): Promise<void> {
    await this.client.until(SERVER, isAvailable, { msMax: READY_MS_MAX, what: 'available' });
  }
}

async function importStock(): Promise<void> {
  const velero = await packRoot({
    velero: clusterProgram('velero'),
    'velero-restore-helper': clusterProgram('velero-restore-helper'),
  });
  const stock = { name: STOCK_IMAGE, root: velero, entrypoint: ['/velero'], user: '1002:1000' };
  await importImage(stock, CONTAINERD_SOCKET);
  const name = 'velero-plugin-for-aws';
  const root = await packRoot({
    [`plugins/${name}`]: clusterProgram(name),
    'bin/cp-plugin': clusterProgram('cp-plugin'),
  });
  // As its own image has it (Dockerfile of velero-plugin-for-aws).
  const entrypoint = ['/bin/cp-plugin', `/plugins/${name}`, `/target/${name}`];
  await importImage({ name: PLUGIN_IMAGE, root, entrypoint }, CONTAINERD_SOCKET);
}

async function installedObjects(
  { s3, plane }: Cluster,
  home: string,
  features?: string,
): Promise<ApiObject[]> {
  const { accessKeyId, secretAccessKey } = s3.credentials;
  const secret = join(home, SECRET);
  const keys = `aws_access_key_id=${accessKeyId}\naws_secret_access_key=${secretAccessKey}\n`;
  await writeFile(secret, `[default]\n${keys}`, { mode: 0o600 });
  const storage = `region=us-east-1,s3ForcePathStyle=true,s3Url=${s3.url},checksumAlgorithm=`;
  const words = ['install', '--dry-run', '-o', 'json', '--use-node-agent'];
  words.push('--image', STOCK_IMAGE, '--plugins', PLUGIN_IMAGE, '--provider', 'aws');
  words.push('--bucket', 'velero', '--secret-file', secret, '--backup-location-config', storage);
  words.push('--use-volume-snapshots=false', '--garbage-collection-frequency', '5s');
  if (features !== undefined) words.push(`--features=${features}`);
  const text = await veleroCommand({ kubeconfig: plane.kubeconfig, home }, words);
  // velero install -o json: a v1 List.
  return (JSON.parse(text) as { items: ApiObject[] }).items;
}

async function veleroCommand(
  { kubeconfig, home }: { readonly kubeconfig: string; readonly home: string },
  words: readonly string[],
): Promise<string> {
  const env = { ...process.env, KUBECONFIG: kubeconfig, HOME: home };
  const limits = { timeout: PROGRAM_MS_MAX, maxBuffer: OUTPUT_BYTES_MAX };
  const { stdout } = await run(clusterProgram('velero'), [...words], { env, ...limits });
  return stdout;
}

function isAgent({ kind, metadata }: ApiObject): boolean {
  return kind === 'DaemonSet' && metadata.name === 'node-agent';
}

function isDefinition({ kind }: ApiObject): boolean {
  return kind === 'CustomResourceDefinition';
}

/**
 * Stock's DaemonSet with our program, and the label by which an agent that ends knows that another
 * of ours follows (charts/stevedore): mounts, words, environment and account stay.
 */
function withOurs(stock: ApiObject, isBeside: boolean): ApiObject {
  const agent = structuredClone(stock);
  // apps/v1, DaemonSetSpec.
  const { template } = agent.spec as {
    template: { metadata: { labels: object }; spec: { containers: object[] } };
  };
  template.metadata.labels = {
    ...template.metadata.labels,
    'app.kubernetes.io/name': 'stevedore',
  };
  const [container] = template.spec.containers;
  const holder = { name: 'STEVEDORE_HOLDER_IMAGE', value: PAUSE_IMAGE };
  const env = [...((container as { env?: object[] } | undefined)?.env ?? []), holder];
  const ours = isBeside
    ? { image: PAUSE_IMAGE, command: ['/pause'], args: [] }
    : { image: OUR_IMAGE, command: AGENT_COMMAND, securityContext: RIGHTS, env };
  template.spec.containers = [{ ...container, ...ours }];
  return agent;
}

/** For attributes named `trusted.` and the flags +i and +a, beyond what every container has. */
const RIGHTS = Object.freeze({ capabilities: { add: ['SYS_ADMIN', 'LINUX_IMMUTABLE'] } });

function isRolledOut({ metadata, status }: ApiObject): boolean {
  const isSeen = status?.observedGeneration === metadata.generation;
  return isSeen && status?.updatedNumberScheduled === 1 && status.numberAvailable === 1;
}

function isAvailable({ metadata, status }: ApiObject): boolean {
  const isSeen = status?.observedGeneration === metadata.generation;
  return isSeen && status?.availableReplicas === 1 && status.unavailableReplicas === undefined;
}

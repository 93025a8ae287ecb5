// A controller with the rights of the chart, less one, in namespaces of its own on a real API
// server, and something for each of its tasks to do. It runs in the test's process.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createLog } from '#agent/log.ts';
import { readConfig } from '#controller/config.ts';
import { runController } from '#controller/run-controller.ts';
import { systemClock } from '#engine/base/clock.ts';
import { askOverview } from '#proto/overview-client.ts';
import { SessionClient } from '#proto/session-client.ts';
import { TOKEN_AUDIENCE } from '#proto/wire-limits.ts';
import type { ApiClient, ApiObject } from '#test/cluster/api-client.ts';
import type { ControlPlane } from '#test/cluster/control-plane.ts';
import { type LogLines, logLines } from '#test/support/log-lines.ts';
import {
  type ChartObject,
  chartObjects,
  CONTROLLER_ENABLED,
  type Right,
  withoutRight,
} from './rights-of-chart.ts';

const LEFTOVERS = ['left-pod', 'left-claim'] as const;
const MOVES_TO_END = ['backup', 'restore', 'upload', 'download'] as const;
export const STUCK_EFFECTS = [...MOVES_TO_END, 'event', ...LEFTOVERS] as const;
export const EFFECTS = [
  ...(['agent', 'overview', 'annotation', 'pre-copy'] as const),
  ...STUCK_EFFECTS,
] as const;
export type Effect = (typeof EFFECTS)[number];

/** Two looks at what is stuck, 15 s apart, on a machine that does a lot beside. */
const EFFECT_MS_MAX = 100_000;
/** After all that; the next look included. */
const MISSING_MS_MAX = 20_000;
const POLL_EVERY_MS = 250;
const AGENT = 'stevedore-node-agent';

/** Of namespaces. */
interface Names {
  readonly velero: string;
  readonly shop: string;
}

export interface RightsSceneOptions {
  readonly index: number;
  readonly values: readonly string[];
  readonly without: Right | undefined;
}

interface Running {
  readonly log: LogLines;
  /** Of its health, and for agents. */
  readonly healthPort: number;
  readonly port: number;
  readonly stop: () => Promise<void>;
}

export class RightsScene implements AsyncDisposable {
  readonly namespace: string;
  readonly #shop: string;
  readonly #client: ApiClient;
  readonly #running: Running;

  private constructor(client: ApiClient, names: Names, running: Running) {
    this.#client = client;
    this.namespace = names.velero;
    this.#shop = names.shop;
    this.#running = running;
  }

  static async open(plane: ControlPlane, options: RightsSceneOptions): Promise<RightsScene> {
    const { client } = plane;
    const { index, values } = options;
    const names = { velero: `velero-${index}`, shop: `shop-${index}` };
    for (const name of Object.values(names)) {
      await client.create({ ...core('Namespace'), metadata: { name } });
    }
    const rule = 'controller.annotator.rules[0]';
    const rules = `--set=${rule}.action=include,${rule}.namespaces={${names.shop}}`;
    const absence = '--set=controller.configuration.agentAbsence=1s';
    const given = [CONTROLLER_ENABLED, ...values, rules, absence];
    const objects = chartObjects(names.velero, given);
    const left = withoutRight(objects, 'stevedore-controller', options.without);
    for (const object of left.filter(isNeeded)) await client.apply(object);
    for (const object of subjects(names)) await client.create(object);
    await leaveBehind(client, names);
    return new RightsScene(client, names, await start(plane, names.velero, objects));
  }

  /** Resolves when the controller has done that; rejects where it does not come to it. */
  async until(effect: Effect): Promise<void> {
    await this.#poll(`no ${effect}`, () => this.#has(effect).catch(() => false));
  }

  /** While what is not to be had without it is asked for. */
  async untilMissing(right: string, lost: readonly Effect[]): Promise<void> {
    const isMissed = async () => {
      await Promise.all(lost.map(effect => this.#has(effect).catch(() => false)));
      return this.missing().includes(right);
    };
    await this.#poll(`does not miss ${right}`, isMissed, MISSING_MS_MAX);
  }

  /** Rights that its log says are missing. */
  missing(): string[] {
    // Lines of the log are objects.
    const lines = this.#running.log.lines.map(line => JSON.parse(line) as Record<string, unknown>);
    return lines
      .filter(({ message }) => message === 'a right is missing')
      .map(({ right }) => String(right));
  }

  async readiness(): Promise<string> {
    return await (await fetch(`http://127.0.0.1:${this.#running.healthPort}/readyz`)).text();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running.stop();
  }

  async #poll(what: string, isSo: () => Promise<boolean>, msMax = EFFECT_MS_MAX) {
    for (const end = performance.now() + msMax; performance.now() < end;) {
      if (await isSo()) return;
      await delay(POLL_EVERY_MS);
    }
    throw new Error(`${what}: ${this.#running.log.lines.slice(-5).join('')}`);
  }

  async #has(effect: Effect): Promise<boolean> {
    const [velero, shop] = [this.namespace, this.#shop];
    switch (effect) {
      case 'agent':
        return await this.#isHeard();
      case 'overview':
        return (await askOverview(await this.#target())).nodes.length >= 0;
      case 'annotation': {
        const { metadata } = await this.#client.get(`/api/v1/namespaces/${shop}/pods/web`);
        return metadata.annotations?.['backup.velero.io/backup-volumes'] === 'data';
      }
      case 'pre-copy':
        return await this.#isTold(shop, 'PreCopyInvalid');
      case 'event':
        return await this.#isTold(velero, 'StuckMoveFailed');
      case 'left-pod':
        return await this.#isDeleted(`/api/v1/namespaces/${velero}/pods/left`);
      case 'left-claim':
        return await this.#isDeleted(`/api/v1/namespaces/${velero}/persistentvolumeclaims/left`);
      default: {
        const { version, plural } = MOVES[effect];
        const path = `/apis/velero.io/${version}/namespaces/${velero}/${plural}/stuck`;
        return (await this.#client.get(path)).status?.phase === 'Failed';
      }
    }
  }

  /** Nobody takes away the finalizer that a claim has here. */
  async #isDeleted(path: string): Promise<boolean> {
    const [name] = path.split('/').slice(-1);
    const all = await this.#client.list(path.slice(0, -`/${name}`.length));
    const found = all.find(({ metadata }) => metadata.name === name);
    return found === undefined || found.metadata.deletionTimestamp !== undefined;
  }

  async #isTold(namespace: string, reason: string): Promise<boolean> {
    const events = await this.#client.list(`/api/v1/namespaces/${namespace}/events`);
    return events.some(event => 'reason' in event && event.reason === reason);
  }

  /** Asked each time anew: a controller that cannot say whose a token is turns agents away. */
  async #isHeard(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const target = await this.#target();
    const session = new SessionClient({
      ...target,
      onMessage: () => resolve(true),
      onEnd: () => resolve(false),
    });
    session.put('hello', () => ({
      hello: { node: 'worker-1', version: 'test', wireVersion: 1, session: 1 },
    }));
    return await promise.finally(() => session.close());
  }

  async #target() {
    const { metadata } = await this.#client.get(`/api/v1/namespaces/${this.namespace}/pods/agent`);
    const boundObjectRef = { ...core('Pod'), name: 'agent', uid: metadata.uid };
    const audiences = [TOKEN_AUDIENCE];
    const token = await tokenOf(this.#client, this.namespace, AGENT, { audiences, boundObjectRef });
    const trust = { plainText: true } as const;
    return { host: '127.0.0.1', port: this.#running.port, trust, token, clock: systemClock };
  }
}

const LEFT = 'left';

const MOVES = Object.freeze({
  backup: { kind: 'PodVolumeBackup', version: 'v1', plural: 'podvolumebackups' },
  restore: { kind: 'PodVolumeRestore', version: 'v1', plural: 'podvolumerestores' },
  upload: { kind: 'DataUpload', version: 'v2alpha1', plural: 'datauploads' },
  download: { kind: 'DataDownload', version: 'v2alpha1', plural: 'datadownloads' },
});

function core(kind: string): Pick<ApiObject, 'apiVersion' | 'kind'> {
  return { apiVersion: 'v1', kind };
}

/** The controller's own, and what agents have to do with it. */
function isNeeded({ kind, metadata: { name } }: ChartObject): boolean {
  if (kind === 'ServiceAccount') return true;
  return /^(Cluster)?Role(Binding)?$/.test(kind) && /stevedore-controller/.test(name);
}

/** What a server would ask for. */
function specsOf(shop: string) {
  const pod = { kind: 'Pod', namespace: shop, name: 'gone', uid: 'u-1' };
  const repository = { backupStorageLocation: 'default', repoIdentifier: '' };
  const ofData = { ...repository, sourceNamespace: shop, operationTimeout: '10m0s' };
  return {
    backup: { ...repository, node: 'worker-2', pod, volume: 'data' },
    restore: { ...repository, pod, volume: 'data', snapshotID: 's', sourceNamespace: shop },
    upload: { ...ofData, snapshotType: 'CSI', sourcePVC: 'data' },
    download: {
      ...ofData,
      snapshotID: 's',
      targetVolume: { namespace: shop, pvc: 'data', pv: '' },
    },
  };
}

function moveOf(effect: keyof typeof MOVES, names: Names, name: string, status: object): ApiObject {
  const { kind, version } = MOVES[effect];
  return {
    ...{ apiVersion: `velero.io/${version}`, kind, spec: specsOf(names.shop)[effect] },
    ...{ metadata: { name, namespace: names.velero }, status: { ...status } },
  };
}

/** A pod and a claim of moves that have ended, as Velero's agents make them. */
async function leaveBehind(client: ApiClient, names: Names): Promise<void> {
  const backup = await client.create(moveOf('backup', names, LEFT, { phase: 'Failed' }));
  const pod = podOf(LEFT, names.velero, {});
  const labels = { 'velero.io/pod-volume-backup': LEFT };
  const spec = { ...pod.spec, nodeName: 'worker-2', terminationGracePeriodSeconds: 0 };
  await client.create({ ...pod, metadata: { ...pod.metadata, labels, ...ownedBy(backup) }, spec });
  const ended = { phase: 'Failed', node: 'worker-2' };
  const upload = await client.create(moveOf('upload', names, LEFT, ended));
  await client.create({
    ...core('PersistentVolumeClaim'),
    metadata: { name: LEFT, namespace: names.velero, ...ownedBy(upload) },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  });
}

function ownedBy({ apiVersion, kind, metadata: { name, uid } }: ApiObject) {
  return { ownerReferences: [{ apiVersion, kind, name, uid, controller: true }] };
}

/** Something for each task: moves of a node without an agent, and pods. */
function* subjects(names: Names): Generator<ApiObject> {
  const { velero, shop } = names;
  for (const effect of MOVES_TO_END) {
    const isOfData = MOVES[effect].version === 'v2alpha1';
    const begun = { phase: 'InProgress', node: 'worker-2' };
    yield moveOf(effect, names, 'stuck', isOfData ? begun : { phase: 'New' });
  }
  for (const namespace of [velero, shop]) {
    yield { ...core('ServiceAccount'), metadata: { name: 'default', namespace } };
  }
  yield podOf('web', shop, {});
  yield podOf('db', shop, { 'stevedore.io/pre-copy': 'soon' });
  const agent = podOf('agent', velero, {});
  const nodeName = 'worker-1';
  yield { ...agent, spec: { ...agent.spec, nodeName, serviceAccountName: AGENT } };
}

function podOf(name: string, namespace: string, annotations: Record<string, string>): ApiObject {
  const container = {
    name: 'app',
    image: 'app',
    volumeMounts: [{ name: 'data', mountPath: '/d' }],
  };
  return {
    ...core('Pod'),
    metadata: { name, namespace, annotations },
    spec: {
      automountServiceAccountToken: false,
      volumes: [{ name: 'data', emptyDir: {} }],
      containers: [container],
    },
  };
}

async function tokenOf(client: ApiClient, namespace: string, account: string, spec: object) {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
  return (await client.post<{ status: { token: string } }>(path, request)).status.token;
}

async function start(
  { client, kubeconfig, directory: parent }: ControlPlane,
  namespace: string,
  objects: readonly ChartObject[],
): Promise<Running> {
  const directory = mkdtempSync(join(parent, 'controller-'));
  const file = join(directory, 'kubeconfig');
  // Written by startControlPlane.
  const config = JSON.parse(readFileSync(kubeconfig, 'utf8')) as { users: { user: object }[] };
  config.users[0].user = { token: await tokenOf(client, namespace, 'stevedore-controller', {}) };
  writeFileSync(file, JSON.stringify(config));
  const log = logLines();
  const end = new AbortController();
  const running = runController(configOf(objects, file), {
    log: createLog({ level: 'info', format: 'json', write: log.write }),
    ...{ clock: systemClock, version: 'test', signal: end.signal },
  });
  const stop = async () => {
    end.abort();
    await running;
    rmSync(directory, { recursive: true });
  };
  const healthPort = Number((await log.says('metrics are served')).port);
  return { log, stop, healthPort, port: Number((await log.says('agents may connect')).port) };
}

/** Of the chart, but that it listens in plain text and at ports of its own. */
function configOf(objects: readonly ChartObject[], kubeconfig: string) {
  const named = (kind: string) =>
    objects.find(each => each.kind === kind && /stevedore-controller/.test(each.metadata.name));
  // The chart's Deployment has one.
  const template = named('Deployment')?.spec?.template as {
    readonly spec: { readonly containers: readonly { readonly args: readonly string[] }[] };
  };
  const [, ...args] = template.spec.containers[0]?.args ?? [];
  const words = [
    ...args.filter(word => !/^--(tls-dir|listen-address|metrics-address)/.test(word)),
    ...['--plaintext', '--listen-address=127.0.0.1:0', '--metrics-address=127.0.0.1:0'],
    `--kubeconfig=${kubeconfig}`,
  ];
  const settings = named('ConfigMap')?.data?.['controller.yaml'] ?? '';
  const outcome = readConfig({ words, environment: {}, readText: () => settings, columns: 80 });
  if (outcome.kind !== 'config') throw new Error('that is a text');
  return outcome.config;
}

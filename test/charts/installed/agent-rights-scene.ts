// An agent with the rights of the chart, less one, in a namespace of its own on a real API server.
// It runs in the test's process.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '#agent/config.ts';
import { createLog } from '#agent/log.ts';
import { SecretTexts } from '#agent/log-secrets.ts';
import { runAgent } from '#agent/run-agent.ts';
import { tellOfPreCopies } from '#agent/tell-of-pre-copies.ts';
import { OverviewReaders } from '#controller/overview/overview-readers.ts';
import { systemClock } from '#engine/base/clock.ts';
import { EngineError, messageOf } from '#engine/base/errors.ts';
import { EventWriter } from '#kube/events.ts';
import { HttpKubeClient } from '#kube/http-client.ts';
import { connect } from '#kube/kube-config.ts';
import { TOKEN_AUDIENCE } from '#proto/wire-limits.ts';
import type { ApiClient } from '#test/cluster/api-client.ts';
import type { ControlPlane } from '#test/cluster/control-plane.ts';
import { logLines } from '#test/support/log-lines.ts';
import {
  type Account,
  type ChartObject,
  chartObjects,
  type Right,
  rolesOf,
  withoutRight,
} from './rights-of-chart.ts';

const ACCOUNT: Account = 'stevedore-node-agent';
const NODE = 'worker-1';

export interface AgentRightsSceneOptions {
  readonly index: number;
  readonly values: readonly string[];
  readonly without: Right | undefined;
}

export interface Beginning {
  /** What the log says is lacking; undefined where the agent is ready without a word. */
  readonly lacking: unknown;
  readonly readiness: string;
}

export class AgentRightsScene implements AsyncDisposable {
  readonly namespace: string;
  readonly #plane: ControlPlane;
  readonly #directory: string;
  readonly #args: readonly string[];
  readonly #end = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  private constructor(plane: ControlPlane, namespace: string, args: readonly string[]) {
    this.#plane = plane;
    this.namespace = namespace;
    this.#args = args;
    this.#directory = mkdtempSync(join(plane.directory, 'agent-'));
  }

  static async open(
    plane: ControlPlane,
    { index, values, without }: AgentRightsSceneOptions,
  ): Promise<AgentRightsScene> {
    const { client } = plane;
    const name = `velero-of-agent-${index}`;
    await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    const objects = chartObjects(name, values);
    for (const object of withoutRight(objects, ACCOUNT, without)) {
      if (isNeeded(objects, object)) await client.apply(object);
    }
    const scene = new AgentRightsScene(plane, name, argsOf(objects));
    await scene.#putKubeconfig();
    return scene;
  }

  /** Starts an agent, and waits until it is ready or says what it lacks. */
  async begin(): Promise<Beginning> {
    const { says, write } = logLines();
    const secrets = new SecretTexts();
    const log = createLog({ level: 'info', format: 'json', write, secrets });
    const outcome = readConfig({
      words: this.#words(),
      environment: { VELERO_NAMESPACE: this.namespace, NODE_NAME: NODE },
      readText: () => '',
      columns: 80,
    });
    if (outcome.kind !== 'config') throw new Error('that is a text');
    const parts = { log, secrets, clock: systemClock, signal: this.#end.signal };
    this.#running = runAgent(outcome.config, parts);
    const { port } = await says('metrics are served');
    const line = await Promise.race([
      says('the agent cannot work yet'),
      says('the agent works without what is missing'),
      says('ready'),
    ]);
    const answer = await fetch(`http://127.0.0.1:${String(port)}/readyz`);
    return { lacking: line.missing, readiness: await answer.text() };
  }

  /** As `stevedore queue` in a pod of the agent: `done`, or what the controller says to it. */
  async askForOverview(): Promise<string> {
    const { client: ownClient, close } = await connected(this.#plane.kubeconfig);
    const { namespace } = this;
    const parts = { client: ownClient, clock: systemClock, audience: TOKEN_AUDIENCE, namespace };
    try {
      const token = await this.#token({ audiences: [TOKEN_AUDIENCE] });
      await new OverviewReaders(parts).admit(token);
      return 'done';
    } catch (error) {
      return messageOf(error);
    } finally {
      close();
    }
  }

  /** That its volume could not be copied ahead: `done`, or why the event could not be written. */
  async tellPod(): Promise<string> {
    const { client, close } = await connected(join(this.#directory, 'kubeconfig'));
    let failure = 'done';
    const events = new EventWriter({
      ...{ client, clock: systemClock, component: 'stevedore-node-agent', nodeName: NODE },
      onError: error => (failure = messageOf(error)),
    });
    const log = createLog({ level: 'info', format: 'json', write: () => undefined });
    const metrics = { preCopyEnded: () => undefined };
    const pod = { namespace: 'monitoring', pod: 'web', podUid: 'u-1', volumeName: 'data' };
    tellOfPreCopies({ log, metrics, emit: events.emit })({
      volume: { ...pod, claim: '', location: 'default', dueMs: 0, leftMs: 0 },
      end: { kind: 'failed', error: new EngineError('VOLUME_NOT_FOUND', 'it is not there') },
    });
    await events.stop({ withinMs: 10_000 });
    close();
    return failure;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort(new Error('told to end'));
    await this.#running;
    rmSync(this.#directory, { recursive: true });
  }

  /** Those of the chart, but where things are. */
  #words(): string[] {
    const pods = join(this.#directory, 'pods');
    mkdirSync(pods);
    const elsewhere = /^--(metrics-address|cache-|host-plugins)/;
    const kubeconfig = join(this.#directory, 'kubeconfig');
    return [
      ...this.#args.filter(word => !elsewhere.test(word)),
      ...[`--host-pods=${pods}`, '--metrics-address=127.0.0.1:0', `--kubeconfig=${kubeconfig}`],
    ];
  }

  async #putKubeconfig(): Promise<void> {
    // Written by startControlPlane.
    const config = JSON.parse(readFileSync(this.#plane.kubeconfig, 'utf8')) as {
      users: { user: object }[];
    };
    config.users[0].user = { token: await this.#token({}) };
    writeFileSync(join(this.#directory, 'kubeconfig'), JSON.stringify(config));
  }

  async #token(spec: object): Promise<string> {
    return await tokenOf(this.#plane.client, this.namespace, spec);
  }
}

async function tokenOf(client: ApiClient, namespace: string, spec: object): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${ACCOUNT}/token`;
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
  return (await client.post<{ status: { token: string } }>(path, request)).status.token;
}

async function connected(kubeconfig: string) {
  const connection = await connect({ kubeconfig, environment: {} });
  return { client: new HttpKubeClient(connection), close: () => connection.close() };
}

/** Its account, its roles and what binds them. */
function isNeeded(objects: readonly ChartObject[], object: ChartObject): boolean {
  const { kind, metadata } = object;
  if (kind === 'ServiceAccount') return metadata.name === ACCOUNT;
  const names = rolesOf(objects, ACCOUNT).map(role => role.metadata.name);
  return /^(Cluster)?Role(Binding)?$/.test(kind) && names.includes(metadata.name);
}

function argsOf(objects: readonly ChartObject[]): readonly string[] {
  const daemonSet = objects.find(({ kind }) => kind === 'DaemonSet');
  // The chart's has one container.
  const template = daemonSet?.spec?.template as {
    readonly spec: { readonly containers: readonly { readonly args: readonly string[] }[] };
  };
  const [, ...args] = template.spec.containers[0]?.args ?? [];
  return args;
}

// The DaemonSet of node agents, whoever's it is, and its pods; and what their HTTP server says,
// asked through the API server.

import { exchange } from '#kube/http-exchange.ts';
import type { KubeConnection } from '#kube/connection.ts';
import { DAEMON_SETS, PODS } from '#kube/core-resources.ts';
import type { KubeObject } from '#kube/kube-object.ts';
import type { DataMover } from '#agent/moves/exposed-moves.ts';
import { isEngineError } from '#engine/base/errors.ts';
import type { ReadingClient } from './cluster-verb.ts';

interface Volume {
  readonly name: string;
  readonly hostPath?: { readonly path: string };
  readonly secret?: { readonly secretName?: string };
}

interface Container {
  readonly name: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
}

export interface PodTemplate {
  readonly serviceAccountName?: string;
  readonly nodeName?: string;
  readonly containers?: readonly Container[];
  readonly volumes?: readonly Volume[];
}

export interface AgentPod extends KubeObject {
  readonly spec?: PodTemplate;
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly {
      readonly restartCount?: number;
      readonly state?: { readonly waiting?: { readonly reason?: string } };
    }[];
  };
}

export interface DaemonSet extends KubeObject {
  readonly spec?: { readonly template?: { readonly spec?: PodTemplate } };
  readonly status?: { readonly desiredNumberScheduled?: number; readonly numberReady?: number };
}

/** Of the container, and of the DaemonSet: Velero knows it by this name alone. */
const NAME = 'node-agent';
/**
 * Of DaemonSets, and the label `role` of their pods: that which Velero knows (Velero
 * pkg/nodeagent/node_agent.go), and ours beside it (charts/stevedore).
 */
export const AGENT_NAMES = ['node-agent', 'stevedore-agent'] as const;
const AGENT_PODS = `role in (${AGENT_NAMES.join(',')})`;
const METRICS_PORT = 8085;

/** Velero's or ours in its place first, ours beside it second; those that are there. */
export async function findAgents(
  kube: ReadingClient,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly DaemonSet[]> {
  const found = await Promise.all(
    AGENT_NAMES.map(async name => {
      try {
        return await kube.get<DaemonSet>(DAEMON_SETS, { namespace, name }, { signal });
      } catch (error) {
        if (isEngineError(error, 'KUBE_NOT_FOUND')) return undefined;
        throw error;
      }
    }),
  );
  return found.filter(each => each !== undefined);
}

export async function listAgentPods(
  kube: ReadingClient,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly AgentPod[]> {
  const query = { namespace, labelSelector: AGENT_PODS };
  return (await kube.list<AgentPod>(PODS, query, { signal })).items;
}

export function containerOf(template: PodTemplate | undefined): Container | undefined {
  const { containers = [] } = template ?? {};
  return containers.find(({ name }) => name === NAME) ?? containers[0];
}

/** Ours has an image of any name; it is told by its variables, which stock does not have. */
export function isOurs(template: PodTemplate | undefined): boolean {
  const { env = [], image = '' } = containerOf(template) ?? {};
  return /stevedore/.test(image) || env.some(({ name }) => name.startsWith('STEVEDORE_'));
}

/** Whose orders an agent of ours takes: beside Velero's own agent its own alone. */
export function dataMoverOf(template: PodTemplate | undefined): DataMover {
  const { env = [] } = containerOf(template) ?? {};
  const variable = env.find(({ name }) => name === 'STEVEDORE_DATA_MOVER')?.value;
  return (flagOf(template, 'data-mover') ?? variable) === 'stevedore' ? 'stevedore' : 'velero';
}

/** The value of `--name=value` or `--name value`. */
export function flagOf(template: PodTemplate | undefined, name: string): string | undefined {
  const { command = [], args = [] } = containerOf(template) ?? {};
  const words = [...command, ...args];
  const joined = words.find(word => word.startsWith(`--${name}=`));
  if (joined !== undefined) return joined.slice(name.length + 3);
  const index = words.indexOf(`--${name}`);
  return index < 0 ? undefined : words[index + 1];
}

/** `/metrics` or `/readyz` of a pod, by the API server's proxy. @throws KUBE_FORBIDDEN, … */
export async function askPod(
  connection: KubeConnection,
  { metadata, spec }: AgentPod,
  path: string,
  signal: AbortSignal,
): Promise<string> {
  const { ports = [] } = containerOf(spec) ?? {};
  const port = ports.find(({ name }) => name === 'http-monitoring')?.containerPort;
  const name = `${metadata.name}:${port ?? METRICS_PORT}`;
  const place = `/api/v1/namespaces/${encodeURIComponent(metadata.namespace ?? '')}/pods/`;
  return await readText(connection, `${place}${encodeURIComponent(name)}/proxy${path}`, signal);
}

/** What is no JSON: logs and metrics. @throws KUBE_FORBIDDEN, … */
export function readText(
  connection: KubeConnection,
  path: string,
  signal: AbortSignal,
): Promise<string> {
  const target = { verb: 'get', path } as const;
  return exchange(connection, { target, method: 'GET', path, accept: '*/*', signal });
}

/** Samples of a metric in the text format of Prometheus, with the text of their labels. */
export function samplesOf(metrics: string, name: string): { labels: string; value: number }[] {
  return metrics.split('\n').flatMap(line => {
    if (!line.startsWith(name)) return [];
    const [, labels = '', value = ''] = /^\{?([^}]*)\}? (\S+)$/.exec(line.slice(name.length)) ?? [];
    return Number.isNaN(Number.parseFloat(value)) ? [] : [{ labels, value: Number(value) }];
  });
}

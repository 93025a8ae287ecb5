// Keys of the node-agent ConfigMap that shape what is made to expose a volume (Velero 1.18.1
// pkg/types/node_agent.go): claims, and the pods that hold them.

import type { NodeSelector } from '#agent/exposer/exposed-objects.ts';
import { isRecord } from '#engine/base/record.ts';
import type { LabelSelector } from '#kube/label-selector.ts';

export interface ExposureConfig {
  readonly affinities: readonly AffinityRule[];
  /** By the storage class of the source. */
  readonly claims: Readonly<Record<string, ClaimRule>>;
  readonly ignoresDelayedBinding: boolean;
  /** corev1.ResourceRequirements */
  readonly resources?: object;
  readonly priorityClassName?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface AffinityRule {
  /** All of them where it is not there. */
  readonly storageClass?: string;
  /** All of them where it is not there. */
  readonly nodes?: NodeSelector;
}

export interface ClaimRule {
  readonly storageClass?: string;
  readonly isReadOnly: boolean;
  /** A read-only volume keeps its labels of SELinux; who reads it has the type spc_t. */
  readonly isNotRelabelled: boolean;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const DEFAULT_EXPOSURE: ExposureConfig = Object.freeze({
  affinities: Object.freeze([]),
  claims: Object.freeze({}),
  ignoresDelayedBinding: false,
});

/** Adds what is wrong to `problems`. */
type Read = (path: string, value: unknown, problems: string[]) => Partial<ExposureConfig>;

/** By the name of the key in small letters, as Go takes them in any case. */
export const EXPOSURE_KEYS: Readonly<Record<string, Read>> = Object.freeze({
  loadaffinity: (path, value, problems) => ({
    affinities: listOf(path, value, problems).flatMap((each, index) =>
      affinityOf(`${path}[${index}]`, each, problems),
    ),
  }),
  backuppvc: (path, value, problems) => {
    const rules = Object.entries(recordOf(path, value, problems));
    const claims = rules.map(([name, rule]) => [name, claimOf(`${path}.${name}`, rule, problems)]);
    return { claims: Object.fromEntries(claims) as ExposureConfig['claims'] };
  },
  restorepvc: (path, value, problems) => ({
    ignoresDelayedBinding: fieldsOf(path, value, problems).get('ignoredelaybinding') === true,
  }),
  podresources: (path, value, problems) => ({
    resources: resourcesOf(fieldsOf(path, value, problems)),
  }),
  priorityclassname: (path, value, problems) => ({
    priorityClassName: textOf(path, value, problems),
  }),
  podlabels: (path, value, problems) => ({ labels: textsOf(path, value, problems) }),
  podannotations: (path, value, problems) => ({ annotations: textsOf(path, value, problems) }),
});

function affinityOf(path: string, value: unknown, problems: string[]): AffinityRule {
  const fields = fieldsOf(path, value, problems);
  // Its shape is what a LabelSelector has, as the API server checks when a pod has it.
  const selector = recordOf(
    `${path}.nodeSelector`,
    fields.get('nodeselector') ?? {},
    problems,
  ) as LabelSelector;
  const labels = Object.entries(selector.matchLabels ?? {}).map(([key, label]) => ({
    key,
    operator: 'In',
    values: [label],
  }));
  const matchExpressions = [...labels, ...(selector.matchExpressions ?? [])];
  const storageClass = textOf(`${path}.storageClass`, fields.get('storageclass'), problems);
  // A term that asks for nothing is one that no node has (corev1.NodeSelectorTerm).
  if (matchExpressions.length === 0) return { storageClass };
  return { storageClass, nodes: { nodeSelectorTerms: [{ matchExpressions }] } };
}

function claimOf(path: string, value: unknown, problems: string[]): ClaimRule {
  const fields = fieldsOf(path, value, problems);
  const annotations = fields.get('annotations');
  return {
    storageClass: textOf(`${path}.storageClass`, fields.get('storageclass'), problems),
    isReadOnly: fields.get('readonly') === true,
    isNotRelabelled: fields.get('spcnorelabeling') === true,
    annotations: annotations ? textsOf(`${path}.annotations`, annotations, problems) : undefined,
  };
}

const RESOURCES = Object.freeze({
  cpu: 'cpu',
  memory: 'memory',
  ephemeralstorage: 'ephemeral-storage',
});

/** Zero is none, as with stock. */
function resourcesOf(fields: ReadonlyMap<string, unknown>): object {
  const quantities = (kind: 'request' | 'limit'): object =>
    Object.fromEntries(
      Object.entries(RESOURCES).flatMap(([name, resource]) => {
        const quantity = fields.get(`${name}${kind}`);
        const isGiven = typeof quantity === 'string' && quantity !== '' && quantity !== '0';
        return isGiven ? [[resource, quantity]] : [];
      }),
    );
  return { requests: quantities('request'), limits: quantities('limit') };
}

function listOf(path: string, value: unknown, problems: string[]): readonly unknown[] {
  if (Array.isArray(value)) return value;
  problems.push(`${path} is not a list`);
  return [];
}

function recordOf(path: string, value: unknown, problems: string[]): Record<string, unknown> {
  if (isRecord(value)) return value;
  problems.push(`${path} is not an object`);
  return {};
}

function fieldsOf(path: string, value: unknown, problems: string[]): Map<string, unknown> {
  const entries = Object.entries(recordOf(path, value, problems));
  return new Map(entries.map(([key, field]) => [key.toLowerCase(), field]));
}

/** Undefined for an empty one. */
function textOf(path: string, value: unknown, problems: string[]): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  problems.push(`${path} is not a text`);
  return undefined;
}

function textsOf(path: string, value: unknown, problems: string[]): Record<string, string> {
  const entries = Object.entries(recordOf(path, value, problems));
  return Object.fromEntries(
    entries.flatMap(([key, text]) => {
      const read = textOf(`${path}.${key}`, text, problems);
      return read === undefined ? [] : [[key, read]];
    }),
  );
}

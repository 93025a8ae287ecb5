// What of a cluster may explain how a move stands. What is not to be seen stays undefined.

import { isEngineError } from '#engine/base/errors.ts';
import { NODES, PODS } from '#kube/core-resources.ts';
import { EVENTS } from '#kube/events.ts';
import type { KubeObject, ObjectName, Resource } from '#kube/kube-object.ts';
import { isReady } from '#kube/ready-condition.ts';
import type { MoveObject } from '#agent/moves/objects/move-object.ts';
import {
  type BackupRepository,
  REPOSITORIES,
  STORAGE_LOCATIONS,
  type StorageLocation,
} from '#agent/repositories/repository-objects.ts';
import type { ReadingClient } from './cluster-verb.ts';
import type { MoveFacts } from './explain-move.ts';
import { AGENT_NAMES, listAgentPods } from './installed-agents.ts';
import type { ListedMove } from './listed-moves.ts';

export interface FactParts {
  readonly kube: ReadingClient;
  /** Velero's. */
  readonly namespace: string;
  readonly signal: AbortSignal;
}

type WithConditions = KubeObject & {
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
};
type Event = KubeObject & {
  readonly message?: string;
  readonly lastTimestamp?: string;
  readonly type?: string;
};

const EVENTS_SHOWN_MAX = 5;

export async function factsOf(
  parts: FactParts,
  move: ListedMove,
  object: MoveObject,
): Promise<MoveFacts> {
  const { namespace } = parts;
  const [node, agent, pod, location, repository, events] = await Promise.all([
    move.node === '' ? undefined : find<WithConditions>(parts, NODES, { name: move.node }),
    agentOn(parts, move.node, object),
    podOf(parts, object),
    find<StorageLocation>(parts, STORAGE_LOCATIONS, { namespace, name: move.location }),
    repositoryOf(parts, move, object),
    eventsOf(parts, object),
  ]);
  return {
    ...{ move, namespace, ...agent, events },
    nodeState: node === 'gone' ? 'gone' : node && (isReady(node) ? 'ready' : 'not ready'),
    podPhase: pod === 'gone' ? 'gone' : pod?.status?.phase,
    locationPhase: location === 'gone' ? 'gone' : location?.status?.phase,
    locationMessage: location === 'gone' ? '' : (location?.status?.message ?? ''),
    repositoryPhase: repository && (repository.status?.phase ?? ''),
    repositoryMessage: repository?.status?.message ?? '',
    isRestic: 'uploaderType' in object.spec && object.spec.uploaderType === 'restic',
  };
}

/** Undefined where it may not be read. */
async function find<Item extends KubeObject>(
  { kube, signal }: FactParts,
  resource: Resource,
  name: ObjectName,
): Promise<Item | 'gone' | undefined> {
  if (name.name === '') return undefined;
  try {
    return await kube.get<Item>(resource, name, { signal });
  } catch (error) {
    if (isEngineError(error, 'KUBE_NOT_FOUND')) return 'gone';
    if (isEngineError(error, 'KUBE_FORBIDDEN', 'KUBE_KIND_UNKNOWN')) return undefined;
    throw error;
  }
}

/** Empty where they may not be listed. */
async function unlessForbidden<Item>(list: () => Promise<readonly Item[]>) {
  try {
    return await list();
  } catch (error) {
    if (isEngineError(error, 'KUBE_FORBIDDEN', 'KUBE_KIND_UNKNOWN')) return undefined;
    throw error;
  }
}

async function agentOn({ kube, namespace, signal }: FactParts, node: string, { spec }: MoveObject) {
  if (node === '') return { agentState: undefined, agentPod: undefined };
  const pods = await unlessForbidden(() => listAgentPods(kube, namespace, signal));
  // Beside Velero's agent there is one of ours, for moves that name it.
  const isBeside = 'datamover' in spec && spec.datamover === 'stevedore';
  const [inPlace, beside] = AGENT_NAMES;
  const role = isBeside ? beside : inPlace;
  const pod = pods?.find(
    each => each.spec?.nodeName === node && each.metadata.labels?.role === role,
  );
  const found = pod && (isReady(pod) ? ('ready' as const) : ('not ready' as const));
  return {
    agentState: pods === undefined ? undefined : (found ?? ('none' as const)),
    agentPod: pod?.metadata.name,
  };
}

async function podOf(parts: FactParts, { spec: { pod } }: MoveObject) {
  if (pod === undefined) return undefined;
  return await find<WithConditions>(parts, PODS, { namespace: pod.namespace, name: pod.name });
}

async function repositoryOf(
  { kube, namespace, signal }: FactParts,
  move: ListedMove,
  { spec }: MoveObject,
): Promise<BackupRepository | undefined> {
  const list = () => kube.list<BackupRepository>(REPOSITORIES, { namespace }, { signal });
  const items = (await unlessForbidden(async () => (await list()).items)) ?? [];
  const source = 'sourceNamespace' in spec ? spec.sourceNamespace : move.namespace;
  return items.find(
    each =>
      each.spec?.volumeNamespace === source && each.spec?.backupStorageLocation === move.location,
  );
}

async function eventsOf({ kube, namespace, signal }: FactParts, { metadata, kind }: MoveObject) {
  const fieldSelector = `involvedObject.name=${metadata.name},involvedObject.kind=${kind ?? ''}`;
  const list = () => kube.list<Event>(EVENTS, { namespace, fieldSelector }, { signal });
  const items = (await unlessForbidden(async () => (await list()).items)) ?? [];
  const timeOf = ({ lastTimestamp = '' }: Event) => Date.parse(lastTimestamp) || 0;
  return items
    .toSorted((one, other) => timeOf(other) - timeOf(one))
    .slice(0, EVENTS_SHOWN_MAX)
    .map(({ message = '' }) => message);
}

// What DataUpload and DataDownload have in common: any agent may accept one, and the agent of the
// node where its volume is mounted does it. That is where the pod runs that holds the volume, which
// has the name of the object (agent/exposer).

import { isMadeFor } from '#agent/exposer/made-for.ts';
import type { ExposedMove } from '#agent/exposer/made-objects.ts';
import { apiVersionOf, keyOf, type Resource } from '#kube/kube-object.ts';
import type { MoveSite, MoveSituation } from './move-adapter.ts';
import { DATA_DOWNLOADS } from './objects/data-download.ts';
import { DATA_UPLOADS } from './objects/data-upload.ts';
import type { MoveObject, MoveStatus } from './objects/move-object.ts';
import type { Pod } from './objects/pod.ts';
import { isTerminal, phaseOf, type Phase } from './phases.ts';
import type { PodVolume } from './volume-mover.ts';

export interface ExposedItem extends MoveObject {
  readonly spec: MoveObject['spec'] & { readonly datamover?: string };
  readonly status?: MoveStatus & { readonly node?: string; readonly acceptedByNode?: string };
}

/**
 * Names of data movers that this agent answers to, for `velero` in place of stock's agent (empty is
 * Velero's, too: 1.18.1 pkg/datamover/util.go IsBuiltInUploader), for `stevedore` beside it.
 */
const DATA_MOVERS = Object.freeze({
  velero: Object.freeze(['', 'velero', 'stevedore']),
  stevedore: Object.freeze(['stevedore']),
});

export type DataMover = keyof typeof DATA_MOVERS;

export function isDataMove({ plural }: Resource): boolean {
  return plural === DATA_UPLOADS.plural || plural === DATA_DOWNLOADS.plural;
}

/** Whether `as` answers to the name that an item was made for. */
export function isOrderFor(as: DataMover, { spec }: ExposedItem): boolean {
  return DATA_MOVERS[as].includes(spec.datamover ?? '');
}

export function situationOfExposed(item: ExposedItem, site: MoveSite): MoveSituation {
  const phase = phaseOf(item.status?.phase) ?? 'New';
  const { nodeName } = site;
  const { node = '', acceptedByNode = '' } = item.status ?? {};
  if (phase === 'New') return { type: 'ready' };
  if (phase === 'Accepted') {
    if (isRunning(holderOf(item, site))) return { type: 'ready' };
    return { type: acceptedByNode === nodeName ? 'exposing' : 'elsewhere' };
  }
  // What ends before it is accepted is tidied up by whoever sees it.
  const owner = node || acceptedByNode || nodeName;
  if (owner !== nodeName) return { type: 'elsewhere' };
  return isTerminal(phase) ? { type: 'ready' } : situationOfMounted(item, site);
}

/** The volume of one that is Prepared or further, on this node. */
function situationOfMounted(item: ExposedItem, site: MoveSite): MoveSituation {
  const holder = holderOf(item, site);
  if (isRunning(holder)) return { type: 'ready' };
  const { name } = item.metadata;
  const isPending = holder?.status?.phase === 'Pending' && !isLeaving(holder);
  return isPending
    ? { type: 'waiting', missing: `running pod ${name}` }
    : { type: 'hopeless', message: `pod ${name}, which held its volume, is gone; was it evicted?` };
}

export function statusOfExposed(phase: Phase, { nodeName }: MoveSite): Record<string, unknown> {
  if (phase === 'Accepted') return { acceptedByNode: nodeName };
  return phase === 'Prepared' ? { node: nodeName } : {};
}

/** What is made for it has its name, and is its own: the API server takes it away after it. */
export function exposedMoveOf({ metadata }: MoveObject, resource: Resource): ExposedMove {
  const { name, namespace = '', uid = '' } = metadata;
  const { kind } = resource;
  const owner = { apiVersion: apiVersionOf(resource), kind, name, uid, controller: true };
  return { name, namespace, uid, owner };
}

/** As the mover finds it; a pod that is gone is named in what it says. */
export function heldVolume(item: ExposedItem, site: MoveSite): PodVolume {
  const { name, namespace = '', uid = '' } = item.metadata;
  const holder = holderOf(item, site);
  const hasDevice = holder?.spec?.containers?.some(({ volumeDevices }) => volumeDevices?.length);
  return {
    podUid: holder?.metadata.uid ?? '',
    podNamespace: namespace,
    podName: name,
    volume: uid,
    volumeMode: hasDevice ? 'Block' : 'Filesystem',
  };
}

function holderOf(item: ExposedItem, { pods }: MoveSite): Pod | undefined {
  const pod = pods.get(keyOf(item));
  return pod && isMadeFor(pod, { uid: item.metadata.uid ?? '' }) ? pod : undefined;
}

function isRunning(pod: Pod | undefined): boolean {
  return pod?.status?.phase === 'Running' && !isLeaving(pod);
}

function isLeaving({ metadata }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined;
}

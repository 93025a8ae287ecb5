// Moves of all four kinds, read from the API and made into one row each.

import { EngineError, isEngineError } from '#engine/base/errors.ts';
import { NAMESPACES } from '#kube/core-resources.ts';
import type { KubeObject, Resource } from '#kube/kube-object.ts';
import { DATA_DOWNLOADS, type DataDownload } from '#agent/moves/objects/data-download.ts';
import { DATA_UPLOADS, type DataUpload } from '#agent/moves/objects/data-upload.ts';
import type { MoveObject } from '#agent/moves/objects/move-object.ts';
import {
  POD_VOLUME_BACKUPS,
  type PodVolumeBackup,
} from '#agent/moves/objects/pod-volume-backup.ts';
import { POD_VOLUME_RESTORES } from '#agent/moves/objects/pod-volume-restore.ts';
import { LABELS } from '#agent/moves/objects/well-known-names.ts';
import { isTerminal, phaseOf } from '#agent/moves/phases.ts';
import type { ReadingClient } from './cluster-verb.ts';

export type MoveKind = 'pvb' | 'pvr' | 'du' | 'dd';

export interface KindRow {
  readonly kind: MoveKind;
  readonly resource: Resource;
  /** Other names by which people call it, in lower case. */
  readonly names: readonly string[];
}

export const MOVE_KINDS: readonly KindRow[] = Object.freeze(
  (
    [
      ['pvb', POD_VOLUME_BACKUPS],
      ['pvr', POD_VOLUME_RESTORES],
      ['du', DATA_UPLOADS],
      ['dd', DATA_DOWNLOADS],
    ] as const
  ).map(([kind, resource]) => {
    const name = resource.kind.toLowerCase();
    return { kind, resource, names: [kind, name, `${name}s`] };
  }),
);

export interface ListedMove {
  readonly kind: MoveKind;
  readonly name: string;
  readonly phase: string;
  readonly isOver: boolean;
  /** Of the application. */
  readonly namespace: string;
  /** `POD/VOLUME`, or the claim. */
  readonly volume: string;
  readonly node: string;
  readonly location: string;
  /** Of the backup or restore it is a part of. */
  readonly owner: string;
  readonly snapshotId: string | undefined;
  readonly isCanceled: boolean;
  readonly message: string;
  readonly bytesDone: number | undefined;
  readonly bytesTotal: number | undefined;
  /** On average since it began. */
  readonly bytesPerSecond: number | undefined;
  /** Since it was ordered. */
  readonly ageMs: number;
  /** From its beginning to its end, or until now; undefined before it has begun. */
  readonly tookMs: number | undefined;
  readonly endedMs: number | undefined;
}

const UNLISTED = ['KUBE_FORBIDDEN', 'KUBE_KIND_UNKNOWN', 'KUBE_NOT_FOUND'] as const;

/** What of any kind is read; each has some of it. */
type AnySpec = MoveObject['spec'] &
  Partial<Pick<PodVolumeBackup['spec'], 'node'>> &
  Partial<Pick<DataUpload['spec'], 'sourcePVC' | 'sourceNamespace'>> &
  Partial<Pick<DataDownload['spec'], 'targetVolume'>>;
type AnyStatus = NonNullable<MoveObject['status']> &
  Partial<Pick<NonNullable<DataUpload['status']>, 'node' | 'acceptedByNode' | 'snapshotID'>>;

export interface MovesSeen {
  readonly moves: readonly ListedMove[];
  /** Plurals of the kinds that may not be listed. */
  readonly unseen: readonly string[];
}

/**
 * Of the kinds that may be listed; those whose definition is not there have none.
 * @throws KUBE_FORBIDDEN where none may be, KUBE_KIND_UNKNOWN and KUBE_NOT_FOUND where there is no
 *   Velero, KUBE_UNAVAILABLE, …
 */
export async function listMoves(
  kube: Pick<ReadingClient, 'list' | 'get'>,
  namespace: string,
  { nowMs, signal }: { readonly nowMs: number; readonly signal: AbortSignal },
): Promise<MovesSeen> {
  const lists = await Promise.all(
    MOVE_KINDS.map(async ({ kind, resource }) => {
      try {
        const { items } = await kube.list<MoveObject>(resource, { namespace }, { signal });
        return items.map(object => listedMove(kind, object, nowMs));
      } catch (error) {
        if (isEngineError(error, ...UNLISTED)) return error;
        throw error;
      }
    }),
  );
  const moves = lists.flatMap(list => (Array.isArray(list) ? list : []));
  const refused = lists.filter(list => list instanceof EngineError);
  const [first] = refused;
  if (first !== undefined && refused.length === lists.length) {
    throw refused.find(({ code }) => code === 'KUBE_FORBIDDEN') ?? first;
  }
  if (moves.length === 0) await requireNamespace(kube, namespace, signal);
  const isForbidden = (index: number) => isEngineError(lists[index], 'KUBE_FORBIDDEN');
  const unseen = MOVE_KINDS.filter((_, index) => isForbidden(index));
  return { moves, unseen: unseen.map(({ resource }) => resource.plural) };
}

/** In one that is not there nothing is, which is a typing error more often than an answer. */
async function requireNamespace(
  kube: Pick<ReadingClient, 'get'>,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await kube.get(NAMESPACES, { name }, { signal });
  } catch (error) {
    if (isEngineError(error, 'KUBE_FORBIDDEN')) return;
    if (!isEngineError(error, 'KUBE_NOT_FOUND')) throw error;
    const advice = 'say in which one Velero is by VELERO_NAMESPACE, or look at --context';
    throw new EngineError('KUBE_NOT_FOUND', `there is no namespace ${name}; ${advice}`);
  }
}

/** Empty where the cluster does not know the resource. */
export async function listIfKnown<Item extends KubeObject>(
  kube: Pick<ReadingClient, 'list'>,
  resource: Resource,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<readonly Item[]> {
  try {
    return (await kube.list<Item>(resource, { namespace }, { signal })).items;
  } catch (error) {
    if (isEngineError(error, 'KUBE_KIND_UNKNOWN', 'KUBE_NOT_FOUND')) return [];
    throw error;
  }
}

export function listedMove(kind: MoveKind, object: MoveObject, nowMs: number): ListedMove {
  // The API server has validated it by the schema of its kind, which has a part of these fields.
  const spec = object.spec as AnySpec;
  const status: AnyStatus = object.status ?? {};
  const { labels = {}, creationTimestamp, name } = object.metadata;
  const known = phaseOf(status.phase);
  const isOver = known !== undefined && isTerminal(known);
  const [startedMs, endedMs] = [
    msOf(status.startTimestamp),
    isOver ? msOf(status.completionTimestamp) : undefined,
  ];
  const tookMs = startedMs === undefined ? undefined : Math.max(0, (endedMs ?? nowMs) - startedMs);
  const { bytesDone, totalBytes: bytesTotal } = status.progress ?? {};
  const isMoving = known === 'InProgress' || known === 'Canceling' || known === 'Completed';
  const hasRate = isMoving && tookMs !== undefined && tookMs > 0 && bytesDone !== undefined;
  return {
    ...{ kind, name, phase: known ?? status.phase ?? '', isOver, ...volumeOf(spec) },
    node: spec.node ?? status.node ?? status.acceptedByNode ?? '',
    location: spec.backupStorageLocation ?? '',
    owner: labels[LABELS.backupName] ?? labels[LABELS.restoreName] ?? '',
    snapshotId: status.snapshotID,
    isCanceled: spec.cancel === true,
    message: status.message ?? '',
    ...{ bytesDone, bytesTotal, tookMs, endedMs },
    bytesPerSecond: hasRate ? (bytesDone * 1000) / tookMs : undefined,
    ageMs: Math.max(0, nowMs - (msOf(creationTimestamp) ?? nowMs)),
  };
}

function volumeOf({ pod, volume, sourcePVC, sourceNamespace, targetVolume }: AnySpec) {
  if (pod !== undefined) return { namespace: pod.namespace, volume: `${pod.name}/${volume ?? ''}` };
  if (targetVolume !== undefined) {
    return { namespace: targetVolume.namespace, volume: targetVolume.pvc };
  }
  return { namespace: sourceNamespace ?? '', volume: sourcePVC ?? '' };
}

function msOf(text: string | undefined): number | undefined {
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) ? undefined : ms;
}

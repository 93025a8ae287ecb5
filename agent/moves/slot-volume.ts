// A move as limits, priorities and gangs see it: whose volume it is, how much it matters, and which
// others it should begin together with. Pure; annotations of the pod are what users say it by.

import { isMadeFor } from '#agent/exposer/made-for.ts';
import { claimNameOf } from '#kube/claim-name.ts';
import { ageMs } from '#kube/kube-object.ts';
import type { MoveAdapter, MoveSite } from './move-adapter.ts';
import type { MoveObject } from './objects/move-object.ts';
import { isPodWithUid, type Pod } from './objects/pod.ts';
import { ANNOTATIONS } from './objects/well-known-names.ts';

export interface SlotVolume {
  readonly namespace: string;
  readonly pod: string;
  /** In its pod. */
  readonly volumeName: string;
  /** Name of the claim that it is made from; empty where there is none, or none is known. */
  readonly claim: string;
  /** `PodVolumeBackup/daily-1` */
  readonly move: string;
  /** Name of the BackupStorageLocation. */
  readonly location: string;
  /** 0 to 9; more is sooner. */
  readonly priority: number;
  readonly gang: { readonly key: string; readonly count?: number } | undefined;
  /** Since it was asked for. */
  readonly waitedMs: number;
}

export interface SlotVolumeFacts {
  /** Uid of the Backup or Restore. */
  readonly group: string;
  readonly site: MoveSite;
  readonly nowMs: number;
  readonly adapter: Pick<MoveAdapter<MoveObject>, 'isFrozen' | 'resource'>;
  /** Where the object names no pod: whose it is. */
  readonly of?: { readonly namespace: string; readonly claim: string };
}

/** As the controller's where nothing is said (proto/slot-messages.ts). */
const PRIORITY = 5;
/** Annotations are anybody's: what is no value of a label is no name of a group. */
const GROUP = /^[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/;
/** More than a pod has. */
const GANG_VOLUMES_MAX = 1_000;

export function slotVolumeOf(item: MoveObject, facts: SlotVolumeFacts): SlotVolume {
  const { metadata, spec } = item;
  const { namespace = metadata.namespace ?? '', name = metadata.name, uid } = spec.pod ?? {};
  const seen = facts.site.pods.get(`${namespace}/${name}`);
  const pod = uid !== undefined && isPodWithUid(seen, uid) ? seen : undefined;
  const holder = seen && isMadeFor(seen, { uid: metadata.uid ?? '' }) ? seen : undefined;
  const isTogether = facts.adapter.isFrozen || facts.of !== undefined;
  return {
    namespace: facts.of?.namespace ?? namespace,
    pod: facts.of ? '' : name,
    volumeName: spec.volume ?? '',
    claim: facts.of?.claim ?? claimOf(pod, spec.volume),
    move: `${facts.adapter.resource.kind}/${metadata.name}`,
    location: spec.backupStorageLocation,
    priority: priorityOf(pod),
    gang: isTogether ? gangOf(facts.of ? holder : pod, facts.group) : undefined,
    waitedMs: ageMs(metadata, facts.nowMs),
  };
}

function claimOf(pod: Pod | undefined, name: string | undefined): string {
  const volume = pod?.spec?.volumes?.find(each => each.name === name);
  return (pod && volume && claimNameOf(pod.metadata.name, volume)) ?? '';
}

function priorityOf(pod: Pod | undefined): number {
  const text = pod?.metadata.annotations?.[ANNOTATIONS.priority] ?? '';
  return /^\d$/.test(text) ? Number(text) : PRIORITY;
}

/** Of one Backup. How many are in a group is not known to one node. */
function gangOf(pod: Pod | undefined, group: string): SlotVolume['gang'] {
  if (pod === undefined) return undefined;
  const { annotations = {}, namespace = '', uid = '' } = pod.metadata;
  const name = annotations[ANNOTATIONS.group] ?? '';
  if (GROUP.test(name)) return { key: `${group}/${namespace}/${name}` };
  const volumes = annotations[ANNOTATIONS.backupVolumes] ?? '';
  const count = new Set(volumes.split(',').map(each => each.trim())).size;
  return count > 1 && count <= GANG_VOLUMES_MAX ? { key: `${group}/${uid}`, count } : undefined;
}

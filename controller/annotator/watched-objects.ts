// What the annotator keeps of pods, claims and persistent volumes: some hundred bytes of each, in
// place of the kilobytes that an API server sends. Plain JSON of core/v1 comes in; fields that are
// missing there are missing here.

import { parseQuantity } from '#engine/base/kube-quantity.ts';
import { claimNameOf } from '#kube/claim-name.ts';
import type { KubeObject, ObjectMeta } from '#kube/kube-object.ts';
import { ANNOTATION_KEYS } from './annotations.ts';

export interface WatchedPod extends KubeObject {
  /** Has ended, or is being deleted: Velero backs up running pods alone. */
  readonly isOver: boolean;
  /** In the pod's order: those of types that have files on a node, and a mount to be seen by. */
  readonly volumes: readonly PodVolume[];
}

export interface PodVolume {
  readonly name: string;
  readonly type: VolumeType;
  /** Name of its claim, where there is one. */
  readonly claim: string | undefined;
}

export interface WatchedClaim extends KubeObject {
  readonly isBlock: boolean;
  readonly storageClass: string | undefined;
  readonly sizeBytes: number | undefined;
  /** Name of its persistent volume, once it is bound. */
  readonly volume: string | undefined;
  /** That is gone, and what was in it, as the cluster has found out (core/v1, ClaimLost). */
  readonly isLost: boolean;
}

export interface WatchedVolume extends KubeObject {
  /** A directory of a node, which Velero's server refuses (pkg/podvolume/backupper.go). */
  readonly isHostPath: boolean;
}

/**
 * The fields of core/v1 Volume for which the kubelet makes a directory with the files of the
 * application in it. Not among them: hostPath and image, which have none; configMap, secret,
 * projected and downwardAPI, which Velero leaves out (pkg/util/podvolume/pod_volume.go).
 */
export const VOLUME_TYPES = Object.freeze([
  'persistentVolumeClaim',
  'ephemeral',
  'emptyDir',
  'nfs',
  'csi',
  'awsElasticBlockStore',
  'azureDisk',
  'azureFile',
  'cephfs',
  'cinder',
  'fc',
  'flexVolume',
  'gcePersistentDisk',
  'glusterfs',
  'iscsi',
  'photonPersistentDisk',
  'portworxVolume',
  'quobyte',
  'rbd',
  'scaleIO',
  'storageos',
  'vsphereVolume',
] as const);
export type VolumeType = (typeof VOLUME_TYPES)[number];

/** Of tokens, and left out by name as well (pkg/util/podvolume/pod_volume.go). */
const TOKEN_VOLUME = /^default-token/;

interface RawVolume {
  readonly name: string;
  readonly persistentVolumeClaim?: { readonly claimName: string };
  readonly [source: string]: unknown;
}

interface RawPod extends KubeObject {
  readonly spec?: {
    readonly volumes?: readonly RawVolume[];
    readonly containers?: readonly {
      readonly volumeMounts?: readonly { readonly name: string }[];
    }[];
  };
  readonly status?: { readonly phase?: string };
}

interface RawClaim extends KubeObject {
  readonly spec?: {
    readonly volumeMode?: string;
    readonly storageClassName?: string;
    readonly volumeName?: string;
    readonly resources?: { readonly requests?: { readonly storage?: string } };
  };
  readonly status?: {
    readonly phase?: string;
    readonly capacity?: { readonly storage?: string };
  };
}

interface RawVolumeObject extends KubeObject {
  readonly spec?: { readonly hostPath?: unknown };
}

export function watchedPod(object: KubeObject): WatchedPod {
  // Of the collection of pods, whose form is core/v1's; each field is looked for.
  const { metadata, status } = object as RawPod;
  const isOver =
    metadata.deletionTimestamp !== undefined || /^(Succeeded|Failed)$/.test(status?.phase ?? '');
  const volumes = volumesOf(object);
  return { metadata: { ...smallMetadata(metadata), ...chosenMetadata(metadata) }, isOver, volumes };
}

/** In the pod's order: those of types that have files on a node, and a mount to be seen by. */
export function volumesOf(object: KubeObject): PodVolume[] {
  const { metadata, spec } = object as RawPod;
  // Init containers do not count (pkg/podvolume/backupper.go), and devices have no files.
  const mounts = new Set(
    (spec?.containers ?? []).flatMap(each => (each.volumeMounts ?? []).map(({ name }) => name)),
  );
  return (spec?.volumes ?? []).flatMap((volume): PodVolume[] => {
    const { name } = volume;
    const type = VOLUME_TYPES.find(each => volume[each] !== undefined);
    if (type === undefined || !mounts.has(name) || TOKEN_VOLUME.test(name)) return [];
    return [{ name, type, claim: claimNameOf(metadata.name, volume) }];
  });
}

export function watchedClaim(object: KubeObject): WatchedClaim {
  const { metadata, spec, status } = object as RawClaim;
  const size = status?.capacity?.storage ?? spec?.resources?.requests?.storage;
  return {
    metadata: smallMetadata(metadata),
    isBlock: spec?.volumeMode === 'Block',
    storageClass: spec?.storageClassName,
    sizeBytes: size === undefined ? undefined : parseQuantity(size),
    volume: spec?.volumeName,
    isLost: status?.phase === 'Lost',
  };
}

export function watchedVolume(object: KubeObject): WatchedVolume {
  const { metadata, spec } = object as RawVolumeObject;
  return { metadata: smallMetadata(metadata), isHostPath: spec?.hostPath !== undefined };
}

function smallMetadata({ name, namespace, resourceVersion }: ObjectMeta): ObjectMeta {
  return { name, namespace, resourceVersion };
}

function chosenMetadata({ labels, annotations = {} }: ObjectMeta): Partial<ObjectMeta> {
  const ours = ANNOTATION_KEYS.filter(key => annotations[key] !== undefined);
  return { labels, annotations: Object.fromEntries(ours.map(key => [key, annotations[key]])) };
}

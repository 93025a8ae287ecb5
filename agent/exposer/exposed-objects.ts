// What of the objects of Kubernetes and of the snapshot API decides about an exposed volume
// (snapshot.storage.k8s.io/v1, external-snapshotter client/apis/volumesnapshot/v1/types.go).

import type { KubeObject, Resource } from '#kube/kube-object.ts';

const SNAPSHOT_API = { group: 'snapshot.storage.k8s.io', version: 'v1' } as const;

export const SNAPSHOTS: Resource = Object.freeze({
  ...SNAPSHOT_API,
  plural: 'volumesnapshots',
  kind: 'VolumeSnapshot',
  isNamespaced: true,
});

export const SNAPSHOT_CONTENTS: Resource = Object.freeze({
  ...SNAPSHOT_API,
  plural: 'volumesnapshotcontents',
  kind: 'VolumeSnapshotContent',
  isNamespaced: false,
});

interface SnapshotError {
  readonly message?: string;
}

export interface VolumeSnapshot extends KubeObject {
  readonly spec: {
    readonly source: {
      readonly persistentVolumeClaimName?: string;
      readonly volumeSnapshotContentName?: string;
    };
    readonly volumeSnapshotClassName?: string;
  };
  readonly status?: {
    readonly boundVolumeSnapshotContentName?: string;
    readonly readyToUse?: boolean;
    /** A quantity. */
    readonly restoreSize?: string;
    /** Taken together with others (groupsnapshot.storage.k8s.io). */
    readonly volumeGroupSnapshotName?: string;
    readonly error?: SnapshotError;
  };
}

export type DeletionPolicy = 'Retain' | 'Delete';

export interface VolumeSnapshotContent extends KubeObject {
  readonly spec: {
    readonly deletionPolicy: DeletionPolicy;
    readonly driver: string;
    readonly source: { readonly snapshotHandle?: string; readonly volumeHandle?: string };
    readonly sourceVolumeMode?: VolumeMode;
    readonly volumeSnapshotClassName?: string;
    readonly volumeSnapshotRef: {
      readonly apiVersion?: string;
      readonly kind?: string;
      readonly namespace: string;
      readonly name: string;
    };
  };
  readonly status?: {
    readonly snapshotHandle?: string;
    readonly readyToUse?: boolean;
    /** Bytes. */
    readonly restoreSize?: number;
    readonly error?: SnapshotError;
  };
}

export type VolumeMode = 'Filesystem' | 'Block';

export interface VolumeClaim extends KubeObject {
  readonly spec: {
    readonly accessModes?: readonly string[];
    readonly dataSource?: {
      readonly apiGroup: string;
      readonly kind: string;
      readonly name: string;
    };
    readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
    readonly resources?: { readonly requests?: { readonly storage?: string } };
    readonly storageClassName?: string;
    readonly volumeMode?: VolumeMode;
    readonly volumeName?: string;
  };
  readonly status?: { readonly phase?: string };
}

export interface ExposedVolume extends KubeObject {
  readonly spec: {
    readonly persistentVolumeReclaimPolicy?: DeletionPolicy;
    readonly claimRef?: {
      readonly namespace?: string;
      readonly name?: string;
      readonly uid?: string;
    };
    readonly nodeAffinity?: { readonly required?: NodeSelector };
  };
  readonly status?: { readonly phase?: string };
}

/** corev1.NodeSelector: one of its terms has to be true, with all that it says. */
export interface NodeSelector {
  readonly nodeSelectorTerms: readonly {
    readonly matchExpressions?: readonly object[];
    readonly matchFields?: readonly object[];
  }[];
}

export interface StorageClass extends KubeObject {
  readonly volumeBindingMode?: string;
}

export interface HolderPod extends KubeObject {
  readonly spec: Readonly<Record<string, unknown>> & { readonly nodeName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly message?: string;
    }[];
    readonly containerStatuses?: readonly {
      readonly state?: {
        readonly waiting?: { readonly reason?: string; readonly message?: string };
      };
    }[];
  };
}

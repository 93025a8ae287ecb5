// What is read of pods, claims and persistent volumes to find a volume on this node. Plain JSON of
// the Kubernetes API (core/v1); of sources only those are typed that have something to say here.

import type { KubeObject } from '#kube/kube-object.ts';

/** One of pod.spec.volumes: a name, and one key that says what it is. */
export interface PodVolumeSpec {
  readonly name: string;
  readonly persistentVolumeClaim?: { readonly claimName: string };
  readonly emptyDir?: { readonly medium?: string };
  readonly [source: string]: unknown;
}

export interface Pod extends KubeObject {
  readonly spec?: {
    readonly nodeName?: string;
    readonly volumes?: readonly PodVolumeSpec[];
  };
  readonly status?: { readonly phase?: string };
}

export interface Claim extends KubeObject {
  readonly spec?: {
    readonly volumeName?: string;
    readonly volumeMode?: string;
    readonly storageClassName?: string;
  };
}

/** Its spec holds one source, under the name of its kind: `csi`, `nfs`, `local`, … */
export interface PersistentVolume extends KubeObject {
  readonly spec?: Readonly<Record<string, unknown>>;
}

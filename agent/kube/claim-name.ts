// By which claim a volume of a pod is made. Of core/v1 Pod, whoever reads it.

/** One of pod.spec.volumes, what of it tells. */
export interface ClaimingVolume {
  readonly name: string;
  readonly persistentVolumeClaim?: { readonly claimName: string };
  readonly [source: string]: unknown;
}

/** One that it names, or one that was made for it; undefined where there is none. */
export function claimNameOf(podName: string, volume: ClaimingVolume): string | undefined {
  if (volume.persistentVolumeClaim) return volume.persistentVolumeClaim.claimName;
  // Kubernetes pkg/controller/volume/ephemeral: the claim is called after pod and volume.
  return volume['ephemeral'] === undefined ? undefined : `${podName}-${volume.name}`;
}

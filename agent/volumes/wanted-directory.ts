// From what a pod, its claim and the persistent volume say to the directory that the kubelet makes
// for the volume: `<pods>/<uid>/volumes/<plugin>/<name>`, for CSI with `/mount` behind it
// (kubernetes pkg/kubelet/kubelet_getters.go, pkg/volume/csi/csi_mounter.go). Pure.

import { EngineError } from '#engine/base/errors.ts';
import type { Claim, PersistentVolume, Pod, PodVolumeSpec } from './volume-objects.ts';

export interface WantedDirectory {
  /** Name of the directory of the pod. */
  readonly podDirectory: string;
  /** Name beneath the directory of a plugin. */
  readonly name: string;
  /**
   * Directory of the plugin; any of them when absent, as drivers take over from in-tree plugins.
   */
  readonly plugin?: string;
  /** Whether something is mounted there; where it is not, the directory itself is the volume. */
  readonly isMounted: boolean;
}

/** In-tree volumes of which the plugin's directory is certain, and whether they are mounts. */
const INLINE: Readonly<Record<string, { plugin: string; isMounted: boolean }>> = Object.freeze({
  emptyDir: { plugin: 'kubernetes.io~empty-dir', isMounted: false },
  configMap: { plugin: 'kubernetes.io~configmap', isMounted: false },
  gitRepo: { plugin: 'kubernetes.io~git-repo', isMounted: false },
  secret: { plugin: 'kubernetes.io~secret', isMounted: true },
  projected: { plugin: 'kubernetes.io~projected', isMounted: true },
  downwardAPI: { plugin: 'kubernetes.io~downward-api', isMounted: true },
  nfs: { plugin: 'kubernetes.io~nfs', isMounted: true },
  cephfs: { plugin: 'kubernetes.io~cephfs', isMounted: true },
  csi: { plugin: 'kubernetes.io~csi', isMounted: true },
});

/** Directories of the node itself and images: the kubelet makes no directory for them. */
const WITHOUT_DIRECTORY = ['hostPath', 'image'];

/** The pod's volume of that name. @throws VOLUME_NOT_FOUND */
export function volumeOfPod(pod: Pod, name: string): PodVolumeSpec {
  const volumes = pod.spec?.volumes ?? [];
  const found = volumes.find(volume => volume.name === name);
  if (found) return found;
  const names = volumes.map(volume => volume.name).join(', ') || 'none';
  const text = `${describePod(pod)} has no volume ${JSON.stringify(name)}`;
  throw new EngineError('VOLUME_NOT_FOUND', `${text}; its volumes are: ${names}`);
}

/** Of a volume that is no claim. @throws VOLUME_TYPE_UNSUPPORTED, VOLUME_NOT_FOUND */
export function inlineDirectory(pod: Pod, volume: PodVolumeSpec): WantedDirectory {
  const source = sourceOf(volume);
  const name = safeName(volume.name, pod);
  requireDirectory(source, `volume ${volume.name} of ${describePod(pod)}`);
  const known = INLINE[source] ?? { plugin: undefined, isMounted: true };
  const isInMemory = (volume.emptyDir?.medium ?? '') !== '';
  const isMounted = known.isMounted || isInMemory;
  return { podDirectory: podDirectory(pod), name, plugin: known.plugin, isMounted };
}

/** Of a claim. @throws VOLUME_IS_BLOCK, VOLUME_TYPE_UNSUPPORTED, VOLUME_NOT_FOUND */
export function claimDirectory(
  pod: Pod,
  claim: Claim,
  persistentVolume: PersistentVolume,
): WantedDirectory {
  const where = `claim ${claim.metadata.name} of ${describePod(pod)}`;
  requireFileSystem(claim.spec?.volumeMode, where);
  requireFileSystem(persistentVolume.spec?.volumeMode, where);
  for (const source of WITHOUT_DIRECTORY) {
    if (persistentVolume.spec?.[source] !== undefined) requireDirectory(source, where);
  }
  const name = safeName(persistentVolume.metadata.name, pod);
  return { podDirectory: podDirectory(pod), name, isMounted: true };
}

/** Of a claim in block mode. @throws VOLUME_NOT_FOUND */
export function claimedDevice(
  pod: Pod,
  { metadata }: PersistentVolume,
): { readonly podDirectory: string; readonly name: string } {
  return { podDirectory: podDirectory(pod), name: safeName(metadata.name, pod) };
}

export function requireFileSystem(mode: unknown, where: string): void {
  if (mode !== 'Block') return;
  const text = `cannot move the files of ${where}: the volume is in block mode and has none`;
  throw new EngineError('VOLUME_IS_BLOCK', `${text}; use volume snapshots for it`);
}

export function describePod({ metadata }: Pod): string {
  return `pod ${metadata.namespace ?? ''}/${metadata.name}`;
}

function requireDirectory(source: string, where: string): void {
  if (!WITHOUT_DIRECTORY.includes(source)) return;
  const text = `cannot move ${where}: it is of type ${source}, for which the kubelet makes no`;
  const advice = 'exclude it (backup.velero.io/backup-volumes-excludes) or use a claim';
  throw new EngineError('VOLUME_TYPE_UNSUPPORTED', `${text} directory; ${advice}`);
}

function sourceOf(volume: PodVolumeSpec): string {
  // The API server defaults a volume without a source to an emptyDir.
  return Object.keys(volume).find(key => key !== 'name') ?? 'emptyDir';
}

/**
 * The kubelet knows a static pod by the hash of its manifest, and the API server the mirror of it
 * by another uid (kubernetes pkg/kubelet/types/pod_update.go). Annotations are the user's: a hash
 * has no hyphens (pkg/kubelet/config/common.go), so none names the directory of another pod.
 */
function podDirectory(pod: Pod): string {
  const { annotations = {}, uid = '' } = pod.metadata;
  const mirror = annotations['kubernetes.io/config.mirror'];
  if (mirror === undefined) return safeName(uid, pod);
  const hash = annotations['kubernetes.io/config.hash'] ?? mirror;
  if (/^[0-9a-f]+$/.test(hash)) return hash;
  const text = `${describePod(pod)} names ${JSON.stringify(hash)}, no hash of a static pod`;
  throw new EngineError('VOLUME_NOT_FOUND', `cannot look for a volume: ${text}`);
}

/** Names of Kubernetes hold no slash; whatever else sends one shall not lead us elsewhere. */
function safeName(name: string, pod: Pod): string {
  if (/^[A-Za-z0-9]([-.A-Za-z0-9]*[A-Za-z0-9])?$/.test(name)) return name;
  const text = `${describePod(pod)} names ${JSON.stringify(name)}, which is no name of a directory`;
  throw new EngineError('VOLUME_NOT_FOUND', `cannot look for a volume: ${text}`);
}

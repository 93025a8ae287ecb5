// What to make next so that a snapshot can be read, as one pure function of what there is. Who asks
// does it and asks again; nothing is remembered, and each step may be done by another process.

import type {
  ExposedVolume,
  HolderPod,
  VolumeClaim,
  VolumeMode,
  VolumeSnapshot,
  VolumeSnapshotContent,
} from './exposed-objects.ts';
import { type Exposure, hopeless, stateOfHolder, wait } from './holder-state.ts';

/** What there is of a move's objects; those that are absent are not there. */
export interface ExposedParts {
  /** In the namespace of the application, made by the server. */
  readonly source?: VolumeSnapshot;
  readonly sourceContent?: VolumeSnapshotContent;
  /** Whose volume was snapshotted. */
  readonly sourceClaim?: VolumeClaim;
  /** That one. */
  readonly sourceVolume?: ExposedVolume;
  /** Ours. */
  readonly content?: VolumeSnapshotContent;
  readonly snapshot?: VolumeSnapshot;
  readonly claim?: VolumeClaim;
  readonly holder?: HolderPod;
}

export type ExposureStep =
  | { readonly type: 'make-content'; readonly from: VolumeSnapshotContent }
  | { readonly type: 'make-snapshot'; readonly of: VolumeSnapshotContent }
  /** `size` is a quantity. */
  | { readonly type: 'make-claim'; readonly size: string; readonly mode: VolumeMode }
  | { readonly type: 'make-holder'; readonly mode: VolumeMode }
  | Exposure;

export function nextExposure(parts: ExposedParts, sourceName: string): ExposureStep {
  const { content, snapshot, claim, holder } = parts;
  if (holder !== undefined) return stateOfHolder(holder, claim);
  const leaving = [content, snapshot, claim].find(one => one?.metadata.deletionTimestamp);
  // Somebody has deleted it; what is made anew must not be taken for it.
  if (leaving) return wait(`the end of ${leaving.kind} ${leaving.metadata.name}, which is deleted`);
  if (content === undefined) return stepOfSource(parts, sourceName);
  if (snapshot === undefined) return { type: 'make-snapshot', of: content };
  const mode = modeOf(parts);
  if (claim !== undefined) return { type: 'make-holder', mode };
  const size = sizeOf(parts);
  return size === undefined
    ? wait(`a size for the volume: neither snapshot nor claim of ${sourceName} has one; it`)
    : { type: 'make-claim', size, mode };
}

function stepOfSource({ source, sourceContent }: ExposedParts, name: string): ExposureStep {
  if (source === undefined) {
    const crds = 'or the CRDs of snapshot.storage.k8s.io are not installed';
    return hopeless(`VolumeSnapshot ${name} is not there: it was deleted, ${crds}`);
  }
  if (source.metadata.deletionTimestamp) return hopeless(`VolumeSnapshot ${name} is being deleted`);
  const { status } = source;
  const error = status?.error?.message ?? sourceContent?.status?.error?.message;
  const told = error === undefined ? '' : ` (${error})`;
  if (status?.readyToUse !== true) return wait(`VolumeSnapshot ${name}, ready to use,${told}`);
  if (sourceContent === undefined) return wait(`the content of VolumeSnapshot ${name}`);
  const handle = sourceContent.status?.snapshotHandle ?? '';
  return handle === ''
    ? wait(`the handle of VolumeSnapshotContent ${sourceContent.metadata.name}${told}`)
    : { type: 'make-content', from: sourceContent };
}

/** A snapshot may be larger than what was asked for, and never restores into less. */
function sizeOf({ source, content, snapshot, sourceClaim }: ExposedParts): string | undefined {
  const sizes = [
    source?.status?.restoreSize,
    snapshot?.status?.restoreSize,
    content?.status?.restoreSize?.toString(),
    sourceClaim?.spec.resources?.requests?.storage,
  ];
  return sizes.find(size => size !== undefined && size !== '' && size !== '0');
}

/** The claim of the application may be gone by now; its content knows as well. */
function modeOf({ sourceClaim, content }: ExposedParts): VolumeMode {
  return sourceClaim?.spec.volumeMode ?? content?.spec.sourceVolumeMode ?? 'Filesystem';
}

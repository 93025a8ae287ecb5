// What to do next so that the claim of the application gets the volume that was filled for it, as
// one pure function of what there is (the order is that of Velero 1.18.1 pkg/util/kube/pvc_pv.go
// RebindPVC and pkg/exposer/generic_restore.go). The mark on the volume says that it is filled: who
// finds it goes on, whatever else is left.

import type { DeletionPolicy, ExposedVolume, HolderPod, VolumeClaim } from './exposed-objects.ts';

export interface ReboundParts {
  readonly target?: VolumeClaim;
  /** Ours. */
  readonly claim?: VolumeClaim;
  readonly holder?: HolderPod;
  /** Of the target, where it has one. */
  readonly targetVolume?: ExposedVolume;
  /** The one of our claim, or the one that has the mark. */
  readonly volume?: ExposedVolume;
}

export type RebindingStep =
  /** Keeps the volume when its claim goes, and remembers what was to become of it. */
  | { readonly type: 'mark-volume'; readonly volume: ExposedVolume }
  | { readonly type: 'delete-holder'; readonly holder: HolderPod }
  | { readonly type: 'delete-claim'; readonly claim: VolumeClaim }
  | { readonly type: 'hand-over'; readonly volume: ExposedVolume; readonly to: VolumeClaim }
  | { readonly type: 'name-volume'; readonly volumeName: string }
  | { readonly type: 'unmark-volume'; readonly name: string; readonly policy: DeletionPolicy }
  | { readonly type: 'wait'; readonly missing: string }
  | { readonly type: 'rebound' }
  | { readonly type: 'impossible'; readonly message: string };

/** On the volume, while it is handed over: what its policy was. */
export const POLICY_BEFORE = 'stevedore.io/reclaim-policy';

export interface RebindingNames {
  /** Of the application, `namespace/name`. */
  readonly target: string;
  /** What a volume is marked with, in the label MADE_FOR. */
  readonly isMarked: (volume: ExposedVolume) => boolean;
}

export function nextRebinding(parts: ReboundParts, names: RebindingNames): RebindingStep {
  const { target, claim, holder, volume } = parts;
  if (target === undefined || target.metadata.deletionTimestamp) {
    return impossible(`claim ${names.target} is gone`);
  }
  const { volumeName = '' } = target.spec;
  if (volume === undefined) {
    // All of it was done before, but for the last write of whoever did it.
    if (isRebound(parts)) return { type: 'rebound' };
    return impossible(`the volume that was filled for claim ${names.target} is gone`);
  }
  const { name } = volume.metadata;
  if (volumeName !== '' && volumeName !== name) {
    return impossible(`claim ${names.target} has got volume ${volumeName} meanwhile`);
  }
  if (!names.isMarked(volume)) return { type: 'mark-volume', volume };
  if (holder) return gone(holder) ?? { type: 'delete-holder', holder };
  if (claim) return gone(claim) ?? { type: 'delete-claim', claim };
  if (volume.spec.claimRef?.uid !== target.metadata.uid) {
    return { type: 'hand-over', volume, to: target };
  }
  if (volumeName === '') return { type: 'name-volume', volumeName: name };
  if (target.status?.phase !== 'Bound') {
    return { type: 'wait', missing: `the binding of claim ${names.target} to volume ${name}` };
  }
  const policy = volume.metadata.annotations?.[POLICY_BEFORE] === 'Retain' ? 'Retain' : 'Delete';
  return { type: 'unmark-volume', name, policy };
}

/** Nothing of ours is left, and what the target has was handed over to it. */
export function isRebound({ target, targetVolume, claim, holder }: ReboundParts): boolean {
  if (claim || holder || (target?.spec.volumeName ?? '') === '') return false;
  const labels = targetVolume?.metadata.labels ?? {};
  // The target has asked for them so that nobody gets it a volume; one that was handed over has.
  const wanted = Object.entries(target?.spec.selector?.matchLabels ?? {});
  return wanted.every(([name, value]) => labels[name] === value);
}

function gone({ metadata }: HolderPod | VolumeClaim): RebindingStep | undefined {
  if (metadata.deletionTimestamp === undefined) return undefined;
  return { type: 'wait', missing: `the end of ${metadata.name}, which is deleted,` };
}

function impossible(message: string): RebindingStep {
  return { type: 'impossible', message };
}

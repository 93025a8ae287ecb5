// What to take away next of what was made to expose a snapshot, as one pure function of what there
// is: ours first, each after what needs it, and the source last.

import type { ExposedParts } from './exposure.ts';
import type { ExposedVolume } from './exposed-objects.ts';

export interface WithdrawnParts extends Omit<ExposedParts, 'sourceClaim' | 'sourceVolume'> {
  /** Of our claim, where it has one. */
  readonly volume?: ExposedVolume;
}

export type WithdrawalStep =
  | { readonly type: 'delete-holder' }
  /** The volume is of this move alone, whatever its class would keep. */
  | { readonly type: 'release-volume'; readonly name: string }
  | { readonly type: 'delete-claim' }
  | { readonly type: 'delete-snapshot' }
  | { readonly type: 'delete-content' }
  /** The snapshot of the storage goes with that of the application. */
  | { readonly type: 'release-source'; readonly contentName: string }
  | { readonly type: 'delete-source' }
  /** Until it has gone. */
  | { readonly type: 'wait'; readonly leaving: string }
  | { readonly type: 'withdrawn' };

/** How far it is. */
export type Withdrawal = Extract<WithdrawalStep, { type: 'wait' | 'withdrawn' }>;

export function nextWithdrawal(parts: WithdrawnParts): WithdrawalStep {
  const { holder, claim, volume, snapshot, content, source, sourceContent } = parts;
  if (holder) return isLeaving(holder) ? wait('Pod', holder) : { type: 'delete-holder' };
  if (claim) {
    if (volume && volume.spec.persistentVolumeReclaimPolicy !== 'Delete') {
      return { type: 'release-volume', name: volume.metadata.name };
    }
    return isLeaving(claim) ? wait('PersistentVolumeClaim', claim) : { type: 'delete-claim' };
  }
  if (snapshot) {
    return isLeaving(snapshot) ? wait('VolumeSnapshot', snapshot) : { type: 'delete-snapshot' };
  }
  if (content) {
    return isLeaving(content) ? wait('VolumeSnapshotContent', content) : { type: 'delete-content' };
  }
  if (!source || isLeaving(source)) return { type: 'withdrawn' };
  if (sourceContent && sourceContent.spec.deletionPolicy !== 'Delete') {
    return { type: 'release-source', contentName: sourceContent.metadata.name };
  }
  return { type: 'delete-source' };
}

interface Named {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
}

function isLeaving({ metadata }: Named): boolean {
  return metadata.deletionTimestamp !== undefined;
}

function wait(kind: string, { metadata }: Named): WithdrawalStep {
  return { type: 'wait', leaving: `${kind} ${metadata.name}` };
}

// What to take away next of what was made to expose a snapshot, as one pure function of what there
// is: ours first, each after what needs it, and the source last.

import { CLAIMS, PERSISTENT_VOLUMES, PODS } from '#kube/core-resources.ts';
import type { KubeObject, Resource } from '#kube/kube-object.ts';
import type { ExposedParts } from './exposure.ts';
import { type ExposedVolume, SNAPSHOT_CONTENTS, SNAPSHOTS } from './exposed-objects.ts';

/** What holds a volume, and the volume. */
export interface HeldParts extends Pick<ExposedParts, 'holder' | 'claim'> {
  /** Of our claim, where it has one. */
  readonly volume?: ExposedVolume;
}

export type WithdrawnParts = HeldParts & Omit<ExposedParts, 'sourceClaim' | 'sourceVolume'>;

/** One call of the API. */
export type TakingAway =
  | { readonly type: 'delete'; readonly resource: Resource; readonly object: KubeObject }
  /** What its class or driver would keep goes with it then. */
  | {
      readonly type: 'release';
      readonly resource: Resource;
      readonly name: string;
      readonly spec: object;
    };

/** How far it is. */
export type Withdrawal =
  /** Until it has gone. */
  { readonly type: 'wait'; readonly leaving: string } | { readonly type: 'withdrawn' };

export type WithdrawalStep = TakingAway | Withdrawal;

export function nextWithdrawal(parts: WithdrawnParts): WithdrawalStep {
  const { snapshot, content, source, sourceContent } = parts;
  const held = nextOfHeld(parts);
  if (held.type !== 'withdrawn') return held;
  if (snapshot) return goes(SNAPSHOTS, snapshot);
  if (content) return goes(SNAPSHOT_CONTENTS, content);
  // The controller of snapshots sees to the rest of one that is leaving.
  if (!source || isLeaving(source)) return { type: 'withdrawn' };
  if (sourceContent && sourceContent.spec.deletionPolicy !== 'Delete') {
    // The snapshot of the storage goes with that of the application.
    const { name } = sourceContent.metadata;
    const spec = { deletionPolicy: 'Delete' };
    return { type: 'release', resource: SNAPSHOT_CONTENTS, name, spec };
  }
  return { type: 'delete', resource: SNAPSHOTS, object: source };
}

/** Of those alone, which are all that a restore makes. */
export function nextOfHeld({ holder, claim, volume }: HeldParts): WithdrawalStep {
  if (holder) return goes(PODS, holder);
  if (!claim) return { type: 'withdrawn' };
  if (volume && volume.spec.persistentVolumeReclaimPolicy !== 'Delete') {
    // It is of this move alone, whatever its class would keep.
    const { name } = volume.metadata;
    const spec = { persistentVolumeReclaimPolicy: 'Delete' };
    return { type: 'release', resource: PERSISTENT_VOLUMES, name, spec };
  }
  return goes(CLAIMS, claim);
}

function goes(resource: Resource, object: KubeObject): WithdrawalStep {
  if (!isLeaving(object)) return { type: 'delete', resource, object };
  return { type: 'wait', leaving: `${resource.kind} ${object.metadata.name}` };
}

function isLeaving({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined;
}

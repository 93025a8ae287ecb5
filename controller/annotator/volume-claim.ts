// The claim of a pod's volume, if its files can be backed up, and else in words why not. Pure.

import type { PodVolume, WatchedClaim, WatchedPod, WatchedVolume } from './watched-objects.ts';

/** What is known of claims and persistent volumes; undefined for what is not there (yet). */
export interface ClaimLookup {
  readonly claim: (namespace: string, name: string) => WatchedClaim | undefined;
  readonly volume: (name: string) => WatchedVolume | undefined;
}

export type VolumeClaim =
  /** Undefined for a volume that has none. */
  | { readonly kind: 'fit'; readonly claim: WatchedClaim | undefined }
  /** It cannot be said yet. */
  | { readonly kind: 'unknown'; readonly why: string }
  | { readonly kind: 'unfit'; readonly why: string };

export function volumeClaim(
  { metadata: { namespace = '' } }: Pick<WatchedPod, 'metadata'>,
  { claim: name }: PodVolume,
  lookup: ClaimLookup,
): VolumeClaim {
  if (name === undefined) return { kind: 'fit', claim: undefined };
  const claim = lookup.claim(namespace, name);
  if (claim === undefined) return { kind: 'unknown', why: `there is no claim ${name} yet` };
  if (claim.isBlock) return { kind: 'unfit', why: `its claim ${name} is in block mode` };
  if (claim.isLost) {
    return { kind: 'unfit', why: `its claim ${name} is Lost: the persistent volume is gone` };
  }
  const bound = claim.volume === undefined ? undefined : lookup.volume(claim.volume);
  if (bound === undefined) return { kind: 'unknown', why: `its claim ${name} is not bound yet` };
  if (!bound.isHostPath) return { kind: 'fit', claim };
  return { kind: 'unfit', why: `its persistent volume ${bound.metadata.name} is a hostPath` };
}

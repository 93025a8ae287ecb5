// What is to be done about a pod: its annotations as they are, against what the rules say. Pure.

import { ANNOTATION_PAIRS, type AnnotationPair, ANNOTATIONS } from './annotations.ts';
import { type AnnotatorRule, type RuledVolume, ruleFor } from './annotator-rules.ts';
import { type ClaimLookup, volumeClaim } from './volume-claim.ts';
import type { PodVolume, WatchedClaim, WatchedPod } from './watched-objects.ts';

/**
 * - `chosen`: it is annotated as the rules say
 * - `unchosen`: no rule has anything to say about it, and nothing of ours is there
 * - `own`: a person has annotated it, or has taken away what we wrote; it stays as it is
 * - `waiting`: a claim is not bound yet
 * - `over`: it has ended or is being deleted
 * - `outdated`: it is to be changed
 */
export const POD_STATES = Object.freeze([
  'chosen',
  'unchosen',
  'own',
  'waiting',
  'over',
  'outdated',
] as const);
export type PodState = (typeof POD_STATES)[number];

/** Annotations to be written; null takes one away. */
export type AnnotationChange = Readonly<Record<string, string | null>>;

export type Decision = {
  /** Names of volumes that are left out because there is nothing left of them. */
  readonly lost?: readonly string[];
} & (
  | { readonly state: Exclude<PodState, 'outdated'> }
  | { readonly state: 'outdated'; readonly change: AnnotationChange }
);

export function decide(
  pod: WatchedPod,
  rules: readonly AnnotatorRule[],
  lookup: ClaimLookup,
): Decision {
  const decision = decideState(pod, rules, lookup);
  if (decision.state === 'own' || decision.state === 'over') return decision;
  const lost = lostOf(pod, lookup);
  return lost.length === 0 ? decision : { ...decision, lost };
}

function decideState(
  pod: WatchedPod,
  rules: readonly AnnotatorRule[],
  lookup: ClaimLookup,
): Decision {
  const { annotations = {} } = pod.metadata;
  const isOwn = ANNOTATION_PAIRS.some(
    ({ velero, record }) => annotations[velero] !== annotations[record],
  );
  if (isOwn) return { state: 'own' };
  if (pod.isOver) return { state: 'over' };
  const wanted = wantedOf(pod, rules, lookup);
  if (wanted === undefined) return { state: 'waiting' };
  const change = Object.fromEntries(
    [...wanted].flatMap(([{ velero, record }, names]) => {
      const value = names.length === 0 ? undefined : names.join(',');
      if (annotations[velero] === value) return [];
      return [velero, record].map(key => [key, value ?? null]);
    }),
  );
  if (Object.keys(change).length > 0) return { state: 'outdated', change };
  const isChosen = [...wanted.values()].some(names => names.length > 0);
  return { state: isChosen ? 'chosen' : 'unchosen' };
}

/** By annotation the names of volumes; undefined as long as it cannot be said. */
function wantedOf(
  pod: WatchedPod,
  rules: readonly AnnotatorRule[],
  lookup: ClaimLookup,
): Map<AnnotationPair, string[]> | undefined {
  const wanted = new Map<AnnotationPair, string[]>(ANNOTATION_PAIRS.map(pair => [pair, []]));
  for (const volume of pod.volumes) {
    const claim = volumeClaim(pod, volume, lookup);
    if (claim.kind === 'unknown') return undefined;
    if (claim.kind === 'unfit') continue;
    const action = ruleFor(ruledVolume(pod, volume, claim.claim), rules)?.action ?? 'ignore';
    if (action !== 'ignore') wanted.get(ANNOTATIONS[action])?.push(volume.name);
  }
  return wanted;
}

function lostOf({ metadata, volumes }: WatchedPod, lookup: ClaimLookup): string[] {
  const { namespace = '' } = metadata;
  return volumes.flatMap(({ name, claim }) =>
    claim !== undefined && lookup.claim(namespace, claim)?.isLost ? name : [],
  );
}

/** What rules look at. */
export function ruledVolume(
  { metadata: { namespace = '', labels = {} } }: WatchedPod,
  { type, name }: PodVolume,
  claim: WatchedClaim | undefined,
): RuledVolume {
  const { storageClass, sizeBytes } = claim ?? {};
  return { namespace, labels, type, name, storageClass, sizeBytes };
}

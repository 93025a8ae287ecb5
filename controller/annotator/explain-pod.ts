// What would be done about a pod, and for each of its volumes why: for people who look at rules
// before they count (`stevedore annotations`). It decides nothing: that is decide.ts. Pure.

import { keyOf, type KubeObject, type ObjectKey } from '#kube/kube-object.ts';
import { type AnnotatorRule, ruleFor } from './annotator-rules.ts';
import { type AnnotationChange, decide, type PodState, ruledVolume } from './decide.ts';
import { type ClaimLookup, volumeClaim } from './volume-claim.ts';
import { VOLUME_TYPES, watchedPod, type WatchedPod, type PodVolume } from './watched-objects.ts';

export interface ExplainedPod {
  readonly pod: ObjectKey;
  readonly state: PodState;
  /** What would be written; null takes one away. */
  readonly change: AnnotationChange | undefined;
  readonly volumes: readonly ExplainedVolume[];
}

export interface ExplainedVolume {
  readonly name: string;
  /** Its field of core/v1 Volume. */
  readonly type: string;
  /** Undefined: it is left out. */
  readonly action: 'include' | 'exclude' | undefined;
  readonly why: string;
}

interface RawVolume {
  readonly name: string;
  readonly [source: string]: unknown;
}

/** `object` is as an API server lists pods. */
export function explainPod(
  object: KubeObject,
  rules: readonly AnnotatorRule[],
  lookup: ClaimLookup,
): ExplainedPod {
  const pod = watchedPod(object);
  const decision = decide(pod, rules, lookup);
  // Of core/v1; each field is looked for.
  const { spec } = object as KubeObject & { readonly spec?: { volumes?: readonly RawVolume[] } };
  const volumes = (spec?.volumes ?? []).map(({ name, ...sources }): ExplainedVolume => {
    const type = Object.keys(sources).find(key => sources[key] !== undefined) ?? 'none';
    const fit = pod.volumes.find(each => each.name === name);
    const told = fit ? explained({ pod, volume: fit }, rules, lookup) : leftOut(whyNever(type));
    return { name, type, ...told };
  });
  const change = decision.state === 'outdated' ? decision.change : undefined;
  return { pod: keyOf(pod), state: decision.state, change, volumes };
}

type Told = Pick<ExplainedVolume, 'action' | 'why'>;

function explained(
  { pod, volume }: { readonly pod: WatchedPod; readonly volume: PodVolume },
  rules: readonly AnnotatorRule[],
  lookup: ClaimLookup,
): Told {
  const claim = volumeClaim(pod, volume, lookup);
  if (claim.kind !== 'fit') return leftOut(claim.why);
  const rule = ruleFor(ruledVolume(pod, volume, claim.claim), rules);
  if (rule === undefined) return leftOut('no rule fits it');
  const { action, name } = rule;
  return action === 'ignore' ? leftOut(`${name} ignores it`) : { action, why: name };
}

function whyNever(type: string): string {
  const hasFiles = VOLUME_TYPES.some(each => each === type);
  if (!hasFiles) return `volumes of type ${type} are never annotated`;
  return 'no container mounts it as a directory, or it is of a token';
}

function leftOut(why: string): Told {
  return { action: undefined, why };
}

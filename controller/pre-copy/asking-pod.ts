// What is kept of pods: of one that asks to be copied ahead of its backups what decides about it,
// of all others their names.

import { parseDuration } from '#agent/config-values.ts';
import { ANNOTATIONS } from '#controller/annotator/annotations.ts';
import { volumesOf } from '#controller/annotator/watched-objects.ts';
import { isEngineError, messageOf } from '#engine/base/errors.ts';
import type { KubeObject } from '#kube/kube-object.ts';

/** How long before each backup. */
export const PRE_COPY_ANNOTATION = 'stevedore.io/pre-copy';

export interface WatchedPod extends KubeObject {
  readonly asking: AskingPod | undefined;
}

export interface AskingPod {
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Undefined while it runs nowhere. */
  readonly node: string | undefined;
  /** Undefined where the annotation is none. */
  readonly leadMs: number | undefined;
  readonly fault: string | undefined;
  /** Those that have files and a mount. */
  readonly volumes: readonly AskingVolume[];
  /** Names that the annotations of Velero have. */
  readonly included: readonly string[];
  readonly excluded: readonly string[];
}

export interface AskingVolume {
  readonly name: string;
  /** Name of its claim; empty where there is none. */
  readonly claim: string;
}

/** Shorter than a look at what is due, and longer than between two backups that are worth it. */
export const LEAD_MS_MIN = 60_000;
export const LEAD_MS_MAX = 86_400_000;

interface RawPod extends KubeObject {
  readonly spec?: { readonly nodeName?: string };
  readonly status?: { readonly phase?: string };
}

export function watchedPod(object: KubeObject): WatchedPod {
  const { metadata, spec, status } = object as RawPod;
  const { name, namespace = '', resourceVersion, uid = '', annotations = {} } = metadata;
  const small = { metadata: { name, namespace, resourceVersion } };
  const text = annotations[PRE_COPY_ANNOTATION];
  if (text === undefined) return { ...small, asking: undefined };
  const isRunning = status?.phase === 'Running' && metadata.deletionTimestamp === undefined;
  const asking: AskingPod = {
    ...{ namespace, pod: name, podUid: uid, labels: metadata.labels ?? {} },
    node: isRunning ? spec?.nodeName : undefined,
    ...leadOf(text),
    volumes: volumesOf(object).map(({ name, claim = '' }) => ({ name, claim })),
    included: namesIn(annotations[ANNOTATIONS.include.velero]),
    excluded: namesIn(annotations[ANNOTATIONS.exclude.velero]),
  };
  return { ...small, asking };
}

function leadOf(text: string): Pick<AskingPod, 'leadMs' | 'fault'> {
  try {
    const leadMs = parseDuration(text, `the annotation ${PRE_COPY_ANNOTATION}`);
    const isFine = leadMs >= LEAD_MS_MIN && leadMs <= LEAD_MS_MAX;
    if (isFine) return { leadMs, fault: undefined };
    const fault = `the annotation ${PRE_COPY_ANNOTATION} is '${text}'; give 1m to 24h`;
    return { leadMs: undefined, fault };
  } catch (error) {
    if (!isEngineError(error)) throw error;
    return { leadMs: undefined, fault: messageOf(error) };
  }
}

function namesIn(list = ''): string[] {
  const names = list.split(',').map(name => name.trim());
  return names.filter(name => name !== '');
}

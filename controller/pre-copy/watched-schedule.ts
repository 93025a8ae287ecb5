// What is kept of a Velero Schedule, and which pods its backups have (velero
// pkg/apis/velero/v1/{schedule_types,backup_types}.go, pkg/backup/item_collector.go).

import { posix } from 'node:path';
import { isEngineError, messageOf } from '#engine/base/errors.ts';
import type { KubeObject, Resource } from '#kube/kube-object.ts';
import { type LabelSelector, matchesLabels } from '#kube/label-selector.ts';
import { ScheduleTime } from './schedule-time.ts';

export const SCHEDULES: Resource = Object.freeze({
  ...{ group: 'velero.io', version: 'v1', plural: 'schedules', kind: 'Schedule' },
  isNamespaced: true,
});

export interface WatchedSchedule extends KubeObject {
  /** Undefined for one that makes no backups now. */
  readonly time: ScheduleTime | undefined;
  /** When the last backup was made, or the Schedule itself. */
  readonly lastMs: number;
  readonly template: BackupTemplate;
  /** What cannot be understood of it. */
  readonly fault: string | undefined;
}

export interface BackupTemplate {
  readonly includedNamespaces?: readonly string[];
  readonly excludedNamespaces?: readonly string[];
  readonly includedResources?: readonly string[];
  readonly excludedResources?: readonly string[];
  readonly includedNamespaceScopedResources?: readonly string[];
  readonly excludedNamespaceScopedResources?: readonly string[];
  readonly labelSelector?: LabelSelector | null;
  readonly orLabelSelectors?: readonly LabelSelector[] | null;
  readonly storageLocation?: string;
  readonly defaultVolumesToFsBackup?: boolean | null;
  /** Its name before Velero 1.10. */
  readonly defaultVolumesToRestic?: boolean | null;
}

interface RawSchedule extends KubeObject {
  readonly spec?: {
    readonly schedule?: string;
    readonly paused?: boolean;
    readonly template?: BackupTemplate;
  };
  readonly status?: {
    readonly phase?: string;
    readonly lastBackup?: string | null;
    readonly lastSkipped?: string | null;
  };
}

/** The label by which Velero leaves anything out. */
const EXCLUDED = 'velero.io/exclude-from-backup';
const PODS = ['*', 'pods', 'pod', 'po'];

export function watchedSchedule(object: KubeObject): WatchedSchedule {
  // Of the collection of Schedules; each field is looked for.
  const { metadata, spec = {}, status = {} } = object as RawSchedule;
  const { name, namespace, resourceVersion, creationTimestamp = '' } = metadata;
  const times = [creationTimestamp, status.lastBackup ?? '', status.lastSkipped ?? ''];
  const lastMs = Math.max(0, ...times.map(text => Date.parse(text)).filter(Number.isFinite));
  const kept = { metadata: { name, namespace, resourceVersion }, lastMs };
  const template = spec.template ?? {};
  const isActive = spec.paused !== true && status.phase !== 'FailedValidation';
  try {
    for (const selector of selectorsOf(template)) matchesLabels(selector, {});
    const time = isActive ? new ScheduleTime(spec.schedule ?? '') : undefined;
    return { ...kept, time, template, fault: undefined };
  } catch (error) {
    if (!isEngineError(error)) throw error;
    return { ...kept, time: undefined, template, fault: messageOf(error) };
  }
}

/** Whether a backup by that template has the pod. */
export function covers(
  template: BackupTemplate,
  pod: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
): boolean {
  const { namespace, labels } = pod;
  if (labels[EXCLUDED] === 'true') return false;
  if (!isAmong(namespace, template.includedNamespaces, template.excludedNamespaces)) return false;
  if (!hasPods(template.includedResources, template.excludedResources)) return false;
  const { includedNamespaceScopedResources: included } = template;
  if (!hasPods(included, template.excludedNamespaceScopedResources)) return false;
  const selectors = selectorsOf(template);
  return selectors.length === 0 || selectors.some(each => matchesLabels(each, labels));
}

/** One of them has to fit; Velero takes no Schedule that has both kinds. */
function selectorsOf({ labelSelector, orLabelSelectors }: BackupTemplate): LabelSelector[] {
  return [...(labelSelector ? [labelSelector] : []), ...(orLabelSelectors ?? [])];
}

/** pkg/util/collections/includes_excludes.go ShouldInclude: lists of patterns. */
function isAmong(
  name: string,
  included: readonly string[] = [],
  excluded: readonly string[] = [],
): boolean {
  const fits = (pattern: string) => pattern === '*' || posix.matchesGlob(name, pattern);
  return !excluded.some(fits) && (included.length === 0 || included.some(fits));
}

function hasPods(included: readonly string[] = [], excluded: readonly string[] = []): boolean {
  const namesPods = (names: readonly string[]) => names.some(name => PODS.includes(name));
  return !namesPods(excluded) && (included.length === 0 || namesPods(included));
}

// Which volumes are to be copied now, ahead of which backup. Pure: schedules, pods and the time
// come in.

import type { PreCopy } from '#proto/pre-copy-wire.ts';
import type { AskingPod, AskingVolume } from './asking-pod.ts';
import { type BackupTemplate, covers, type WatchedSchedule } from './watched-schedule.ts';

export interface PreCopyFacts {
  readonly schedules: readonly WatchedSchedule[];
  readonly pods: readonly AskingPod[];
  /** Name of the BackupStorageLocation of backups that name none; undefined where there is none. */
  readonly defaultLocation: string | undefined;
  readonly nowMs: number;
}

export type DuePreCopy = Omit<PreCopy, 'leftMs'>;

interface DueSchedule {
  readonly template: BackupTemplate;
  readonly location: string;
  readonly dueMs: number;
}

/** By node, those that are due first in front; a volume stands once for each location. */
export function decidePreCopies(facts: PreCopyFacts): Map<string, DuePreCopy[]> {
  const { pods, nowMs } = facts;
  const due = dueSchedules(facts);
  const wanted = new Map<string, DuePreCopy[]>();
  for (const pod of pods) {
    const { node, leadMs = 0 } = pod;
    if (node === undefined) continue;
    const near = due.filter(({ dueMs }) => dueMs - nowMs <= leadMs);
    const own = near.flatMap(schedule => volumesDue(pod, schedule));
    // The first of each is the one that is due first.
    const ofPod = new Map(own.toReversed().map(each => [keyOf(each), each]));
    if (ofPod.size > 0) wanted.set(node, [...(wanted.get(node) ?? []), ...ofPod.values()]);
  }
  for (const own of wanted.values()) own.sort(byTime);
  return wanted;
}

/** The first of them in front. */
function dueSchedules({ schedules, defaultLocation, nowMs }: PreCopyFacts): DueSchedule[] {
  return schedules
    .flatMap(({ time, lastMs, template }): DueSchedule[] => {
      const location = template.storageLocation || defaultLocation;
      const dueMs = time?.after(nowMs, lastMs);
      return location === undefined || dueMs === undefined ? [] : [{ template, location, dueMs }];
    })
    .sort((one, other) => one.dueMs - other.dueMs);
}

function volumesDue(pod: AskingPod, { template, location, dueMs }: DueSchedule): DuePreCopy[] {
  if (!covers(template, pod)) return [];
  const { namespace, pod: name, podUid } = pod;
  return volumesOfBackup(pod, template).map(({ name: volumeName, claim }) => ({
    ...{ namespace, pod: name, podUid, volumeName, claim, location, dueMs },
  }));
}

/** pkg/util/podvolume/pod_volume.go GetVolumesByPod. */
function volumesOfBackup(
  { volumes, included, excluded }: AskingPod,
  { defaultVolumesToFsBackup, defaultVolumesToRestic }: BackupTemplate,
): AskingVolume[] {
  const isOptOut = defaultVolumesToFsBackup ?? defaultVolumesToRestic ?? false;
  return volumes.filter(({ name }) =>
    isOptOut ? !excluded.includes(name) : included.includes(name),
  );
}

function keyOf({ podUid, volumeName, location }: DuePreCopy): string {
  return `${podUid}/${volumeName}/${location}`;
}

function byTime(one: DuePreCopy, other: DuePreCopy): number {
  return one.dueMs - other.dueMs || (keyOf(one) < keyOf(other) ? -1 : 1);
}

// What of Schedules and annotations cannot be understood: said once, in the log and where it is a
// pod's in an event of it, and again when it has become another fault.

import type { Log } from '#agent/log.ts';
import type { EventWriter } from '#kube/events.ts';
import { keyOf } from '#kube/kube-object.ts';
import type { AskingPod } from './asking-pod.ts';
import { FAULT_KINDS, type FaultKind, type PreCopyCounts } from './pre-copy-counts.ts';
import type { WatchedSchedule } from './watched-schedule.ts';

export interface FaultParts {
  readonly log: Pick<Log, 'warn'>;
  readonly counts: PreCopyCounts;
  readonly emit: EventWriter['emit'];
}

interface Fault {
  readonly kind: FaultKind;
  readonly key: string;
  readonly text: string;
  readonly pod?: AskingPod;
}

export class ToldFaults {
  readonly #parts: FaultParts;
  #told = new Map<string, string>();

  constructor(parts: FaultParts) {
    this.#parts = parts;
  }

  tell(schedules: readonly WatchedSchedule[], pods: readonly AskingPod[]): void {
    const { log, counts, emit } = this.#parts;
    const faults = [...schedules.flatMap(faultOfSchedule), ...pods.flatMap(faultOfPod)];
    for (const kind of FAULT_KINDS) {
      counts.faults[kind] = faults.filter(fault => fault.kind === kind).length;
    }
    const told = new Map<string, string>();
    for (const { kind, key, text, pod } of faults) {
      const name = `${kind} ${key}`;
      told.set(name, text);
      if (this.#told.get(name) === text) continue;
      log.warn({ [kind]: key, why: text }, 'nothing is copied ahead of backups');
      if (pod) emit(eventOf(pod, text));
    }
    this.#told = told;
  }
}

function faultOfSchedule(schedule: WatchedSchedule): Fault[] {
  const { fault: text } = schedule;
  return text === undefined ? [] : [{ kind: 'schedule', key: keyOf(schedule), text }];
}

function faultOfPod(pod: AskingPod): Fault[] {
  const { fault: text, namespace, pod: name } = pod;
  return text === undefined ? [] : [{ kind: 'pod', key: `${namespace}/${name}`, text, pod }];
}

function eventOf({ namespace, pod: name, podUid: uid }: AskingPod, text: string) {
  const regarding = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, uid } };
  const message = `nothing is copied ahead of backups: ${text}`;
  return { regarding, type: 'Warning', reason: 'PreCopyInvalid', message } as const;
}

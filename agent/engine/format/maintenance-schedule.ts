// kopia.maintenance: when maintenance is due and what it did (kopia
// repo/maintenance/maintenance_schedule.go). The history is not a log: maintenance decides by it
// what is safe to delete, so nothing in it may be dropped or made up.

import { goJson } from '#engine/base/json.ts';
import { formatTimestamp } from '#engine/base/timestamp.ts';
import { openGcm, sealGcm, type GcmKey, type RandomBytes } from './aes-gcm.ts';
import {
  documentBytes,
  documentText,
  failing,
  isJsonObject,
  JsonFields,
  unlessEmpty,
  type ExtraFields,
  type Fail,
} from './json-fields.ts';

export interface MaintenanceRun {
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly isSuccess: boolean;
  /** '' when it succeeded. */
  readonly error: string;
  /** Statistics, since kopia 0.22, and fields that this version does not know. */
  readonly extra?: ExtraFields;
}

export interface MaintenanceSchedule {
  /** Undefined: at once. */
  readonly nextFullNs: bigint | undefined;
  readonly nextQuickNs: bigint | undefined;
  /** By the name of the task, newest first. */
  readonly runs: Readonly<Record<string, readonly MaintenanceRun[]>>;
  readonly extra?: ExtraFields;
}

/** What holds for a repository without the blob. */
export const EMPTY_SCHEDULE: MaintenanceSchedule = Object.freeze({
  nextFullNs: undefined,
  nextQuickNs: undefined,
  runs: Object.freeze({}),
});

/** Go's zero time, -62135596800 seconds. */
const GO_ZERO_NS = -62_135_596_800_000_000_000n;

const fail: Fail = failing(
  'REPOSITORY_FORMAT_INVALID',
  'kopia.maintenance',
  'delete it only if losing the history of maintenance is acceptable',
);

/**
 * @throws REPOSITORY_FORMAT_INVALID
 */
export function openMaintenanceSchedule(key: GcmKey, sealed: Uint8Array): MaintenanceSchedule {
  const plaintext = openGcm(key, sealed);
  if (plaintext === undefined) throw fail('it does not decrypt with the key of the repository');
  const fields = JsonFields.parse(documentText(plaintext), fail);
  const runs = fields.take('runs') ?? {};
  if (!isJsonObject(runs)) throw fail('its runs are not an object');
  return {
    nextFullNs: readTime(fields, 'nextFullMaintenance'),
    nextQuickNs: readTime(fields, 'nextQuickMaintenance'),
    runs: Object.fromEntries(Object.entries(runs).map(([task, list]) => [task, readRuns(list)])),
    extra: fields.extra(),
  };
}

export function sealMaintenanceSchedule(
  key: GcmKey,
  schedule: MaintenanceSchedule,
  random: RandomBytes,
): Uint8Array {
  const runs = Object.entries(schedule.runs).map(([task, list]) => [task, list.map(runJson)]);
  const document = {
    nextFullMaintenance: formatTimestamp(schedule.nextFullNs ?? GO_ZERO_NS),
    nextQuickMaintenance: formatTimestamp(schedule.nextQuickNs ?? GO_ZERO_NS),
    runs: Object.fromEntries(runs) as ExtraFields,
    ...schedule.extra,
  };
  return sealGcm(key, documentBytes(goJson(document)), random);
}

function readRuns(list: unknown): MaintenanceRun[] {
  if (list === null) return [];
  if (!Array.isArray(list)) throw fail('a task has no list of runs');
  return list.map(value => {
    const fields = new JsonFields(value, fail);
    return {
      startNs: fields.timestampNs('start') ?? GO_ZERO_NS,
      endNs: fields.timestampNs('end') ?? GO_ZERO_NS,
      isSuccess: fields.boolean('success'),
      error: fields.text('error'),
      extra: fields.extra(),
    };
  });
}

function runJson(run: MaintenanceRun): ExtraFields {
  return {
    start: formatTimestamp(run.startNs),
    end: formatTimestamp(run.endNs),
    success: unlessEmpty(run.isSuccess),
    error: unlessEmpty(run.error),
    ...run.extra,
  };
}

function readTime(fields: JsonFields, name: string): bigint | undefined {
  const nanoseconds = fields.timestampNs(name);
  return nanoseconds === GO_ZERO_NS ? undefined : nanoseconds;
}

// Who maintains a repository and how often: a manifest of type maintenance (kopia
// repo/maintenance/maintenance_params.go). Without one nobody's automatic maintenance runs.

import { goJson } from '#engine/base/json.ts';
import type { Integer } from './exact-json.ts';
import { failing, JsonFields, type ExtraFields, type Fail } from './json-fields.ts';
import { TYPE_LABEL, type Labels } from './manifest.ts';

export const MAINTENANCE_LABELS: Labels = Object.freeze({ [TYPE_LABEL]: 'maintenance' });

export interface MaintenanceCycle {
  readonly isEnabled: boolean;
  readonly intervalNs: bigint;
  readonly extra?: ExtraFields;
}

export interface LogRetention {
  readonly maxTotalBytes: Integer;
  readonly maxCount: Integer;
  readonly maxAgeNs: bigint;
  readonly extra?: ExtraFields;
}

export interface MaintenanceParameters {
  /** `user@host`; '' for nobody. */
  readonly owner: string;
  readonly quick: MaintenanceCycle;
  readonly full: MaintenanceCycle;
  readonly logRetention: LogRetention;
  readonly extendsObjectLocks: boolean;
  readonly listParallelism: Integer;
  readonly extra?: ExtraFields;
}

const HOUR_NS = 3_600_000_000_000n;

/** What holds for a repository without such a manifest; the owner has to be filled in. */
export const DEFAULT_MAINTENANCE_PARAMETERS: MaintenanceParameters = Object.freeze({
  owner: '',
  quick: Object.freeze({ isEnabled: true, intervalNs: HOUR_NS }),
  full: Object.freeze({ isEnabled: true, intervalNs: 24n * HOUR_NS }),
  logRetention: Object.freeze({
    maxTotalBytes: 2 ** 30,
    maxCount: 10_000,
    maxAgeNs: 720n * HOUR_NS,
  }),
  extendsObjectLocks: false,
  listParallelism: 0,
});

/**
 * @param data the JSON of the manifest's entry
 * @param id of the manifest
 * @throws MANIFEST_DAMAGED
 */
export function decodeMaintenanceParameters(data: string, id: string): MaintenanceParameters {
  const advice = 'set the parameters anew with "kopia maintenance set"';
  const fail = failing('MANIFEST_DAMAGED', `maintenance parameters ${id}`, advice);
  const fields = JsonFields.parse(data, fail);
  const logs = fields.fields('logRetention') ?? new JsonFields({}, fail);
  return {
    owner: fields.text('owner'),
    quick: readCycle(fields, 'quick', fail),
    full: readCycle(fields, 'full', fail),
    logRetention: {
      maxTotalBytes: logs.integer('maxTotalSize'),
      maxCount: logs.integer('maxCount'),
      maxAgeNs: logs.durationNs('maxAge'),
      extra: logs.extra(),
    },
    extendsObjectLocks: fields.boolean('extendObjectLocks'),
    listParallelism: fields.integer('listParallelism'),
    extra: fields.extra(),
  };
}

/** The JSON of the manifest's entry. */
export function encodeMaintenanceParameters(parameters: MaintenanceParameters): string {
  const { logRetention } = parameters;
  return goJson({
    owner: parameters.owner,
    quick: cycleJson(parameters.quick),
    full: cycleJson(parameters.full),
    logRetention: {
      maxTotalSize: logRetention.maxTotalBytes,
      maxCount: logRetention.maxCount,
      maxAge: logRetention.maxAgeNs,
      ...logRetention.extra,
    },
    extendObjectLocks: parameters.extendsObjectLocks,
    listParallelism: parameters.listParallelism,
    ...parameters.extra,
  });
}

function readCycle(fields: JsonFields, name: string, fail: Fail): MaintenanceCycle {
  const cycle = fields.fields(name) ?? new JsonFields({}, fail);
  return {
    isEnabled: cycle.boolean('enabled'),
    intervalNs: cycle.durationNs('interval'),
    extra: cycle.extra(),
  };
}

function cycleJson({ isEnabled, intervalNs, extra }: MaintenanceCycle): ExtraFields {
  return { enabled: isEnabled, interval: intervalNs, ...extra };
}

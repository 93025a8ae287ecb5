// How epochs of the index turn (kopia internal/epoch/epoch_manager.go). The names in JSON are
// PascalCase by a historical mistake of kopia.

import { EngineError } from '#engine/base/errors.ts';
import type { Integer } from './exact-json.ts';
import type { ExtraFields, JsonFields } from './json-fields.ts';

export interface EpochParameters {
  /** False only in repositories of format version 1 (see legacy-index.ts). */
  readonly isEnabled: boolean;
  /** How long a view of the epochs may be used. */
  readonly refreshFrequencyNs: bigint;
  /** Settled epochs behind which a range checkpoint is due. */
  readonly fullCheckpointFrequency: Integer;
  readonly cleanupSafetyMarginNs: bigint;
  readonly minEpochDurationNs: bigint;
  readonly advanceOnCount: Integer;
  readonly advanceOnTotalBytes: Integer;
  readonly deleteParallelism: Integer;
  readonly extra?: ExtraFields;
}

const MINUTE = 60_000_000_000n;

export const DEFAULT_EPOCH_PARAMETERS: EpochParameters = Object.freeze({
  isEnabled: true,
  refreshFrequencyNs: 20n * MINUTE,
  fullCheckpointFrequency: 7,
  cleanupSafetyMarginNs: 240n * MINUTE,
  minEpochDurationNs: 1440n * MINUTE,
  advanceOnCount: 20,
  advanceOnTotalBytes: 10 * 2 ** 20,
  deleteParallelism: 4,
});

/** @throws what the fields throw */
export function readEpochParameters(fields: JsonFields): EpochParameters {
  return {
    isEnabled: fields.boolean('Enabled'),
    refreshFrequencyNs: fields.durationNs('EpochRefreshFrequency'),
    fullCheckpointFrequency: fields.integer('FullCheckpointFrequency'),
    cleanupSafetyMarginNs: fields.durationNs('CleanupSafetyMargin'),
    minEpochDurationNs: fields.durationNs('MinEpochDuration'),
    advanceOnCount: fields.integer('EpochAdvanceOnCountThreshold'),
    advanceOnTotalBytes: fields.integer('EpochAdvanceOnTotalSizeBytesThreshold'),
    deleteParallelism: fields.integer('DeleteParallelism'),
    extra: fields.extra(),
  };
}

/** As an object for goJson. */
export function epochParametersJson(parameters: EpochParameters): ExtraFields {
  return {
    Enabled: parameters.isEnabled,
    EpochRefreshFrequency: parameters.refreshFrequencyNs,
    FullCheckpointFrequency: parameters.fullCheckpointFrequency,
    CleanupSafetyMargin: parameters.cleanupSafetyMarginNs,
    MinEpochDuration: parameters.minEpochDurationNs,
    EpochAdvanceOnCountThreshold: parameters.advanceOnCount,
    EpochAdvanceOnTotalSizeBytesThreshold: parameters.advanceOnTotalBytes,
    DeleteParallelism: parameters.deleteParallelism,
    ...parameters.extra,
  };
}

/**
 * What kopia demands of parameters that are being set. Those that are read are taken as they are.
 * @throws USAGE
 */
export function checkEpochParameters(parameters: EpochParameters): void {
  if (!parameters.isEnabled) return;
  const { refreshFrequencyNs, cleanupSafetyMarginNs, minEpochDurationNs } = parameters;
  const rules: [isMet: boolean, rule: string][] = [
    [minEpochDurationNs >= 10n * MINUTE, 'the minimum duration must be 10 minutes or more'],
    [
      refreshFrequencyNs * 3n <= minEpochDurationNs,
      'the minimum duration must be 3 refresh periods or more',
    ],
    [parameters.fullCheckpointFrequency > 0, 'the checkpoint frequency must be positive'],
    [
      cleanupSafetyMarginNs >= refreshFrequencyNs * 3n,
      'the cleanup safety margin must be 3 refresh periods or more',
    ],
    [parameters.advanceOnCount >= 10, 'the count threshold must be 10 or more'],
    [parameters.advanceOnTotalBytes >= 2 ** 20, 'the size threshold must be 1 MiB or more'],
  ];
  for (const [isMet, rule] of rules) {
    if (!isMet) throw new EngineError('USAGE', `cannot use these epoch parameters: ${rule}`);
  }
}

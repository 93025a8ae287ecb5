// Features that a client must know before it may open a repository (kopia internal/feature).

import { EngineError } from '#engine/base/errors.ts';
import { JsonFields, unlessEmpty, type ExtraFields, type Fail } from './json-fields.ts';

/** What this version understands; the same as kopia 0.23. */
export const SUPPORTED_FEATURES: readonly string[] = Object.freeze(['index-v1', 'index-v2']);

export interface RequiredFeature {
  readonly name: string;
  /** Whether a client that does not know it may go on with a warning. */
  readonly isOptional: boolean;
  readonly message: string;
  readonly url: string;
  readonly upgradeToVersion: string;
  readonly extra?: ExtraFields;
}

/** @throws what `fail` makes */
export function readRequiredFeatures(list: readonly unknown[], fail: Fail): RequiredFeature[] {
  return list.map(value => {
    const fields = new JsonFields(value, fail);
    const otherwise = fields.fields('ifNotUnderstood');
    return {
      name: fields.text('feature'),
      isOptional: otherwise?.boolean('warn') ?? false,
      message: otherwise?.text('message') ?? '',
      url: otherwise?.text('url') ?? '',
      upgradeToVersion: otherwise?.text('upgradeToVersion') ?? '',
      extra: fields.extra(),
    };
  });
}

/** As objects for goJson. */
export function requiredFeaturesJson(features: readonly RequiredFeature[]): ExtraFields[] {
  return features.map(feature => ({
    feature: feature.name,
    ifNotUnderstood: {
      warn: feature.isOptional,
      message: unlessEmpty(feature.message),
      url: unlessEmpty(feature.url),
      upgradeToVersion: unlessEmpty(feature.upgradeToVersion),
    },
    ...feature.extra,
  }));
}

/**
 * Checks features against those that this version knows.
 * @returns warnings, one for each optional feature that is unknown
 * @throws REPOSITORY_FEATURE_UNSUPPORTED for the first mandatory one
 */
export function checkRequiredFeatures(
  features: readonly RequiredFeature[],
  supported: readonly string[] = SUPPORTED_FEATURES,
): string[] {
  const missing = features.filter(feature => !supported.includes(feature.name));
  const mandatory = missing.find(feature => !feature.isOptional);
  if (mandatory !== undefined) {
    throw new EngineError('REPOSITORY_FEATURE_UNSUPPORTED', describe(mandatory), {
      details: { feature: mandatory.name },
    });
  }
  return missing.map(describe);
}

function describe({ name, message, url, upgradeToVersion }: RequiredFeature): string {
  const hints = [
    message,
    url === '' ? '' : `see ${url}`,
    upgradeToVersion === '' ? '' : `kopia ${upgradeToVersion} knows it`,
  ].filter(hint => hint !== '');
  const about = hints.length === 0 ? '' : ` (${hints.join('; ')})`;
  return `the repository needs feature "${name}", which this version does not have${about}`;
}

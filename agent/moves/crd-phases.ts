// What the installed CRD of a kind allows in a status: 1.16 knows neither Accepted nor Canceled nor
// some fields, and a phase that is not in its enum is a validation error.

import { isEngineError } from '#engine/base/errors.ts';
import type { CallOptions, KubeClient } from '#kube/kube-client.ts';
import type { Resource } from '#kube/kube-object.ts';
import { CUSTOM_RESOURCE_DEFINITIONS } from './objects/custom-resource-definition.ts';
import type { CustomResourceDefinition } from './objects/custom-resource-definition.ts';
import { PHASES, PHASES_OF_1_16, phaseOf } from './phases.ts';
import type { Phase } from './phases.ts';

export interface StatusRules {
  /** `assumed`: the CRD could not be read, and newer rules were taken; a refusal corrects them. */
  readonly source: 'read' | 'assumed' | 'corrected';
  readonly phases: ReadonlySet<Phase>;
  /** Names of status fields; undefined where they are not known, and unknown ones are pruned. */
  readonly fields: ReadonlySet<string> | undefined;
}

/** What to go by when the CRD cannot be read: the server prunes fields that it does not know. */
export const ASSUMED_RULES: StatusRules = Object.freeze({
  source: 'assumed',
  phases: new Set(PHASES),
  fields: undefined,
});

/** After a server has refused a phase that only newer CRDs have. */
export const CORRECTED_RULES: StatusRules = Object.freeze({
  source: 'corrected',
  phases: new Set(PHASES_OF_1_16),
  fields: undefined,
});

/**
 * Reads the rules of a kind from its CRD; ASSUMED_RULES when that is forbidden or cannot be
 * understood.
 * @throws KUBE_NOT_FOUND when the CRD is absent, KUBE_UNAVAILABLE
 */
export async function readStatusRules(
  client: KubeClient,
  resource: Resource,
  options: CallOptions = {},
): Promise<StatusRules> {
  const name = `${resource.plural}.${resource.group}`;
  try {
    const crd = await client.get<CustomResourceDefinition>(
      CUSTOM_RESOURCE_DEFINITIONS,
      { name },
      options,
    );
    return rulesIn(crd, resource.version) ?? ASSUMED_RULES;
  } catch (error) {
    if (isEngineError(error, 'KUBE_FORBIDDEN')) return ASSUMED_RULES;
    throw error;
  }
}

/** Undefined when the CRD has no such version, or no enum of phases in it. */
export function rulesIn(crd: CustomResourceDefinition, version: string): StatusRules | undefined {
  const served = crd.spec?.versions?.find(({ name }) => name === version);
  const status = served?.schema?.openAPIV3Schema?.properties?.['status']?.properties;
  const allowed = status?.['phase']?.enum ?? [];
  const phases = allowed.flatMap(text => (typeof text === 'string' ? (phaseOf(text) ?? []) : []));
  if (status === undefined || phases.length === 0) return undefined;
  return { source: 'read', phases: new Set(phases), fields: new Set(Object.keys(status)) };
}

/** True when a field may be written: it is there, or nobody knows. */
export function hasField({ fields }: StatusRules, name: string): boolean {
  return fields === undefined || fields.has(name);
}

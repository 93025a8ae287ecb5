// In which namespace Velero is: what was given, the environment, or what everybody has.

import { parseObjectName } from '#agent/config-values.ts';
import { optionalText, type OptionValues } from '#engine/cli/option-values.ts';
import type { ClusterSession } from './cluster-verb.ts';

/** @throws USAGE; a verb calls it while it is prepared */
export function givenNamespace(options: OptionValues, name = 'namespace'): string | undefined {
  const text = optionalText(options, name);
  const flag = name === 'namespace' ? '--namespace' : '--velero-namespace';
  return text === undefined ? undefined : parseObjectName(text, flag);
}

/** @throws USAGE where the variable holds none */
export function veleroNamespace(
  given: string | undefined,
  { environment }: Pick<ClusterSession, 'environment'>,
): string {
  if (given !== undefined) return given;
  const named = environment.VELERO_NAMESPACE ?? '';
  return parseObjectName(named === '' ? 'velero' : named, 'VELERO_NAMESPACE');
}

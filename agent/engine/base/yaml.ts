// YAML files of operators and of the kubelet, as plain values. The only file that imports yaml.

import { parse } from 'yaml';
import { EngineError, messageOf } from './errors.ts';

/** More than this is no configuration. */
const ALIASES_MAX = 100;

/**
 * One document of YAML 1.2, and so of JSON too. `what` names it in the message.
 * @throws USAGE when it is not YAML
 */
export function parseYaml(text: string, what: string): unknown {
  try {
    return parse(text, { maxAliasCount: ALIASES_MAX, logLevel: 'error' });
  } catch (error) {
    // The message has a drawing of the place below its first line.
    const [reason = ''] = messageOf(error).split('\n', 1);
    throw new EngineError('USAGE', `${what} is not YAML: ${reason.replace(/:$/, '')}`, {
      cause: error,
    });
  }
}

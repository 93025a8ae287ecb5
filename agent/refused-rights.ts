// Rights that an API server refuses while the agent or the controller works: a role was changed, or
// the server could not be asked beforehand. Each is named in the log, and in `/readyz` until it is
// granted.

import { isEngineError, messageOf } from '#engine/base/errors.ts';
import type { RequestAttempt } from '#kube/http-client.ts';
import { type RequestTarget, resourceName } from '#kube/request-target.ts';
import type { Log } from './log.ts';
import type { Readiness } from './readiness.ts';

export interface RefusedRightsParts {
  readonly log: Log;
  readonly readiness: Pick<Readiness, 'set' | 'setOptional'>;
  /** Whether it works without. */
  readonly isOptional: (target: RequestTarget) => boolean;
  /** What may be done in it may be forbidden elsewhere; both are rights of their own then. */
  readonly namespace?: string;
}

/**
 * As RBAC and webhooks say it; admission forbids, too (apiserver
 * endpoints/handlers/responsewriters).
 */
const REFUSED_RIGHT = /\bcannot [a-z]+ resource\b/;

/** For `onAttempt` of the client. */
export function refusedRights({ log, readiness, isOptional, namespace }: RefusedRightsParts) {
  const refused = new Set<string>();
  return ({ target, error }: RequestAttempt): void => {
    const right = rightOf(target, namespace);
    if (right === undefined) return;
    const show = (missing: string | undefined) =>
      isOptional(target) ? readiness.setOptional(right, missing) : readiness.set(right, missing);
    if (error === undefined && refused.delete(right)) {
      show(undefined);
      log.info({ right }, 'a right that was missing is there');
    } else if (isEngineError(error, 'KUBE_FORBIDDEN') && REFUSED_RIGHT.test(error.message)) {
      show(messageOf(error));
      if (refused.has(right)) return;
      refused.add(right);
      log.error({ right, error }, 'a right is missing');
    }
  };
}

/** `list pods`, or `list pods in velero`. */
function rightOf({ verb, resource, namespace }: RequestTarget, ours: string | undefined) {
  if (resource === undefined) return undefined;
  const inOurs = namespace !== undefined && namespace === ours ? ` in ${namespace}` : '';
  return `${verb} ${resourceName(resource)}${inOurs}`;
}

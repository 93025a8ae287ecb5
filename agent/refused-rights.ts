// Rights that an API server refuses while the agent works: a role was changed, or the server could
// not be asked beforehand. Each is named in the log, and in `/readyz` until it is granted.

import { isEngineError, messageOf } from '#engine/base/errors.ts';
import type { RequestAttempt } from '#kube/http-client.ts';
import { resourceName } from '#kube/request-target.ts';
import type { Log } from './log.ts';
import { PERMISSIONS } from './permissions.ts';
import type { Readiness } from './readiness.ts';

export interface RefusedRightsParts {
  readonly log: Log;
  readonly readiness: Pick<Readiness, 'set' | 'setOptional'>;
}

/**
 * As RBAC and webhooks say it; admission forbids, too (apiserver
 * endpoints/handlers/responsewriters).
 */
const REFUSED_RIGHT = /\bcannot [a-z]+ resource\b/;

/** For `onAttempt` of the client. */
export function refusedRights({ log, readiness }: RefusedRightsParts) {
  const refused = new Set<string>();
  return ({ target: { verb, resource }, error }: RequestAttempt): void => {
    if (resource === undefined) return;
    const right = `${verb} ${resourceName(resource)}`;
    const isOptional = PERMISSIONS.some(
      each =>
        each.isOptional === true &&
        each.resource === resource.plural &&
        each.group === resource.group &&
        each.verbs.includes(verb),
    );
    const show = (missing: string | undefined) =>
      isOptional ? readiness.setOptional(right, missing) : readiness.set(right, missing);
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

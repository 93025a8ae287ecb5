// Whether the service account of the agents may do what they do, verb by verb.

import { isEngineError } from '#engine/base/errors.ts';
import { mapBounded } from '#engine/base/map-bounded.ts';
import { counted } from '#engine/cli/quantity.ts';
import type { KubeObject, Resource } from '#kube/kube-object.ts';
import type { DataMover } from '#agent/moves/exposed-moves.ts';
import {
  permissionsFor,
  permissionText,
  resourceAttributes,
  type Right,
  rightsOf,
} from '#agent/permissions.ts';
import type { Cluster } from './cluster-verb.ts';
import { failure, fine, type Finding, warning } from './finding.ts';

interface AccessReview extends KubeObject {
  readonly spec: object;
  readonly status?: { readonly allowed?: boolean };
}

/** A question about somebody else; nothing is stored. */
const REVIEWS: Resource = Object.freeze({
  ...{ group: 'authorization.k8s.io', version: 'v1', plural: 'subjectaccessreviews' },
  ...{ kind: 'SubjectAccessReview', isNamespaced: false },
});
/** About whoever asks, which anybody may. */
const OWN_REVIEWS: Resource = Object.freeze({
  ...REVIEWS,
  ...{ plural: 'selfsubjectaccessreviews', kind: 'SelfSubjectAccessReview' },
});
const REVIEWS_AT_ONCE_MAX = 4;

export interface RightsParts {
  readonly ask: Cluster['ask'];
  readonly namespace: string;
  /** Of the agents. */
  readonly account: string;
  /** It is who asks, in a pod of theirs. */
  readonly isOwn: boolean;
  readonly dataMover: DataMover;
  readonly signal: AbortSignal;
}

export async function checkRights(parts: RightsParts): Promise<readonly Finding[]> {
  const { namespace, account, dataMover, signal } = parts;
  const check = 'rights of the agents';
  const permissions = permissionsFor(dataMover);
  const asked = rightsOf(permissions);
  const bounds = { parallelism: REVIEWS_AT_ONCE_MAX, signal };
  let allowed: readonly boolean[];
  try {
    allowed = await mapBounded(asked, bounds, right => isAllowed(parts, right));
  } catch (error) {
    if (!isEngineError(error, 'KUBE_FORBIDDEN', 'KUBE_KIND_UNKNOWN')) throw error;
    const text = 'you may not ask what others may (create subjectaccessreviews)';
    const exec = `kubectl -n ${namespace} exec ds/node-agent -- stevedore preflight`;
    const advice = `${exec} asks about itself, which it may`;
    return [warning(check, text, advice)];
  }
  const missing = asked.filter((_, index) => allowed[index] !== true);
  if (missing.length === 0) {
    return [fine(check, `${account} has all ${counted(asked.length, 'verb')}`)];
  }
  // A line for each row of the table, not for each verb: there may be sixty.
  return permissions.flatMap(permission => {
    const verbs = missing.filter(each => each.permission === permission).map(({ verb }) => verb);
    if (verbs.length === 0) return [];
    const may = `${account} may not ${permissionText(permission, verbs.join(', '), namespace)}`;
    const text = `${may}: ${permission.reason}`;
    const advice = 'add it to the roles of charts/stevedore, or upgrade the chart';
    return [(permission.isOptional === true ? warning : failure)(check, text, advice)];
  });
}

async function isAllowed(
  { ask, namespace, account, isOwn, signal }: RightsParts,
  right: Right,
): Promise<boolean> {
  const resource = isOwn ? OWN_REVIEWS : REVIEWS;
  const who = !isOwn && {
    user: `system:serviceaccount:${namespace}:${account}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
  };
  const review: AccessReview = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: resource.kind,
    // It has no name; the server asks for none.
    metadata: { name: '' },
    spec: { ...who, resourceAttributes: resourceAttributes(right, namespace) },
  };
  const { status } = await ask.create<AccessReview>(resource, review, { signal });
  return status?.allowed === true;
}

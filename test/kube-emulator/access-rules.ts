// Who may do what: everything, but for what a test takes away (RBAC the other way round).

import { resourceName, type KubeVerb } from '#kube/request-target.ts';
import type { Resource } from '#kube/kube-object.ts';
import { ApiError } from './api-error.ts';

export interface Denial {
  readonly verb?: KubeVerb;
  readonly plural?: string;
  readonly namespace?: string;
  /** Of a SubjectAccessReview. */
  readonly user?: string;
}

export const EMULATED_USER = 'system:serviceaccount:velero:velero';

export class AccessRules {
  readonly #denials = new Set<Denial>();

  /** Forbids what fits until the function that comes back is called. */
  deny(denial: Denial): () => void {
    this.#denials.add(denial);
    return () => this.#denials.delete(denial);
  }

  allows(verb: string, plural: string, namespace: string | undefined, user = EMULATED_USER) {
    return ![...this.#denials].some(
      denial =>
        (denial.user ?? user) === user &&
        (denial.verb ?? verb) === verb &&
        (denial.plural ?? plural) === plural &&
        (denial.namespace ?? namespace) === namespace,
    );
  }

  /** @throws ApiError 403 */
  check(verb: KubeVerb, resource: Resource, namespace: string | undefined, name?: string): void {
    const { plural, group } = resource;
    if (this.allows(verb, plural, namespace)) return;
    const what = `cannot ${verb} resource "${plural}" in API group "${group}"`;
    const where =
      namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
    const subject = `${resourceName(resource)}${name === undefined ? '' : ` "${name}"`}`;
    const message = `${subject} is forbidden: User "${EMULATED_USER}" ${what} ${where}`;
    throw new ApiError(403, 'Forbidden', message, { name, group, kind: plural });
  }
}

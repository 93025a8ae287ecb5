// The rights that the chart gives to the agent and to the controller, one by one, and its roles
// without one of them. Whose a role is its bindings say.

import { renderChart } from '#test/charts/helm.ts';
import type { ApiObject } from '#test/cluster/api-client.ts';

/** Service accounts of the chart. */
export type Account = 'stevedore-node-agent' | 'stevedore-controller';

export interface Right {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  /** In Velero's namespace alone. */
  readonly isNamespaced: boolean;
}

export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

export interface ChartObject extends ApiObject {
  readonly rules?: readonly Rule[];
  readonly roleRef?: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly kind: string; readonly name: string }[];
  readonly data?: Readonly<Record<string, string>>;
}

export const CONTROLLER_ENABLED = '--set=controller.enabled=true';

export function chartObjects(namespace: string, values: readonly string[]): ChartObject[] {
  const image = '--set=image.repository=registry.example/stevedore';
  // The later namespace counts. Objects of the chart, which the API server looks at.
  return renderChart(image, ...values, `--namespace=${namespace}`) as ChartObject[];
}

/** Roles that are bound to it, cluster-wide or in the namespace. */
export function rolesOf(objects: readonly ChartObject[], account: Account): ChartObject[] {
  const bindings = objects.filter(({ subjects = [] }) =>
    subjects.some(({ kind, name }) => kind === 'ServiceAccount' && name === account),
  );
  return objects.filter(({ kind, metadata: { name } }) =>
    bindings.some(({ roleRef }) => roleRef?.kind === kind && roleRef.name === name),
  );
}

/** Each once, whichever rules and roles give it. */
export function rightsOf(roles: readonly ChartObject[]): Right[] {
  const rights = roles.flatMap(({ kind, rules = [] }) =>
    rules.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap(group =>
        resources.flatMap(resource =>
          verbs.map(verb => ({ verb, group, resource, isNamespaced: kind === 'Role' })),
        ),
      ),
    ),
  );
  return [...new Map(rights.map(right => [rightText(right, ''), right])).values()];
}

/** Of those roles the rights that are not among `tried`, which they are then. */
export function untriedRights(roles: readonly ChartObject[], tried: Set<string>): Right[] {
  const rights = rightsOf(roles);
  return rights.filter(right => {
    // What is given in the whole cluster nobody misses in a namespace.
    const isGivenTwice = rights.some(
      other => right.isNamespaced && !other.isNamespaced && isSame(right, other),
    );
    const text = rightText(right, 'velero');
    if (isGivenTwice || tried.has(text)) return false;
    tried.add(text);
    return true;
  });
}

function isSame(one: Right, other: Right): boolean {
  return rightText(one, '') === rightText({ ...other, isNamespaced: true }, '');
}

/** As the log names it. */
export function rightText({ verb, group, resource, isNamespaced }: Right, namespace: string) {
  const name = group === '' ? resource : `${resource}.${group}`;
  return `${verb} ${name}${isNamespaced ? ` in ${namespace}` : ''}`;
}

/** All of them, that account without the right. */
export function withoutRight(
  objects: readonly ChartObject[],
  account: Account,
  right: Right | undefined,
): ChartObject[] {
  if (right === undefined) return [...objects];
  const roles = new Set(rolesOf(objects, account));
  const isConcerned = (object: ChartObject) =>
    roles.has(object) && (object.kind === 'Role') === right.isNamespaced;
  return objects.map(object => (isConcerned(object) ? without(object, right) : object));
}

function without(role: ChartObject, right: Right): ChartObject {
  const { rules = [] } = role;
  const left = rules.flatMap(rule => {
    const { apiGroups, resources, verbs } = rule;
    const hasIt = apiGroups.includes(right.group) && resources.includes(right.resource);
    if (!hasIt || !verbs.includes(right.verb)) return [rule];
    const others = resources.filter(resource => resource !== right.resource);
    const otherVerbs = verbs.filter(verb => verb !== right.verb);
    return [
      { apiGroups, resources: others, verbs },
      { apiGroups, resources: [right.resource], verbs: otherVerbs },
    ].filter(each => each.resources.length > 0 && each.verbs.length > 0);
  });
  return { ...role, rules: left };
}

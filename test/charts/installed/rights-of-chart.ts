// The rights that the chart gives to the controller, one by one, and its roles without one of them.

import { renderChart } from '#test/charts/helm.ts';
import type { ApiObject } from './api-client.ts';

export interface Right {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  /** In Velero's namespace alone. */
  readonly isNamespaced: boolean;
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

export interface ChartObject extends ApiObject {
  readonly rules?: readonly Rule[];
  readonly data?: Readonly<Record<string, string>>;
}

/** For agents, though it has the controller's name. */
const OF_AGENTS = /-overviews$/;

export function chartObjects(namespace: string, values: readonly string[]): ChartObject[] {
  const enabled = '--set=image.repository=registry.example/stevedore,controller.enabled=true';
  // The later namespace counts. Objects of the chart, which the API server looks at.
  return renderChart(enabled, ...values, `--namespace=${namespace}`) as ChartObject[];
}

export function controllerRoles(namespace: string, values: readonly string[]): ChartObject[] {
  return chartObjects(namespace, values).filter(isOfController);
}

function isOfController({ kind, metadata: { name } }: ChartObject): boolean {
  return /Role$/.test(kind) && /stevedore-controller/.test(name) && !OF_AGENTS.test(name);
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

/** As the log names it. */
export function rightText({ verb, group, resource, isNamespaced }: Right, namespace: string) {
  const name = group === '' ? resource : `${resource}.${group}`;
  return `${verb} ${name}${isNamespaced ? ` in ${namespace}` : ''}`;
}

export function without(object: ChartObject, right: Right | undefined): ChartObject {
  const { kind, rules = [] } = object;
  if (right === undefined || !isOfController(object)) return object;
  if ((kind === 'Role') !== right.isNamespaced) return object;
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
  return { ...object, rules: left };
}

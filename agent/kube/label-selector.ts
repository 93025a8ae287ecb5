// metav1.LabelSelector against the labels of an object (apimachinery pkg/labels/selector.go).

import { EngineError } from '#engine/base/errors.ts';

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly LabelRequirement[];
}

export interface LabelRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

type Labels = Readonly<Record<string, string>>;

const OPERATORS: Readonly<
  Record<string, (value: string | undefined, values: string[]) => boolean>
> = Object.freeze({
  In: (value, values) => value !== undefined && values.includes(value),
  // What has no such label is not in the set either.
  NotIn: (value, values) => value === undefined || !values.includes(value),
  Exists: value => value !== undefined,
  DoesNotExist: value => value === undefined,
});

/**
 * An empty selector matches everything.
 * @throws USAGE for an operator that does not exist
 */
export function matchesLabels(selector: LabelSelector, labels: Labels): boolean {
  const isEqual = Object.entries(selector.matchLabels ?? {}).every(
    ([key, value]) => labels[key] === value,
  );
  const expressions = selector.matchExpressions ?? [];
  return expressions.map(one => satisfies(one, labels)).every(Boolean) && isEqual;
}

function satisfies({ key, operator, values = [] }: LabelRequirement, labels: Labels): boolean {
  const test = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
  if (test === undefined) {
    const known = Object.keys(OPERATORS).join(', ');
    throw new EngineError(
      'USAGE',
      `a label selector has the operator '${operator}'; there are ${known}`,
    );
  }
  return test(labels[key], [...values]);
}

// Label and field selectors, as query parameters of a list or watch
// (k8s.io/apimachinery pkg/labels/selector.go, pkg/fields/selector.go).

import { badRequest } from './api-error.ts';
import { valueAt, type StoredObject } from './json.ts';

export type Matcher = (object: StoredObject) => boolean;

/** Set-based or equality: `a=b, c in (d,e), !f`. Undefined and '' match everything. */
export function labelMatcher(selector: string | undefined): Matcher {
  const requirements = splitOutsideParentheses(selector ?? '').map(labelRequirement);
  return ({ metadata }) => requirements.every(matches => matches(metadata.labels ?? {}));
}

/** `metadata.name=x,spec.nodeName!=y`, of the fields in `selectable`. */
export function fieldMatcher(selector: string | undefined, selectable: readonly string[]): Matcher {
  const terms = (selector ?? '').split(',').filter(term => term.trim() !== '');
  const requirements = terms.map(term => fieldRequirement(term, selectable));
  return object => requirements.every(matches => matches(object));
}

type LabelRequirement = (labels: Readonly<Record<string, string>>) => boolean;

const KEY = '[A-Za-z0-9./_-]+';
const SET = new RegExp(`^(${KEY})\\s+(in|notin)\\s*\\(([^()]*)\\)$`);
const EQUALITY = new RegExp(`^(${KEY})\\s*(==|=|!=)\\s*([A-Za-z0-9._-]*)$`);
const EXISTENCE = new RegExp(`^(!?)\\s*(${KEY})$`);

function labelRequirement(term: string): LabelRequirement {
  const set = SET.exec(term);
  if (set !== null) {
    const [, key = '', operator, list = ''] = set;
    const values = list.split(',').map(value => value.trim());
    // An object without the label is not in any set, and so matches notin.
    return labels => values.includes(labels[key] ?? '\0') === (operator === 'in');
  }
  const equality = EQUALITY.exec(term);
  if (equality !== null) {
    const [, key = '', operator, value] = equality;
    return labels => (labels[key] === value) === (operator !== '!=');
  }
  const existence = EXISTENCE.exec(term);
  if (existence === null) throw badRequest(`unable to parse requirement: ${term}`);
  const [, not, key = ''] = existence;
  return labels => key in labels === (not === '');
}

function splitOutsideParentheses(selector: string): string[] {
  const terms = selector.match(/(?:[^,(]|\([^)]*\))+/g) ?? [];
  return terms.map(term => term.trim()).filter(term => term !== '');
}

function fieldRequirement(term: string, selectable: readonly string[]): Matcher {
  const parts = /^([^=!]+)(==|=|!=)(.*)$/.exec(term.trim());
  if (parts === null) throw badRequest(`invalid field selector: ${term}`);
  const [, field = '', operator, value] = parts;
  if (!selectable.includes(field)) throw badRequest(`field label not supported: ${field}`);
  const path = field.split('.');
  return object => (textAt(object, path) === value) === (operator !== '!=');
}

function textAt(object: StoredObject, path: readonly string[]): string {
  const value = valueAt(object, path);
  return typeof value === 'string' || typeof value === 'boolean' ? String(value) : '';
}

// From the text of the setting to rules. All that is wrong with them is said at once, each with its
// place in the list: an attempt may be a rollout.

import { nearestName } from '#agent/nearest-name.ts';
import { parseQuantity } from '#engine/base/kube-quantity.ts';
import { EngineError } from '#engine/base/errors.ts';
import { isRecord } from '#engine/base/record.ts';
import { parseYaml } from '#engine/base/yaml.ts';
import { type AnnotatorRule, RULE_ACTIONS } from './annotator-rules.ts';
import { VOLUME_TYPES } from './watched-objects.ts';

const RULES_MAX = 100;
/** Names and patterns in one condition. */
const PATTERNS_MAX = 1_000;
/** Names of Kubernetes have 253 characters at most (RFC 1123), and `*` may stand between them. */
const PATTERN_CHARACTERS_MAX = 500;

/** Says what is wrong at a place, such as `[0].sizeMin`. */
type Blame = (place: string, problem: string) => void;
type Parse = (value: unknown, place: string, blame: Blame) => Partial<AnnotatorRule>;

const PARSERS: Readonly<Record<string, Parse>> = {
  name: (value, place, blame) => {
    if (typeof value === 'string' && value !== '') return { name: value };
    blame(place, 'is no text; give a name for the log');
    return {};
  },
  action: (value, place, blame) => {
    const action = RULE_ACTIONS.find(each => each === value);
    if (action === undefined) {
      blame(place, `is ${shown(value)}; give one of ${RULE_ACTIONS.join(', ')}`);
    }
    return { action };
  },
  namespaces: (value, place, blame) => ({ namespaces: patterns(value, place, blame) }),
  podLabels: (value, place, blame) => ({ podLabels: labelPatterns(value, place, blame) }),
  volumeTypes: (value, place, blame) => ({ volumeTypes: volumeTypes(value, place, blame) }),
  volumeNames: (value, place, blame) => ({ volumeNames: patterns(value, place, blame) }),
  storageClasses: (value, place, blame) => ({ storageClasses: patterns(value, place, blame) }),
  sizeMin: (value, place, blame) => ({ sizeBytesMin: size(value, place, blame) }),
  sizeMax: (value, place, blame) => ({ sizeBytesMax: size(value, place, blame) }),
};

/** `[{action, namespaces, podLabels, …}]` @throws USAGE; `details.problems` has all of them */
export function parseRules(text: string, what: string): readonly AnnotatorRule[] {
  const problems: string[] = [];
  const blame: Blame = (place, problem) => problems.push(`${place} of ${what} ${problem}`);
  const rules = rulesOf(text, what, blame);
  if (problems.length === 0) return rules;
  throw new EngineError('USAGE', problems.join('\n  '), { details: { problems } });
}

function rulesOf(text: string, what: string, blame: Blame): AnnotatorRule[] {
  const body: unknown = parseYaml(text, what) ?? [];
  if (!Array.isArray(body)) {
    blame('the value', 'is no list; give [{action: include, …}, …]');
    return [];
  }
  if (body.length > RULES_MAX) {
    blame('the list', `has ${body.length} rules; give at most ${RULES_MAX}`);
    return [];
  }
  return body.map((each: unknown, index) => ruleOf(each, index, blame));
}

function ruleOf(body: unknown, index: number, blame: Blame): AnnotatorRule {
  const place = `[${index}]`;
  let rule: AnnotatorRule = { name: `rule ${index + 1}`, action: 'ignore' };
  if (!isRecord(body)) {
    blame(place, 'is no mapping; give {action: include, namespaces: [shop], …}');
    return rule;
  }
  if (body.action === undefined) blame(place, `has no action; give ${RULE_ACTIONS.join(' or ')}`);
  for (const [key, value] of Object.entries(body)) {
    const parse = Object.hasOwn(PARSERS, key) ? PARSERS[key] : undefined;
    if (parse !== undefined) rule = { ...rule, ...parse(value, `${place}.${key}`, blame) };
    else blame(`${place}.${key}`, `is no condition; ${advice(key, Object.keys(PARSERS))}`);
  }
  const { sizeBytesMin = 0, sizeBytesMax = Infinity } = rule;
  if (sizeBytesMin > sizeBytesMax) blame(`${place}.sizeMin`, 'is more than its sizeMax');
  return rule;
}

function volumeTypes(value: unknown, place: string, blame: Blame) {
  return patterns(value, place, blame).flatMap((written, index) => {
    const type = VOLUME_TYPES.find(each => each === written);
    if (type !== undefined) return type;
    const problem = `is '${written}', which cannot be backed up by its files`;
    blame(`${place}[${index}]`, `${problem}; ${advice(written, VOLUME_TYPES)}`);
    return [];
  });
}

/** A text, or a list of them. */
function patterns(value: unknown, place: string, blame: Blame): string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0) blame(place, 'is empty, and so it fits nothing; leave it out');
  if (list.length > PATTERNS_MAX) {
    blame(place, `has ${list.length} entries; give at most ${PATTERNS_MAX}`);
    return [];
  }
  return list.flatMap((each, index) => {
    if (typeof each === 'string' && each !== '' && each.length <= PATTERN_CHARACTERS_MAX) {
      return each;
    }
    const where = Array.isArray(value) ? `${place}[${index}]` : place;
    blame(where, `is ${shown(each)}; give a name, in which * stands for anything`);
    return [];
  });
}

function labelPatterns(value: unknown, place: string, blame: Blame) {
  if (!isRecord(value)) {
    blame(place, 'is no mapping; give {app: db} or {app: [db, cache-*]}');
    return {};
  }
  const entries = Object.entries(value);
  if (entries.length > PATTERNS_MAX) {
    blame(place, `has ${entries.length} labels; give at most ${PATTERNS_MAX}`);
    return {};
  }
  return Object.fromEntries(
    entries.map(([label, each]) => [label, patterns(each, `${place}.${label}`, blame)]),
  );
}

function size(value: unknown, place: string, blame: Blame): number | undefined {
  const bytes =
    typeof value === 'string' || typeof value === 'number' ? parseQuantity(`${value}`) : undefined;
  if (bytes === undefined) {
    blame(place, `is ${shown(value)}; give a size as claims have it, such as 10Gi`);
  }
  return bytes;
}

function advice(written: string, names: readonly string[]): string {
  const near = nearestName(written, names);
  return near === undefined ? `there are ${names.join(', ')}` : `try ${near}`;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
}

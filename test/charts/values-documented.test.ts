// values.yaml is what people read before they install: each key says what it is, and the schema,
// which catches typos, knows the same ones.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseYaml } from '#engine/base/yaml.ts';
import { CHART } from './helm.ts';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
}

const text = readFileSync(join(CHART, 'values.yaml'), 'utf8');
// The schema of the chart; its keys are looked at below.
const schema = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8')) as Schema;

/** Paths of keys that the schema knows by name; what is below others is the user's. */
function keysOf({ properties = {} }: Schema, above = ''): string[] {
  return Object.entries(properties).flatMap(([key, below]) => [
    above + key,
    ...keysOf(below, `${above}${key}.`),
  ]);
}

/** The same of values, for as long as the schema knows what is below by name. */
function valuesOf(value: unknown, { properties }: Schema, above = ''): string[] {
  if (properties === undefined) return [];
  // A mapping, as the schema says.
  return Object.entries(value as object).flatMap(([key, below]) => [
    above + key,
    ...valuesOf(below, properties[key] ?? {}, `${above}${key}.`),
  ]);
}

/** Paths of keys without a comment right above them. */
function* uncommented(lines: readonly string[]): Generator<string> {
  const path: string[] = [];
  for (const [index, line] of lines.entries()) {
    const [, indent = '', key] = /^( *)([\w-]+):/.exec(line) ?? [];
    if (key === undefined) continue;
    path.splice(indent.length / 2, Infinity, key);
    if (!lines[index - 1]?.startsWith(`${indent}# `)) yield path.join('.');
  }
}

t.test('values and schema have the same keys', async t => {
  const values = parseYaml(text, 'values.yaml');
  // Of Helm itself, for charts of charts.
  const known = keysOf(schema).filter(key => key !== 'global');
  t.strictSame(valuesOf(values, schema).sort(), known.sort());
  t.ok(known.length > 100);
});

t.test('each key has a comment that says what it is', async t => {
  const known = new Set(keysOf(schema));
  const silent = [...uncommented(text.split('\n'))];
  t.strictSame(
    silent.filter(key => known.has(key)),
    [],
  );
  t.ok(silent.includes('controller.resources.limits'), 'what is below is left to its own names');
});

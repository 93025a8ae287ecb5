// Structural schemas of CustomResourceDefinitions: what of an object is kept, what is filled in,
// what is refused (k8s.io/apiextensions-apiserver pkg/apiserver/schema/{pruning,defaulting},
// validation).

import type { Cause } from './api-error.ts';
import { isObject, type JsonObject } from './json.ts';

/** apiextensions.k8s.io/v1 JSONSchemaProps, what of it is understood here. */
export interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly nullable?: boolean;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
}

/** `value` without what the schema does not know. */
export function prune(value: unknown, schema: Schema): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? value : value.map(item => prune(item, items));
  }
  if (!isObject(value)) return value;
  const kept: JsonObject = {};
  for (const [key, item] of Object.entries(value)) {
    const inner = schemaOf(key, schema);
    if (inner !== undefined) kept[key] = prune(item, inner);
    else if (schema['x-kubernetes-preserve-unknown-fields'] === true) kept[key] = item;
  }
  return kept;
}

/** `value` with the defaults of what it lacks; a null where none may be counts as lacking. */
export function withDefaults(value: unknown, schema: Schema): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? value : value.map(item => withDefaults(item, items));
  }
  if (!isObject(value)) return value;
  const filled: JsonObject = { ...value };
  for (const [key, inner] of Object.entries(schema.properties ?? {})) {
    const isLacking =
      filled[key] === undefined || (filled[key] === null && inner.nullable !== true);
    if (isLacking && inner.default !== undefined) filled[key] = structuredClone(inner.default);
  }
  for (const [key, item] of Object.entries(filled)) {
    const inner = schemaOf(key, schema);
    if (inner !== undefined) filled[key] = withDefaults(item, inner);
  }
  return filled;
}

/** What is wrong with `value`; `path` is where it is, `spec.pod.name`. */
export function validate(value: unknown, schema: Schema, path: string): Cause[] {
  if (value === null) return schema.nullable === true ? [] : [typeCause(value, schema, path)];
  if (!hasType(value, schema)) return [typeCause(value, schema, path)];
  const causes = scalarCauses(value, schema, path);
  const { items } = schema;
  if (Array.isArray(value) && items !== undefined) {
    return [...causes, ...value.flatMap((item, i) => validate(item, items, `${path}[${i}]`))];
  }
  if (!isObject(value)) return causes;
  const missing = (schema.required ?? [])
    .filter(key => value[key] === undefined)
    .map<Cause>(key => ({
      reason: 'FieldValueRequired',
      message: 'Required value',
      field: join(path, key),
    }));
  const inner = Object.entries(value).flatMap(([key, item]) => {
    const known = schemaOf(key, schema);
    return known === undefined ? [] : validate(item, known, join(path, key));
  });
  return [...causes, ...missing, ...inner];
}

function schemaOf(key: string, schema: Schema): Schema | undefined {
  const named = schema.properties?.[key];
  if (named !== undefined) return named;
  const { additionalProperties } = schema;
  if (additionalProperties === true) return { 'x-kubernetes-preserve-unknown-fields': true };
  return additionalProperties === false ? undefined : additionalProperties;
}

function hasType(value: unknown, schema: Schema): boolean {
  if (schema['x-kubernetes-int-or-string'] === true) {
    return typeof value === 'string' || Number.isInteger(value);
  }
  switch (schema.type) {
    case undefined:
      return true;
    case 'object':
      return isObject(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === schema.type;
  }
}

function typeCause(value: unknown, schema: Schema, path: string): Cause {
  const is = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  const text = `${path} in body must be of type ${schema.type ?? 'string'}: ${JSON.stringify(is)}`;
  return invalidCause(path, JSON.stringify(is), text);
}

function scalarCauses(value: unknown, schema: Schema, path: string): Cause[] {
  const shown = JSON.stringify(value);
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    const values = schema.enum.map(item => JSON.stringify(item)).join(', ');
    const message = `Unsupported value: ${shown}: supported values: ${values}`;
    return [{ reason: 'FieldValueNotSupported', message, field: path }];
  }
  const faults = typeof value === 'number' ? numberFaults(value, schema) : [];
  if (typeof value === 'string') faults.push(...stringFaults(value, schema));
  return faults.map(fault => invalidCause(path, shown, `${path} in body ${fault}`));
}

function numberFaults(value: number, { minimum, maximum }: Schema): string[] {
  const faults: string[] = [];
  if (minimum !== undefined && value < minimum) {
    faults.push(`should be greater than or equal to ${minimum}`);
  }
  if (maximum !== undefined && value > maximum) {
    faults.push(`should be less than or equal to ${maximum}`);
  }
  return faults;
}

function stringFaults(value: string, schema: Schema): string[] {
  const { minLength, maxLength, pattern, format } = schema;
  const faults: string[] = [];
  if (minLength !== undefined && value.length < minLength) {
    faults.push(`should be at least ${minLength} chars long`);
  }
  if (maxLength !== undefined && value.length > maxLength) {
    faults.push(`should be at most ${maxLength} chars long`);
  }
  if (pattern !== undefined && !new RegExp(pattern).test(value)) {
    faults.push(`should match '${pattern}'`);
  }
  if (format !== undefined && FORMATS[format]?.test(value) === false) {
    faults.push(`must be of type ${format}: ${JSON.stringify(value)}`);
  }
  return faults;
}

const FORMATS: Readonly<Record<string, RegExp>> = {
  'date-time': /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/,
  byte: /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
};

function invalidCause(field: string, shown: string, text: string): Cause {
  return { reason: 'FieldValueInvalid', message: `Invalid value: ${shown}: ${text}`, field };
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

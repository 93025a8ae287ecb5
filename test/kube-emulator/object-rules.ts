// What an API server does to an object before it stores it: names, metadata that is its own to set,
// the schema of a custom resource, and the few rules of built-in kinds that clients meet.

import { randomUUID } from 'node:crypto';
import { badRequest, invalid, type Cause } from './api-error.ts';
import { isObject, type JsonObject, type StoredMetadata, type StoredObject } from './json.ts';
import { prune, validate, withDefaults, type Schema } from './schema.ts';
import { apiVersionOf, type ServedResource } from './served-resource.ts';

/** metav1.ObjectMeta without what only the server sets. */
const METADATA_KEPT = ['labels', 'annotations', 'ownerReferences', 'finalizers', 'generateName'];
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
/** Without vowels and what looks alike (apimachinery pkg/util/rand). */
const RANDOM_LETTERS = 'bcdfghjklmnpqrstvwxz2456789';

/** A body as an object of `resource`. @throws ApiError 400 */
export function asObject(resource: ServedResource, body: unknown): JsonObject {
  if (!isObject(body)) throw badRequest('the body is no object');
  const expected = { apiVersion: apiVersionOf(resource), kind: resource.kind };
  for (const [key, value] of Object.entries(expected)) {
    const isMissing = body[key] === undefined && !resource.isCustom;
    if (!isMissing && body[key] !== value) {
      throw badRequest(`the ${key} in the data does not match the expected one (${value})`);
    }
  }
  return { ...body, ...expected, metadata: isObject(body.metadata) ? body.metadata : {} };
}

/** The metadata of a new object. */
export function newMetadata(
  resource: ServedResource,
  given: JsonObject,
  namespace: string | undefined,
): StoredMetadata {
  const metadata: StoredMetadata = {
    ...pick(given, METADATA_KEPT),
    name: typeof given.name === 'string' && given.name !== '' ? given.name : generatedName(given),
    uid: randomUUID(),
    resourceVersion: '',
    creationTimestamp: timestamp(),
  };
  if (resource.isNamespaced) metadata.namespace = namespace;
  if (resource.isCustom) metadata.generation = 1;
  return metadata;
}

/** The metadata of a rewritten object: what a client cannot change comes from `existing`. */
export function rewrittenMetadata(existing: StoredMetadata, given: JsonObject): StoredMetadata {
  const own: JsonObject = { ...existing };
  for (const key of METADATA_KEPT) delete own[key];
  // What is left in `own` is everything but the optional fields that clients may change.
  return { ...(own as StoredMetadata), ...pick(given, METADATA_KEPT) };
}

/** Fills in, prunes and checks. @throws ApiError 422 */
export function finished(resource: ServedResource, object: StoredObject): StoredObject {
  const { schema } = resource;
  const shaped = schema === undefined ? builtInShape(object) : shapedBy(schema, object);
  const name = shaped.metadata.name;
  const causes = [...metadataCauses(shaped), ...ruleCauses(shaped)];
  if (schema !== undefined) {
    const { properties, ...rest } = schema;
    causes.push(...validate(shaped, { ...rest, properties: withoutMetadata(properties) }, ''));
  }
  if (causes.length > 0) throw invalid(resource, name, causes);
  return shaped;
}

export function timestamp(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}

function shapedBy(schema: Schema, object: StoredObject): StoredObject {
  const { apiVersion, kind, metadata } = object;
  const pruned = prune(object, schema) as JsonObject;
  // Names and metadata are the API server's own, whatever a schema says of them.
  return { ...(withDefaults(pruned, schema) as JsonObject), apiVersion, kind, metadata };
}

function withoutMetadata(
  properties: Readonly<Record<string, Schema>> | undefined,
): Record<string, Schema> {
  const { metadata: _, ...rest } = properties ?? {};
  return rest;
}

function builtInShape(object: StoredObject): StoredObject {
  switch (object.kind) {
    case 'Secret':
      return secretShape(object);
    case 'Namespace':
      return { ...object, status: object.status ?? { phase: 'Active' } };
    case 'Pod':
      return { ...object, status: object.status ?? { phase: 'Pending' } };
    default:
      return object;
  }
}

/** stringData is written only; data is base64 (pkg/apis/core/types.go Secret). */
function secretShape({ stringData, ...object }: StoredObject): StoredObject {
  const data: JsonObject = isObject(object.data) ? { ...object.data } : {};
  for (const [key, value] of Object.entries(isObject(stringData) ? stringData : {})) {
    data[key] = Buffer.from(String(value)).toString('base64');
  }
  for (const value of Object.values(data)) {
    const text = typeof value === 'string' ? value : '!';
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw badRequest('illegal base64 data');
  }
  // The parts that a StoredObject must have are in `object`.
  return { ...object, type: object.type ?? 'Opaque', data };
}

function metadataCauses({ metadata }: StoredObject): Cause[] {
  const causes: Cause[] = [];
  const add = (field: string, value: string, why: string) =>
    causes.push({
      reason: 'FieldValueInvalid',
      message: `Invalid value: "${value}": ${why}`,
      field,
    });
  if (metadata.name === '') {
    const message = 'Required value: name or generateName is required';
    causes.push({ reason: 'FieldValueRequired', message, field: 'metadata.name' });
  } else if (!DNS_SUBDOMAIN.test(metadata.name) || metadata.name.length > 253) {
    add('metadata.name', metadata.name, 'a lowercase RFC 1123 subdomain must consist of …');
  }
  for (const value of Object.values(metadata.labels ?? {})) {
    if (value.length > 63) add('metadata.labels', value, 'must be no more than 63 bytes');
    else if (!LABEL_VALUE.test(value)) add('metadata.labels', value, 'a valid label must be …');
  }
  return causes;
}

function ruleCauses({ kind, metadata, involvedObject }: StoredObject): Cause[] {
  if (kind !== 'Event' || !isObject(involvedObject)) return [];
  const { namespace } = involvedObject;
  // Of what has no namespace, events lie in the namespace default (validation/events.go).
  const expected = namespace === undefined || namespace === '' ? 'default' : namespace;
  if (expected === metadata.namespace) return [];
  const message = `Invalid value: "${String(namespace)}": does not match event.namespace`;
  return [{ reason: 'FieldValueInvalid', message, field: 'involvedObject.namespace' }];
}

function generatedName({ generateName }: JsonObject): string {
  if (typeof generateName !== 'string' || generateName === '') return '';
  const letters = Array.from(
    { length: 5 },
    () => RANDOM_LETTERS[Math.floor(Math.random() * RANDOM_LETTERS.length)],
  );
  return generateName + letters.join('');
}

function pick(object: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(
    keys.filter(key => object[key] !== undefined && object[key] !== null).map(k => [k, object[k]]),
  );
}

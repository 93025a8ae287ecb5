// JSON merge patch (RFC 7386) and JSON patch (RFC 6902), on values that stay as they are.

import { ApiError, badRequest } from './api-error.ts';
import { equalJson, isObject, type JsonObject } from './json.ts';

export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged: JsonObject = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

/** @throws ApiError 422 where an operation cannot be done, 400 where it makes no sense */
export function jsonPatch(target: unknown, operations: unknown): unknown {
  if (!Array.isArray(operations)) throw badRequest('a JSON patch is an array of operations');
  const holder: JsonObject = { root: structuredClone(target) };
  for (const operation of operations) {
    if (!isObject(operation)) throw badRequest('an operation of a JSON patch is an object');
    applyOperation(holder, operation);
  }
  return holder.root;
}

function applyOperation(holder: JsonObject, { op, path, from, value }: JsonObject): void {
  const place = placeOf(holder, path);
  switch (op) {
    case 'add':
      return write(place, value, 'insert');
    case 'replace':
      // A key that is not there is added, as the library of the real one does it
      // (evanphx/json-patch v4); only an array refuses.
      if (Array.isArray(place.parent)) read(place);
      return write(place, value, 'overwrite');
    case 'remove':
      return take(place);
    case 'test':
      if (!equalJson(read(place), value)) throw cannot('test failed');
      return;
    case 'copy':
      return write(place, structuredClone(read(placeOf(holder, from))), 'insert');
    case 'move': {
      const source = placeOf(holder, from);
      const moved = read(source);
      take(source);
      return write(place, moved, 'insert');
    }
    default:
      throw badRequest(`unknown operation ${String(op)}`);
  }
}

interface Place {
  readonly parent: JsonObject | unknown[];
  readonly key: string;
}

function placeOf(holder: JsonObject, path: unknown): Place {
  if (typeof path !== 'string' || (path !== '' && !path.startsWith('/'))) {
    throw badRequest('a path of a JSON patch begins with /');
  }
  const keys = ['root', ...path.split('/').slice(1).map(unescapeKey)];
  const last = keys.pop() ?? 'root';
  let parent: unknown = holder;
  for (const key of keys) parent = child(parent, key);
  if (!isObject(parent) && !Array.isArray(parent)) throw cannot(`missing path: ${path}`);
  return { parent, key: last };
}

function child(parent: unknown, key: string): unknown {
  if (Array.isArray(parent)) return parent[Number(key)] as unknown;
  return isObject(parent) ? parent[key] : undefined;
}

function read({ parent, key }: Place): unknown {
  const value = child(parent, key);
  if (value === undefined) throw cannot(`missing value: ${key}`);
  return value;
}

function write({ parent, key }: Place, value: unknown, how: 'insert' | 'overwrite'): void {
  if (!Array.isArray(parent)) {
    parent[key] = value;
    return;
  }
  const index = key === '-' ? parent.length : Number(key);
  if (!Number.isInteger(index) || index < 0 || index > parent.length) throw cannot('no such index');
  parent.splice(index, how === 'insert' ? 0 : 1, value);
}

function take(place: Place): void {
  read(place);
  const { parent, key } = place;
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
}

function unescapeKey(key: string): string {
  return key.replaceAll('~1', '/').replaceAll('~0', '~');
}

function cannot(why: string): ApiError {
  const message = `the server rejected our request due to an error in our request: ${why}`;
  return new ApiError(422, 'Invalid', message);
}

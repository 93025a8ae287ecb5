// The verbs of the API on stored objects, with the rules of versions, finalizers and generations
// (k8s.io/apiserver pkg/registry/generic/registry/store.go). Over HTTP and for tests alike.

import { resourceName } from '#kube/request-target.ts';
import { alreadyExists, ApiError, badRequest, conflict, invalid, notFound } from './api-error.ts';
import type { Cause } from './api-error.ts';
import { equalJson, isObject, valueAt, type JsonObject, type StoredObject } from './json.ts';
import { asObject, finished, newMetadata, rewrittenMetadata, timestamp } from './object-rules.ts';
import type { ObjectStore } from './object-store.ts';
import { BUILT_IN, resourcesOfCrd, type ServedResource } from './served-resource.ts';

export interface ObjectPlace {
  readonly namespace?: string;
  readonly name: string;
}

export interface DeleteOptions {
  readonly gracePeriodSeconds?: unknown;
  readonly preconditions?: unknown;
}

export const CRDS = 'customresourcedefinitions.apiextensions.k8s.io';

export class ObjectVerbs {
  readonly store: ObjectStore;

  constructor(store: ObjectStore) {
    this.store = store;
  }

  /** What is served now. */
  resources(): ServedResource[] {
    return [...BUILT_IN, ...this.store.list(CRDS).flatMap(resourcesOfCrd)];
  }

  get(resource: ServedResource, place: ObjectPlace): StoredObject {
    const object = this.store.get(resourceName(resource), keyOf(place));
    if (object === undefined) throw notFound(resource, place.name);
    return object;
  }

  /** All, or those of a namespace. */
  list(resource: ServedResource, namespace: string | undefined): StoredObject[] {
    const all = this.store.list(resourceName(resource));
    if (namespace === undefined) return all;
    return all.filter(object => object.metadata.namespace === namespace);
  }

  create(resource: ServedResource, namespace: string | undefined, body: unknown): StoredObject {
    const given = asObject(resource, body);
    const metadata = given.metadata as JsonObject;
    if (
      namespace !== undefined &&
      ![undefined, '', namespace].some(fine => fine === metadata.namespace)
    ) {
      throw badRequest('the namespace of the object does not match the namespace on the request');
    }
    if (typeof metadata.resourceVersion === 'string' && metadata.resourceVersion !== '') {
      throw new ApiError(
        500,
        'InternalError',
        'resourceVersion should not be set on objects to be created',
      );
    }
    if (resource.isNamespaced) this.#admit(namespace ?? '');
    const object = {
      ...(resource.hasStatus && resource.isCustom ? without(given, 'status') : given),
      metadata: newMetadata(resource, metadata, namespace),
    } as StoredObject; // asObject has put the names in.
    const ready = finished(resource, object);
    const key = keyOf(ready.metadata);
    if (this.store.get(resourceName(resource), key) !== undefined) {
      throw alreadyExists(resource, ready.metadata.name);
    }
    return this.store.put(resourceName(resource), key, ready);
  }

  /** The object as a client wants it. `change` gets it as it is, and may be a patch. */
  update(
    resource: ServedResource,
    place: ObjectPlace,
    change: (existing: StoredObject) => unknown,
    options: { readonly isPatch?: boolean; readonly subresource?: string } = {},
  ): StoredObject {
    const existing = this.get(resource, place);
    const given = asObject(resource, change(existing));
    const metadata = given.metadata as JsonObject;
    this.#checkIdentity(resource, place, existing, metadata);
    const version = metadata.resourceVersion ?? '';
    if (version !== '' && version !== existing.metadata.resourceVersion) {
      throw conflict(resource, place.name);
    }
    if (version === '' && resource.isCustom && options.isPatch !== true) {
      throw invalid(resource, place.name, [VERSION_MISSING]);
    }
    const ready = finished(resource, rewritten(resource, existing, given, options.subresource));
    checkFinalizers(resource, existing, ready);
    return this.#write(resource, existing, ready);
  }

  delete(resource: ServedResource, place: ObjectPlace, options: DeleteOptions = {}): StoredObject {
    const existing = this.get(resource, place);
    const { metadata } = existing;
    for (const key of ['uid', 'resourceVersion']) {
      const wanted = valueAt(options.preconditions, [key]);
      if (wanted !== undefined && wanted !== metadata[key]) {
        throw conflict(resource, place.name, `Precondition failed: ${key} in precondition`);
      }
    }
    const isHeld = (metadata.finalizers ?? []).length > 0 || isGraceful(existing, options);
    if (!isHeld) return this.#remove(resource, existing);
    if (metadata.deletionTimestamp !== undefined) return existing;
    const marked = this.store.put(resourceName(resource), keyOf(metadata), markedDeleted(existing));
    if (existing.kind === 'Namespace') queueMicrotask(() => this.sweepNamespace(metadata.name));
    return marked;
  }

  /** Deletes what names nobody but those who are gone as its owner, as the collector would. */
  collectGarbage(uid: string): void {
    for (const resource of this.resources()) {
      for (const object of this.store.list(resourceName(resource))) {
        const owners = ownersOf(object);
        if (!owners.includes(uid) || owners.some(owner => owner !== uid && this.#lives(owner))) {
          continue;
        }
        this.delete(resource, object.metadata);
      }
    }
  }

  /** Empties a namespace that is being deleted, and ends it when it is empty. */
  sweepNamespace(name: string): void {
    const namespaces = BUILT_IN.find(({ plural }) => plural === 'namespaces');
    const namespace = this.store.get('namespaces', name);
    if (namespaces === undefined || namespace?.metadata.deletionTimestamp === undefined) return;
    const inside = this.resources().filter(({ isNamespaced }) => isNamespaced);
    for (const resource of inside) {
      for (const { metadata } of this.list(resource, name)) {
        if (metadata.deletionTimestamp === undefined) {
          this.delete(resource, metadata, { gracePeriodSeconds: 0 });
        }
      }
    }
    const isEmpty = inside.every(resource => this.list(resource, name).length === 0);
    if (isEmpty) this.#remove(namespaces, namespace);
  }

  #admit(namespace: string): void {
    const found = this.store.get('namespaces', namespace);
    if (found === undefined) {
      throw new ApiError(404, 'NotFound', `namespaces "${namespace}" not found`, {
        name: namespace,
        kind: 'namespaces',
      });
    }
    if (found.metadata.deletionTimestamp !== undefined) {
      throw new ApiError(403, 'Forbidden', `namespace ${namespace} is being terminated`);
    }
  }

  #checkIdentity(
    resource: ServedResource,
    place: ObjectPlace,
    existing: StoredObject,
    given: JsonObject,
  ): void {
    if (given.name !== place.name) {
      throw badRequest('the name of the object does not match the name on the URL');
    }
    if (given.uid !== undefined && given.uid !== '' && given.uid !== existing.metadata.uid) {
      throw conflict(resource, place.name, 'Precondition failed: UID in precondition');
    }
  }

  #write(resource: ServedResource, existing: StoredObject, ready: StoredObject): StoredObject {
    // Whoever writes what is there already writes nothing: no version, no event.
    if (equalJson(ready, existing)) return existing;
    const { metadata } = ready;
    const isReleased =
      metadata.deletionTimestamp !== undefined &&
      (metadata.finalizers ?? []).length === 0 &&
      (existing.metadata.finalizers ?? []).length > 0;
    if (isReleased) return this.#remove(resource, existing);
    return this.store.put(resourceName(resource), keyOf(metadata), ready);
  }

  #remove(resource: ServedResource, existing: StoredObject): StoredObject {
    const { metadata } = existing;
    const removed = this.store.remove(resourceName(resource), keyOf(metadata)) ?? existing;
    // Both are done by the controller manager, some time later.
    queueMicrotask(() => {
      this.collectGarbage(metadata.uid);
      if (metadata.namespace !== undefined) this.sweepNamespace(metadata.namespace);
    });
    return removed;
  }

  #lives(uid: string): boolean {
    return this.store
      .collections()
      .some(collection => this.store.list(collection).some(({ metadata }) => metadata.uid === uid));
  }
}

export function keyOf({ namespace, name }: ObjectPlace): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

const VERSION_MISSING: Cause = {
  reason: 'FieldValueInvalid',
  message: 'Invalid value: 0: must be specified for an update',
  field: 'metadata.resourceVersion',
};

function rewritten(
  resource: ServedResource,
  existing: StoredObject,
  given: JsonObject,
  subresource: string | undefined,
): StoredObject {
  const metadata = rewrittenMetadata(existing.metadata, given.metadata as JsonObject);
  const { apiVersion, kind } = existing;
  if (subresource === 'status') return { ...existing, status: given.status };
  const content = resource.hasStatus ? { ...given, status: existing.status } : given;
  const isChanged = !equalJson(without(content, 'metadata'), without(existing, 'metadata'));
  if (isChanged && resource.isCustom) metadata.generation = (metadata.generation ?? 0) + 1;
  return { ...content, apiVersion, kind, metadata };
}

/** Once deletion was asked for, nobody may hold it up anew (rest.BeforeUpdate, validation). */
function checkFinalizers(
  resource: ServedResource,
  existing: StoredObject,
  ready: StoredObject,
): void {
  if (existing.metadata.deletionTimestamp === undefined) return;
  const before = existing.metadata.finalizers ?? [];
  const added = (ready.metadata.finalizers ?? []).filter(finalizer => !before.includes(finalizer));
  if (added.length === 0) return;
  const message = `Forbidden: no new finalizers can be added if the object is being deleted`;
  const cause = { reason: 'FieldValueForbidden', message, field: 'metadata.finalizers' } as const;
  throw invalid(resource, ready.metadata.name, [cause]);
}

/** A pod on a node waits for its kubelet, a namespace for being emptied. */
function isGraceful(object: StoredObject, { gracePeriodSeconds }: DeleteOptions): boolean {
  if (object.kind === 'Namespace') return true;
  if (object.kind !== 'Pod') return false;
  const own = valueAt(object, ['spec', 'terminationGracePeriodSeconds']);
  if ((gracePeriodSeconds ?? own) === 0) return false;
  const phase = valueAt(object, ['status', 'phase']);
  const isEnded = phase === 'Succeeded' || phase === 'Failed';
  return valueAt(object, ['spec', 'nodeName']) !== undefined && !isEnded;
}

function markedDeleted(object: StoredObject): StoredObject {
  const { metadata } = object;
  const marked = { ...metadata, deletionTimestamp: timestamp(), deletionGracePeriodSeconds: 0 };
  if (metadata.generation !== undefined) marked.generation = metadata.generation + 1;
  const status = object.kind === 'Namespace' ? { phase: 'Terminating' } : object.status;
  return { ...object, metadata: marked, ...(status === undefined ? {} : { status }) };
}

function ownersOf({ metadata }: StoredObject): string[] {
  const { ownerReferences } = metadata;
  if (!Array.isArray(ownerReferences)) return [];
  return ownerReferences.filter(isObject).map(({ uid }) => String(uid));
}

function without(object: JsonObject, key: string): JsonObject {
  const { [key]: _, ...rest } = object;
  return rest;
}

// What etcd is to an API server: objects under a revision that only grows, and what happened since
// a revision, until that is compacted away. Nothing here knows HTTP, kinds or rules.

import type { StoredObject } from './json.ts';

export interface StoreEvent {
  readonly revision: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** `plural.group` */
  readonly collection: string;
  /** As it is afterwards; when it was deleted, as it was, under the revision of its deletion. */
  readonly object: StoredObject;
  /** As it was before. */
  readonly previous?: StoredObject;
}

export class ObjectStore {
  /** Of the last change. etcd begins at 1, and an empty cluster has made some already. */
  revision = 100;
  /** Changes up to here are forgotten. */
  compactedRevision = 0;
  readonly #collections = new Map<string, Map<string, StoredObject>>();
  readonly #listeners = new Set<(event: StoreEvent) => void>();
  #events: StoreEvent[] = [];

  get(collection: string, key: string): StoredObject | undefined {
    return this.#collections.get(collection)?.get(key);
  }

  /** In the order of their keys, as etcd gives them. */
  list(collection: string): StoredObject[] {
    const objects = this.#collections.get(collection) ?? new Map<string, StoredObject>();
    return [...objects].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
  }

  collections(): string[] {
    return [...this.#collections.keys()];
  }

  /** Stores `object` under the next revision, which it carries afterwards. */
  put(collection: string, key: string, object: StoredObject): StoredObject {
    const objects = this.#collections.get(collection) ?? new Map<string, StoredObject>();
    this.#collections.set(collection, objects);
    const previous = objects.get(key);
    const stored = this.#stamp(object);
    objects.set(key, stored);
    const type = previous === undefined ? 'ADDED' : 'MODIFIED';
    this.#emit({ revision: this.revision, type, collection, object: stored, previous });
    return stored;
  }

  remove(collection: string, key: string): StoredObject | undefined {
    const previous = this.#collections.get(collection)?.get(key);
    if (previous === undefined) return undefined;
    this.#collections.get(collection)?.delete(key);
    const object = this.#stamp(previous);
    this.#emit({ revision: this.revision, type: 'DELETED', collection, object, previous });
    return object;
  }

  /** Undefined when what happened right after `revision` is forgotten. */
  since(revision: number): readonly StoreEvent[] | undefined {
    if (revision < this.compactedRevision) return undefined;
    return this.#events.filter(event => event.revision > revision);
  }

  /** Called synchronously, in the order of revisions, until the function that comes back is. */
  subscribe(listener: (event: StoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Forgets what happened up to now. */
  compact(): void {
    this.compactedRevision = this.revision;
    this.#events = [];
  }

  #stamp(object: StoredObject): StoredObject {
    this.revision++;
    const metadata = { ...object.metadata, resourceVersion: String(this.revision) };
    return { ...object, metadata };
  }

  #emit(event: StoreEvent): void {
    this.#events.push(event);
    for (const listener of [...this.#listeners]) listener(event);
  }
}

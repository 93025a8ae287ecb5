// The objects that an informer knows, by key and by index. Who reads one must not change it.

import { keyOf, type KubeObject, type ObjectKey } from './kube-object.ts';

/** The values under which an object is found in the index of that name. */
export type IndexTable<Item> = Readonly<Record<string, (item: Item) => readonly string[]>>;

export class ObjectCache<Item extends KubeObject> {
  readonly #objects = new Map<ObjectKey, Item>();
  readonly #indexOf: IndexTable<Item>;
  /** Index name to value to keys. */
  readonly #indexes = new Map<string, Map<string, Set<ObjectKey>>>();

  constructor(indexes: IndexTable<Item> = {}) {
    this.#indexOf = indexes;
    for (const name of Object.keys(indexes)) this.#indexes.set(name, new Map());
  }

  get(key: ObjectKey): Item | undefined {
    return this.#objects.get(key);
  }

  list(): Item[] {
    return [...this.#objects.values()];
  }

  byIndex(name: string, value: string): Item[] {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new TypeError(`no index has the name ${name}`);
    return [...(index.get(value) ?? [])].flatMap(key => this.#objects.get(key) ?? []);
  }

  set(item: Item): void {
    const key = keyOf(item);
    this.delete(key);
    this.#objects.set(key, item);
    this.#eachPlace(item, (index, value) => {
      const keys = index.get(value) ?? new Set();
      index.set(value, keys.add(key));
    });
  }

  delete(key: ObjectKey): void {
    const item = this.#objects.get(key);
    if (item === undefined) return;
    this.#objects.delete(key);
    this.#eachPlace(item, (index, value) => {
      const keys = index.get(value);
      keys?.delete(key);
      if (keys?.size === 0) index.delete(value);
    });
  }

  /** Holds `items` and nothing else afterwards. Gives the keys of what changed, came or went. */
  replaceAll(items: readonly Item[]): ObjectKey[] {
    const gone = new Set(this.#objects.keys());
    const changed: ObjectKey[] = [];
    for (const item of items) {
      const key = keyOf(item);
      gone.delete(key);
      const known = this.#objects.get(key)?.metadata.resourceVersion;
      if (known !== undefined && known === item.metadata.resourceVersion) continue;
      this.set(item);
      changed.push(key);
    }
    for (const key of gone) this.delete(key);
    return [...changed, ...gone];
  }

  #eachPlace(item: Item, visit: (index: Map<string, Set<ObjectKey>>, value: string) => void): void {
    for (const [name, index] of this.#indexes) {
      for (const value of this.#indexOf[name]?.(item) ?? []) visit(index, value);
    }
  }
}

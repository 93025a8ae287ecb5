// Keeps a copy of a collection: lists it once, follows its changes, and lists again only where the
// server has forgotten what happened since (410), or does not know any more. Tells keys, never
// events: whoever was told looks.
//
// client-go tools/cache/reflector.go does the same, and has the traps: a watch that ends at once
// must not be begun again at once, and a list that fails must not stop what is known from being
// read.

import { abortable } from '#engine/base/abort.ts';
import { systemClock, type Clock } from '#engine/base/clock.ts';
import { isEngineError } from '#engine/base/errors.ts';
import { backOffMs, type BackOffPolicy } from '#engine/base/back-off.ts';
import type { KubeClient, KubeQuery, WatchEvent } from './kube-client.ts';
import { keyOf, type KubeObject, type ObjectKey, type Resource } from './kube-object.ts';
import { ObjectCache, type IndexTable } from './object-cache.ts';

export interface InformerParts {
  readonly client: Pick<KubeClient, 'list' | 'watch'>;
  /** What went wrong; it is tried again in any case. Must not throw. */
  readonly onError?: (error: unknown) => void;
  readonly clock?: Clock;
  /** 0 <= random() < 1 */
  readonly random?: () => number;
}

export interface InformerOptions<Item extends KubeObject> {
  readonly resource: Resource;
  /** What of the collection concerns us; the server filters. */
  readonly query: KubeQuery;
  readonly indexes?: IndexTable<Item>;
  /** What is kept of each object; by default all but who has set which field. */
  readonly project?: (object: KubeObject) => Item;
}

/** As client-go waits, but for the first (reflector.go: 800 ms to 30 s). */
const INFORMER_BACK_OFF: BackOffPolicy = Object.freeze({
  firstDelayMs: 200,
  delayMsMax: 30_000,
});
/** A watch that held this long was fine: what fails next is a first failure. */
const STEADY_MS = 10_000;

export class Informer<Item extends KubeObject> {
  readonly #parts: InformerParts;
  readonly #options: InformerOptions<Item>;
  readonly #clock: Clock;
  readonly #cache: ObjectCache<Item>;
  readonly #project: (object: KubeObject) => Item;
  readonly #listeners = new Set<(key: ObjectKey) => void>();
  readonly #synced = Promise.withResolvers<void>();
  #isSynced = false;
  /** Where the watch goes on; undefined: list first. */
  #resourceVersion: string | undefined;
  #failures = 0;

  constructor(parts: InformerParts, options: InformerOptions<Item>) {
    this.#parts = parts;
    this.#options = options;
    this.#clock = parts.clock ?? systemClock;
    this.#cache = new ObjectCache(options.indexes);
    // Without a projection the caller's type is what it expects of its resource.
    this.#project = options.project ?? (object => withoutManagers(object as Item));
  }

  /** True when everything that was there at the start has been seen. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Resolves when everything that was there at the start has been seen. @throws ABORTED */
  async synced(signal?: AbortSignal): Promise<void> {
    if (this.#isSynced) return;
    await abortable(this.#synced.promise, signal);
  }

  get(key: ObjectKey): Item | undefined {
    return this.#cache.get(key);
  }

  list(): Item[] {
    return this.#cache.list();
  }

  /** Those for which the index of that name gives that value. */
  byIndex(name: string, value: string): Item[] {
    return this.#cache.byIndex(name, value);
  }

  /**
   * Calls `listener` with the key of whatever came, changed or went from now on, until the function
   * that comes back is called. What it looks up is at least as new as what it was told of.
   */
  onChange(listener: (key: ObjectKey) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Follows until the signal fires, which is how it ends; to be called once. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const startMs = this.#clock.monotonic();
      try {
        await this.#listOnce(signal);
        await this.#watchOnce(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#onFailure(error);
      }
      const isSteady = this.#clock.monotonic() - startMs >= STEADY_MS;
      this.#failures = isSteady ? 0 : this.#failures + 1;
      if (!isSteady) await this.#pause(signal);
    }
  }

  async #listOnce(signal: AbortSignal): Promise<void> {
    if (this.#resourceVersion !== undefined) return;
    const { resource, query } = this.#options;
    const options = { signal, project: this.#project };
    const list = await this.#parts.client.list<Item>(resource, query, options);
    const changed = this.#cache.replaceAll(list.items);
    this.#resourceVersion = list.resourceVersion;
    for (const key of changed) this.#tell(key);
    this.#isSynced = true;
    this.#synced.resolve();
  }

  async #watchOnce(signal: AbortSignal): Promise<void> {
    const { resource, query } = this.#options;
    const from = { ...query, resourceVersion: this.#resourceVersion ?? '' };
    for await (const event of this.#parts.client.watch<KubeObject>(resource, from, { signal })) {
      this.#follow(event);
    }
  }

  #follow(event: WatchEvent<KubeObject>): void {
    if (event.type === 'BOOKMARK') {
      this.#resourceVersion = event.resourceVersion;
      return;
    }
    const { type, object } = event;
    this.#resourceVersion = object.metadata.resourceVersion ?? this.#resourceVersion;
    if (type === 'DELETED') this.#cache.delete(keyOf(object));
    else this.#cache.set(this.#project(object));
    this.#tell(keyOf(object));
  }

  #onFailure(error: unknown): void {
    if (!keepsVersion(error)) this.#resourceVersion = undefined;
    if (!isEngineError(error, 'KUBE_EXPIRED')) this.#parts.onError?.(error);
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const random = (this.#parts.random ?? Math.random)();
    try {
      await this.#clock.sleep(backOffMs(INFORMER_BACK_OFF, this.#failures, random), signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #tell(key: ObjectKey): void {
    for (const listener of this.#listeners) {
      try {
        listener(key);
      } catch (error) {
        this.#parts.onError?.(error);
      }
    }
  }
}

/**
 * Whether what we know is true still up to the version that we have. Where the connection broke, or
 * the server wants less of us, it is. A server that has failed while it followed its storage may
 * have lost changes, or come back with a storage that never had our version: client-go lists again
 * after all of these, too (tools/cache/reflector.go, Reflector.watch and isWatchErrorRetriable).
 */
function keepsVersion(error: unknown): boolean {
  if (!isEngineError(error)) return false;
  if (error.code === 'KUBE_THROTTLED' || error.code === 'KUBE_UNAUTHORIZED') return true;
  return error.retryable && error.details.status === undefined;
}

/**
 * Without who set which field: it is often larger than the rest, and a server takes an update that
 * lacks it as one that leaves it (apimachinery pkg/util/managedfields/internal/fieldmanager.go).
 */
function withoutManagers<Item extends KubeObject>(item: Item): Item {
  if (!('managedFields' in item.metadata)) return item;
  const { managedFields: _, ...metadata } = item.metadata;
  return { ...item, metadata };
}

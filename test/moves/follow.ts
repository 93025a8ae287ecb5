// All objects of a resource, and every change of them: list, watch, and again. As little of an
// informer as tests need, so that they stand on the client alone.

import { isEngineError } from '#engine/base/errors.ts';
import { systemClock } from '#engine/base/clock.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { KubeObject, ObjectKey, Resource } from '#kube/kube-object.ts';
import { keyOf } from '#kube/kube-object.ts';
import { ChangeSignal } from './change-signal.ts';

const RETRY_MS = 20;

export class Follower<Item extends KubeObject> {
  readonly objects = new Map<ObjectKey, Item>();
  readonly #listeners = new Set<(key: ObjectKey) => void>();
  readonly #change = new ChangeSignal();
  readonly #end = new AbortController();
  readonly #ended: Promise<void>;
  readonly #synced = Promise.withResolvers<void>();

  constructor(client: KubeClient, resource: Resource, namespace: string) {
    this.#ended = this.#follow(client, resource, namespace);
  }

  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  get(key: ObjectKey): Item | undefined {
    return this.objects.get(key);
  }

  list(): Iterable<Item> {
    return this.objects.values();
  }

  onChange(listener: (key: ObjectKey) => void): void {
    this.#listeners.add(listener);
  }

  /** Resolves with what `find` gives, now or after a change. */
  until<Found>(find: () => Found | undefined): Promise<Found> {
    return this.#change.until(find);
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#ended;
  }

  async #follow(client: KubeClient, resource: Resource, namespace: string): Promise<void> {
    const { signal } = this.#end;
    let version: string | undefined;
    while (!signal.aborted) {
      try {
        version ??= await this.#list(client, resource, namespace);
        version = await this.#watch(client, resource, { namespace, resourceVersion: version });
      } catch (error) {
        if (signal.aborted) return;
        if (!isEngineError(error)) throw error;
        version = undefined;
        await systemClock.sleep(RETRY_MS, signal).catch(() => undefined);
      }
    }
  }

  async #list(client: KubeClient, resource: Resource, namespace: string): Promise<string> {
    const options = { signal: this.#end.signal };
    const list = await client.list<Item>(resource, { namespace }, options);
    const gone = new Set(this.objects.keys());
    for (const item of list.items) {
      gone.delete(keyOf(item));
      this.#changed(keyOf(item), item);
    }
    for (const key of gone) this.#changed(key, undefined);
    this.#synced.resolve();
    return list.resourceVersion;
  }

  /** Gives the version from which it goes on. */
  async #watch(
    client: KubeClient,
    resource: Resource,
    query: { readonly namespace: string; readonly resourceVersion: string },
  ): Promise<string> {
    let version = query.resourceVersion;
    const options = { signal: this.#end.signal };
    for await (const event of client.watch<Item>(resource, query, options)) {
      if (event.type === 'BOOKMARK') {
        version = event.resourceVersion;
        continue;
      }
      const { object } = event;
      version = object.metadata.resourceVersion ?? version;
      this.#changed(keyOf(object), event.type === 'DELETED' ? undefined : object);
    }
    return version;
  }

  #changed(key: ObjectKey, item: Item | undefined): void {
    if (item === undefined) this.objects.delete(key);
    else this.objects.set(key, item);
    for (const listener of this.#listeners) listener(key);
    this.#change.tell();
  }
}

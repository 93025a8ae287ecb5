// Objects as an API server would hand them out, for what only reads: no versions, no watches. What
// watches or writes is tested against the emulator.

import { EngineError } from '#engine/base/errors.ts';
import type { KubeClient, KubeList, KubeQuery } from '#kube/kube-client.ts';
import type { KubeObject, ObjectName, Resource } from '#kube/kube-object.ts';

export class KubeObjects implements Pick<KubeClient, 'get' | 'list'> {
  readonly #objects = new Map<string, KubeObject>();
  /** `get pods`, `list backuprepositories`, … */
  readonly calls: string[] = [];
  /** Answers every call with this while it is there. */
  failure: EngineError | undefined;

  put(resource: Resource, object: KubeObject): void {
    this.#objects.set(keyFor(resource, object.metadata), object);
  }

  remove(resource: Resource, name: ObjectName): void {
    this.#objects.delete(keyFor(resource, name));
  }

  get<Item extends KubeObject>(resource: Resource, name: ObjectName): Promise<Item> {
    this.calls.push(`get ${resource.plural}`);
    const found = this.#objects.get(keyFor(resource, name));
    if (this.failure) return Promise.reject(this.failure);
    const text = `cannot get ${resource.plural} ${name.name}: not found`;
    if (!found) return Promise.reject(new EngineError('KUBE_NOT_FOUND', text));
    // Whoever asks knows the type.
    return Promise.resolve(found as Item);
  }

  list<Item extends KubeObject>(resource: Resource, query: KubeQuery): Promise<KubeList<Item>> {
    this.calls.push(`list ${resource.plural}`);
    if (this.failure) return Promise.reject(this.failure);
    const wanted = (query.labelSelector ?? '').split(',').filter(Boolean);
    const items = [...this.#objects]
      .filter(([key]) => key.startsWith(`${resource.plural}/${query.namespace ?? ''}`))
      .map(([, object]) => object)
      .filter(({ metadata: { labels = {} } }) =>
        wanted.every(pair => labels[pair.split('=')[0] ?? ''] === pair.split('=')[1]),
      );
    return Promise.resolve({ resourceVersion: '1', items: items as Item[] });
  }
}

function keyFor({ plural }: Resource, { namespace = '', name }: ObjectName): string {
  return `${plural}/${namespace}/${name}`;
}

// A client that leaves secrets out of what people read of the objects it writes: `status.message`
// of a move, the message of an Event. What S3 servers and the engine say comes together there, and
// a message may repeat a key.

import type { CallOptions, KubeClient, KubePatch, KubeQuery } from '#kube/kube-client.ts';
import type { DeleteOptions, ListOptions } from '#kube/kube-client.ts';
import type { KubeObject, ObjectName, Resource } from '#kube/kube-object.ts';

type Hide = (text: string) => string;

/** What has a message, of all that is written here. */
interface Spoken {
  readonly message?: unknown;
  readonly status?: { readonly message?: unknown };
}

export class HidingClient implements KubeClient {
  readonly #client: KubeClient;
  readonly #hide: Hide;

  constructor(client: KubeClient, hide: Hide) {
    this.#client = client;
    this.#hide = hide;
  }

  get<Item extends KubeObject>(resource: Resource, name: ObjectName, options?: CallOptions) {
    return this.#client.get<Item>(resource, name, options);
  }

  list<Item extends KubeObject>(resource: Resource, query: KubeQuery, options?: ListOptions<Item>) {
    return this.#client.list<Item>(resource, query, options);
  }

  watch<Item extends KubeObject>(
    resource: Resource,
    query: KubeQuery & { readonly resourceVersion: string },
    options?: CallOptions,
  ) {
    return this.#client.watch<Item>(resource, query, options);
  }

  create<Item extends KubeObject>(resource: Resource, object: Item, options?: CallOptions) {
    return this.#client.create(resource, hidden(object, this.#hide), options);
  }

  replace<Item extends KubeObject>(resource: Resource, object: Item, options?: CallOptions) {
    return this.#client.replace(resource, hidden(object, this.#hide), options);
  }

  patch<Item extends KubeObject>(
    resource: Resource,
    name: ObjectName,
    patch: KubePatch,
    options?: CallOptions,
  ) {
    const spoken =
      patch.type === 'merge' ? { ...patch, body: hidden(patch.body, this.#hide) } : patch;
    return this.#client.patch<Item>(resource, name, spoken, options);
  }

  delete(resource: Resource, name: ObjectName, options?: DeleteOptions) {
    return this.#client.delete(resource, name, options);
  }

  read<Body>(path: string, options?: CallOptions & { readonly accept?: string }) {
    return this.#client.read<Body>(path, options);
  }
}

/** The object itself where there is nothing to hide. */
function hidden<Item extends object>(object: Item, hide: Hide): Item {
  const { message, status }: Spoken = object;
  const said = hiddenText(message, hide);
  const statusSaid = hiddenText(status?.message, hide);
  if (said === message && statusSaid === status?.message) return object;
  return {
    ...object,
    ...(message === undefined ? {} : { message: said }),
    ...(status === undefined ? {} : { status: { ...status, message: statusSaid } }),
  };
}

function hiddenText(text: unknown, hide: Hide): unknown {
  return typeof text === 'string' ? hide(text) : text;
}

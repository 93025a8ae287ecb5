// What is asked of an API server, as one contract: requests that end, and watches that may not.
// Errors are EngineErrors with a KUBE_… code, and hold neither token nor body of a Secret.

import type { KubeObject, ObjectMeta, ObjectName, Resource } from './kube-object.ts';

export interface KubeQuery {
  /** All namespaces where there is none. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface KubeList<Item extends KubeObject> {
  /** Where a watch goes on from. */
  readonly resourceVersion: string;
  readonly items: readonly Item[];
}

export type WatchEvent<Item extends KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: Item }
  /** Nothing changed up to this version. */
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface DeleteOptions extends CallOptions {
  /** As it was read: only that object, and only as it was (metav1.Preconditions). */
  readonly asRead?: ObjectMeta;
}

export interface ListOptions<Item extends KubeObject> extends CallOptions {
  /**
   * What is kept of each object as the server sends it, page by page: the whole of a long list is
   * never in memory at once.
   */
  readonly project?: (object: KubeObject) => Item;
}

/** JSON merge patch (RFC 7386) and JSON patch (RFC 6902). */
export type KubePatch =
  | { readonly type: 'merge'; readonly body: object }
  | { readonly type: 'json'; readonly body: readonly object[] };

export interface KubeClient {
  /** @throws KUBE_NOT_FOUND, KUBE_FORBIDDEN, KUBE_UNAVAILABLE, … */
  get<Item extends KubeObject>(
    resource: Resource,
    name: ObjectName,
    options?: CallOptions,
  ): Promise<Item>;

  /** The whole list, read in pages. @throws as get */
  list<Item extends KubeObject>(
    resource: Resource,
    query: KubeQuery,
    options?: ListOptions<Item>,
  ): Promise<KubeList<Item>>;

  /**
   * Changes after `resourceVersion`, in the server's order, with bookmarks. Ends when the server
   * ends it, which is no error; the caller begins again where it was.
   * @throws KUBE_EXPIRED when the version is too old (410): list again
   */
  watch<Item extends KubeObject>(
    resource: Resource,
    query: KubeQuery & { readonly resourceVersion: string },
    options?: CallOptions,
  ): AsyncIterable<WatchEvent<Item>>;

  /** @throws KUBE_EXISTS, KUBE_INVALID, … */
  create<Item extends KubeObject>(
    resource: Resource,
    object: Item,
    options?: CallOptions,
  ): Promise<Item>;

  /**
   * Writes the whole object under the version that it was read with.
   * @throws KUBE_CONFLICT when it was changed since, KUBE_INVALID when the server refuses it
   */
  replace<Item extends KubeObject>(
    resource: Resource,
    object: Item,
    options?: CallOptions,
  ): Promise<Item>;

  patch<Item extends KubeObject>(
    resource: Resource,
    name: ObjectName,
    patch: KubePatch,
    options?: CallOptions,
  ): Promise<Item>;

  /**
   * Asks for deletion; gone at once where no finalizer holds it.
   * @throws KUBE_NOT_FOUND, KUBE_CONFLICT when it is not as it was read any more
   */
  delete(resource: Resource, name: ObjectName, options?: DeleteOptions): Promise<void>;

  /** JSON of another path, such as discovery. */
  read<Body>(path: string, options?: CallOptions & { readonly accept?: string }): Promise<Body>;
}

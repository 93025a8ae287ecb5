// KubeClient over HTTP: paged lists, watches, optimistic writes. Nothing is held back here: the
// server has its own means (429) to slow down those who ask too much.

import { systemClock, type Clock } from '#engine/base/clock.ts';
import { EngineError, isEngineError } from '#engine/base/errors.ts';
import type { KubeConnection } from './connection.ts';
import { exchange, openStream, type HttpExchange } from './http-exchange.ts';
import type { CallOptions, KubeClient, KubeList, KubePatch, KubeQuery } from './kube-client.ts';
import type { DeleteOptions, ListOptions, WatchEvent } from './kube-client.ts';
import { apiVersionOf } from './kube-object.ts';
import type { KubeObject, ObjectMeta, ObjectName, Resource } from './kube-object.ts';
import { REQUEST_RETRY_POLICY, requestRetryMs } from './request-retry.ts';
import {
  collectionPath,
  describeTarget,
  objectPath,
  selectorParameters,
} from './request-target.ts';
import type { KubeVerb, RequestTarget } from './request-target.ts';
import { watchEvents } from './watch-stream.ts';

/** Objects in one answer of a list. */
const LIST_PAGE_ITEMS = 250;
/** Objects in a whole list. */
const LIST_ITEMS_MAX = 100_000;
/** A watch ends by itself after this to twice this; client-go: 5 to 10 min (reflector.go). */
const WATCH_SECONDS_MIN = 300;

const PATCH_TYPES = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
} as const;

export interface HttpKubeClientOptions {
  /** A watch ends by itself after this to twice this. */
  readonly watchSecondsMin?: number;
  readonly clock?: Clock;
  /** 0 <= random() < 1 */
  readonly random?: () => number;
  /** Told of each attempt of a request when it has ended. Must not throw. */
  readonly onAttempt?: (attempt: RequestAttempt) => void;
}

export interface RequestAttempt {
  readonly target: RequestTarget;
  /** Absent where it has succeeded, a watch where it has begun. */
  readonly error?: unknown;
  /** It is sent again after that; absent where it is not. */
  readonly retryDelayMs?: number;
}

/** What of a list's answer is read. */
interface RawList<Item> {
  readonly apiVersion?: string;
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly Item[] | null;
}

export class HttpKubeClient implements KubeClient {
  readonly #connection: KubeConnection;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #watchSecondsMin: number;
  readonly #onAttempt: (attempt: RequestAttempt) => void;

  /** The connection stays the caller's, who closes it. */
  constructor(connection: KubeConnection, options: HttpKubeClientOptions = {}) {
    this.#connection = connection;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#onAttempt = options.onAttempt ?? (() => {});
    this.#watchSecondsMin = options.watchSecondsMin ?? WATCH_SECONDS_MIN;
  }

  get<Item extends KubeObject>(
    resource: Resource,
    name: ObjectName,
    options?: CallOptions,
  ): Promise<Item> {
    return this.#object<Item>('GET', objectTarget('get', resource, name), options);
  }

  async list<Item extends KubeObject>(
    resource: Resource,
    query: KubeQuery,
    options?: ListOptions<Item>,
  ): Promise<KubeList<Item>> {
    try {
      return await this.#listPages<Item>(resource, query, LIST_PAGE_ITEMS, options);
    } catch (error) {
      // The version that the pages are of was compacted away in between. One answer holds all then,
      // as client-go does it (tools/pager/pager.go).
      if (!isEngineError(error, 'KUBE_EXPIRED')) throw error;
      return this.#listPages<Item>(resource, query, undefined, options);
    }
  }

  async #listPages<Item extends KubeObject>(
    resource: Resource,
    query: KubeQuery,
    limit: number | undefined,
    options: ListOptions<Item> | undefined,
  ): Promise<KubeList<Item>> {
    const target = { verb: 'list', resource, namespace: query.namespace } as const;
    const parameters = selectorParameters(query);
    if (limit !== undefined) parameters.set('limit', String(limit));
    // Without a projection the caller's type is what it expects of its resource.
    const project = options?.project ?? ((object: KubeObject) => object as Item);
    const items: Item[] = [];
    let resourceVersion: string | undefined;
    for (;;) {
      const path = `${collectionPath(resource, query.namespace)}?${parameters.toString()}`;
      const page = await this.#json<RawList<KubeObject>>({ target, method: 'GET', path }, options);
      resourceVersion ??= page.metadata?.resourceVersion;
      // Built-in kinds come without their names in lists, and a rewrite needs them.
      const names = { apiVersion: page.apiVersion ?? '', kind: resource.kind };
      for (const item of page.items ?? []) items.push(project({ ...names, ...item }));
      if (items.length > LIST_ITEMS_MAX) throw tooMany(target);
      const token = page.metadata?.continue ?? '';
      if (token === '') return { resourceVersion: resourceVersion ?? '', items };
      parameters.set('continue', token);
    }
  }

  async *watch<Item extends KubeObject>(
    resource: Resource,
    query: KubeQuery & { readonly resourceVersion: string },
    options?: CallOptions,
  ): AsyncGenerator<WatchEvent<Item>> {
    const target = { verb: 'watch', resource, namespace: query.namespace } as const;
    const parameters = selectorParameters(query);
    parameters.set('watch', '1');
    parameters.set('allowWatchBookmarks', 'true');
    parameters.set('resourceVersion', query.resourceVersion);
    const seconds = Math.ceil(this.#watchSecondsMin * (1 + this.#random()));
    parameters.set('timeoutSeconds', String(seconds));
    const path = `${collectionPath(resource, query.namespace)}?${parameters.toString()}`;
    const call = { target, method: 'GET', path, signal: options?.signal } as const;
    const response = await this.#retrying(call, () => openStream(this.#connection, call));
    yield* watchEvents<Item>({ response, target, signal: options?.signal });
  }

  create<Item extends KubeObject>(
    resource: Resource,
    object: Item,
    options?: CallOptions,
  ): Promise<Item> {
    const target = objectTarget('create', resource, nameOf(object.metadata));
    const path = collectionPath(resource, object.metadata.namespace);
    const body = JSON.stringify(named(resource, object));
    return this.#json<Item>({ target, method: 'POST', path, body }, options);
  }

  replace<Item extends KubeObject>(
    resource: Resource,
    object: Item,
    options?: CallOptions,
  ): Promise<Item> {
    const target = objectTarget('update', resource, object.metadata);
    return this.#object<Item>('PUT', target, options, JSON.stringify(named(resource, object)));
  }

  patch<Item extends KubeObject>(
    resource: Resource,
    name: ObjectName,
    patch: KubePatch,
    options?: CallOptions,
  ): Promise<Item> {
    const target = objectTarget('patch', resource, name);
    const path = objectPath(resource, name);
    const body = JSON.stringify(patch.body);
    const contentType = PATCH_TYPES[patch.type];
    return this.#json<Item>({ target, method: 'PATCH', path, body, contentType }, options);
  }

  async delete(resource: Resource, name: ObjectName, options?: DeleteOptions): Promise<void> {
    const target = objectTarget('delete', resource, name);
    const call: HttpExchange = {
      target,
      method: 'DELETE',
      path: objectPath(resource, name),
      body: options?.asRead && JSON.stringify(onlyAsRead(options.asRead)),
      signal: options?.signal,
    };
    await this.#retrying(call, async attempt => {
      try {
        await exchange(this.#connection, call);
      } catch (error) {
        // An earlier attempt, whose answer was lost, has done it.
        if (attempt === 1 || !isEngineError(error, 'KUBE_NOT_FOUND')) throw error;
      }
    });
  }

  read<Body>(path: string, options?: CallOptions & { readonly accept?: string }): Promise<Body> {
    const target = { verb: 'get', path } as const;
    return this.#json<Body>({ target, method: 'GET', path, accept: options?.accept }, options);
  }

  #object<Item>(
    method: HttpExchange['method'],
    target: RequestTarget & { readonly resource: Resource; readonly name: string },
    options: CallOptions | undefined,
    body?: string,
  ): Promise<Item> {
    return this.#json<Item>(
      { target, method, path: objectPath(target.resource, target), body },
      options,
    );
  }

  async #json<Body>(call: HttpExchange, options: CallOptions | undefined): Promise<Body> {
    const full = { ...call, signal: options?.signal };
    const text = await this.#retrying(full, () => exchange(this.#connection, full));
    try {
      // What a resource holds is known to the caller alone, who checks what it uses.
      return JSON.parse(text) as Body;
    } catch {
      const what = `cannot ${describeTarget(call.target)}: the answer is no JSON`;
      throw new EngineError('KUBE_FAILED', what);
    }
  }

  async #retrying<Result>(
    { method, signal, target }: HttpExchange,
    work: (attempt: number) => Promise<Result>,
  ): Promise<Result> {
    const isIdempotent = method !== 'POST' && method !== 'PATCH';
    let wasRefused = false;
    for (let attempt = 1; ; attempt++) {
      try {
        const result = await work(attempt);
        this.#onAttempt({ target });
        return result;
      } catch (error) {
        // The token may have been rotated since it was read: once more with a fresh one.
        const isRefused: boolean = !wasRefused && isEngineError(error, 'KUBE_UNAUTHORIZED');
        wasRefused ||= isRefused;
        const failed = { error, attempt, isIdempotent, random: this.#random() };
        const delayMs = isRefused ? 0 : requestRetryMs(REQUEST_RETRY_POLICY, failed);
        this.#onAttempt({ target, error, retryDelayMs: delayMs });
        if (delayMs === undefined) throw error;
        if (!isRefused) await this.#clock.sleep(delayMs, signal);
      }
    }
  }
}

function objectTarget(verb: KubeVerb, resource: Resource, { namespace, name }: ObjectName) {
  return { verb, resource, namespace: resource.isNamespaced ? namespace : undefined, name };
}

function nameOf({ name, namespace, generateName }: ObjectMeta): ObjectName {
  return { namespace, name: name === '' ? `${generateName ?? ''}…` : name };
}

/** With the names that a server asks for; objects made here need not repeat them. */
function named(resource: Resource, object: KubeObject): KubeObject {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object };
}

function onlyAsRead({ uid, resourceVersion }: ObjectMeta): object {
  const preconditions = { uid, resourceVersion };
  return { apiVersion: 'v1', kind: 'DeleteOptions', preconditions };
}

function tooMany(target: RequestTarget): EngineError {
  const what = `cannot ${describeTarget(target)}: more than ${LIST_ITEMS_MAX} objects`;
  return new EngineError('LIMIT_EXCEEDED', `${what}; narrow it with a selector`);
}

// One watch under way: what happened since a revision, then what happens, as far as it fits
// (k8s.io/apiserver pkg/storage/cacher/cache_watcher.go).

import type { ServerResponse } from 'node:http';
import { resourceName } from '#kube/request-target.ts';
import { type ApiError, expired } from './api-error.ts';
import type { JsonObject, StoredObject } from './json.ts';
import type { ObjectStore, StoreEvent } from './object-store.ts';
import type { Matcher } from './selectors.ts';
import { apiVersionOf, type ServedResource } from './served-resource.ts';

export interface WatchRequest {
  readonly resource: ServedResource;
  readonly matches: Matcher;
  /** '' and '0': begin with what is there. */
  readonly resourceVersion: string;
  readonly hasBookmarks: boolean;
  readonly timeoutSeconds: number | undefined;
}

export class WatchSession {
  readonly resource: ServedResource;
  readonly #request: WatchRequest;
  readonly #store: ObjectStore;
  readonly #response: ServerResponse;
  readonly #unsubscribe: () => void;
  readonly #timer: NodeJS.Timeout | undefined;
  /** Events that wait while the watch is held; undefined while it is not. */
  #held: string[] | undefined;
  #sentRevision = 0;
  /** Of the last bookmark, or where the watch began. */
  #toldRevision = 0;

  constructor(store: ObjectStore, request: WatchRequest, response: ServerResponse) {
    this.resource = request.resource;
    this.#request = request;
    this.#store = store;
    this.#response = response;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    this.#unsubscribe = store.subscribe(event => this.#onEvent(event));
    const { timeoutSeconds } = request;
    if (timeoutSeconds !== undefined) {
      this.#timer = setTimeout(() => this.end(), timeoutSeconds * 1000).unref();
    }
    response.once('close', () => this.#release());
    this.#begin();
  }

  /** The regular end. */
  end(): void {
    this.#response.end();
  }

  /** It fails by an event of its own, and then ends. */
  fail(error: ApiError): void {
    this.#send('ERROR', error.status());
    this.end();
  }

  /** The connection breaks. */
  cut(): void {
    this.#response.destroy();
  }

  /** Events wait from now on, as they do where a watch is slow. */
  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const line of held) this.#write(line);
  }

  sendBookmark(): void {
    if (!this.#request.hasBookmarks || this.#held !== undefined) return;
    // One that says nothing new is not sent.
    if (this.#store.revision <= this.#toldRevision) return;
    this.#toldRevision = this.#store.revision;
    const { resource } = this.#request;
    const metadata = { resourceVersion: String(this.#store.revision), creationTimestamp: null };
    this.#send('BOOKMARK', { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata });
  }

  #begin(): void {
    const { resource, resourceVersion, matches } = this.#request;
    if (resourceVersion === '' || resourceVersion === '0') {
      const objects = this.#store.list(resourceName(resource)).filter(matches);
      for (const object of objects) this.#send('ADDED', object);
      return;
    }
    const revision = Number(resourceVersion);
    this.#sentRevision = revision;
    this.#toldRevision = revision;
    const missed = this.#store.since(revision);
    if (missed === undefined) {
      // A watch that was admitted fails by an event, not by its status (cacher.go newErrWatcher).
      const message = `too old resource version: ${revision} (${this.#store.compactedRevision})`;
      return this.fail(expired(message));
    }
    for (const event of missed) this.#onEvent(event);
  }

  #onEvent(event: StoreEvent): void {
    const { resource, matches } = this.#request;
    if (event.collection !== resourceName(resource)) return;
    if (event.revision <= this.#sentRevision) return;
    const is = event.type !== 'DELETED' && matches(event.object);
    const was = event.previous !== undefined && matches(event.previous);
    if (is) this.#send(was ? 'MODIFIED' : 'ADDED', event.object);
    else if (was) this.#send('DELETED', lastFitting(event));
  }

  #send(type: string, object: JsonObject): void {
    const line = `${JSON.stringify({ type, object })}\n`;
    if (this.#held === undefined) this.#write(line);
    else this.#held.push(line);
  }

  #write(line: string): void {
    if (!this.#response.writableEnded) this.#response.write(line);
  }

  #release(): void {
    clearTimeout(this.#timer);
    this.#unsubscribe();
  }
}

/** Who no longer fits is gone for this watch, which gets it as it was, under the new version. */
function lastFitting({ object, previous, revision }: StoreEvent): StoredObject {
  const last = previous ?? object;
  return { ...last, metadata: { ...last.metadata, resourceVersion: String(revision) } };
}

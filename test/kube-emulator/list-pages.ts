// Lists in pages of one revision: what a page is continued from is kept until it is compacted.

import { badRequest, expired } from './api-error.ts';
import { isObject, type JsonObject, type StoredObject } from './json.ts';
import type { ObjectStore } from './object-store.ts';

interface RestOfList {
  readonly revision: number;
  readonly objects: readonly StoredObject[];
}

export interface ListPage {
  readonly metadata: JsonObject;
  readonly items: readonly StoredObject[];
}

const RESTS_MAX = 1000;

export class ListPages {
  readonly #store: ObjectStore;
  readonly #rests = new Map<string, RestOfList>();
  #tokenIndex = 0;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** The first page, or with a token the one that follows. */
  page(limit: number, token: string, all: () => readonly StoredObject[]): ListPage {
    const list =
      token === '' ? { revision: this.#store.revision, objects: all() } : this.#restOf(token);
    const count = limit > 0 ? limit : list.objects.length;
    const objects = list.objects.slice(count);
    const metadata: JsonObject = { resourceVersion: String(list.revision) };
    if (objects.length > 0) {
      metadata.continue = this.#keep({ revision: list.revision, objects });
      metadata.remainingItemCount = objects.length;
    }
    return { metadata, items: list.objects.slice(0, count) };
  }

  #restOf(token: string): RestOfList {
    const rest = this.#rests.get(token);
    if (rest === undefined) throw badRequest('continue key is not valid');
    if (rest.revision < this.#store.compactedRevision) {
      throw expired('The provided continue parameter is too old to display a consistent list');
    }
    return rest;
  }

  #keep(rest: RestOfList): string {
    const token = Buffer.from(`page-${++this.#tokenIndex}`).toString('base64url');
    this.#rests.set(token, rest);
    const [oldest] = this.#rests.keys();
    if (this.#rests.size > RESTS_MAX && oldest !== undefined) this.#rests.delete(oldest);
    return token;
  }
}

/** Items of built-in kinds come without their names, as from the real one. */
export function listedItem(object: StoredObject, isCustom: boolean): JsonObject {
  if (isCustom || !isObject(object)) return object;
  const { apiVersion: _apiVersion, kind: _kind, ...rest } = object;
  return rest;
}

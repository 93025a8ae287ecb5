// The common part of the wrappers: everything that a wrapper does not change goes to the storage
// below, `stage`, `localPath` and `cache` only where that has them.

import type { Storage } from './storage.ts';

type Changes = Partial<Omit<Storage, 'displayName' | 'canPutIfAbsent'>>;

/** A storage that does `changes` itself and hands the rest to `inner`. */
export function wrap(inner: Storage, changes: Changes): Storage {
  const wrapper: Storage = {
    displayName: inner.displayName,
    get canPutIfAbsent() {
      return inner.canPutIfAbsent;
    },
    cache: inner.cache,
    get: (id, options) => inner.get(id, options),
    put: (id, pieces, options) => inner.put(id, pieces, options),
    head: (id, options) => inner.head(id, options),
    list: (prefix, options) => inner.list(prefix, options),
    delete: (id, options) => inner.delete(id, options),
    stage: inner.stage?.bind(inner),
    localPath: inner.localPath?.bind(inner),
    close: () => inner.close(),
  };
  return Object.assign(wrapper, changes);
}

// A storage whose blobs are looked for in the cache first. What is not there is fetched once, kept
// if there is room, and handed on in any case: nothing that the cache or its disk does makes a read
// fail, or wait for more than a moment.

import { throwIfAborted } from '#engine/base/abort.ts';
import { requireBlobId, requireRange } from '#engine/storage/blob-id.ts';
import type { GetOptions, StagedBlob, Storage } from '#engine/storage/storage.ts';
import { wrap } from '#engine/storage/wrap.ts';
import { blobKey } from './blob-key.ts';
import { kindOfBlob } from './blob-kinds.ts';
import { BlobReader } from './blob-reader.ts';
import type { CacheRepository } from './cache-repository.ts';

/** `inner` behind the cache. Closing it closes `inner` and leaves the cache open. */
export function cached(inner: Storage, repository: CacheRepository): Storage {
  const reader = new BlobReader(inner, repository);
  const forget = async (id: string): Promise<void> => {
    if (kindOfBlob(id) !== undefined) await reader.forget(id, 'deleted');
  };
  const forgetDamaged = async (id: string): Promise<boolean> => {
    const kind = kindOfBlob(id);
    if (kind === undefined || !repository.keeps(kind)) return false;
    await reader.forget(id, 'damage');
    return true;
  };
  const stage = inner.stage?.bind(inner);
  return wrap(inner, {
    cache: { behind: inner, forget: forgetDamaged },
    get: async (id: string, options: GetOptions = {}) => {
      throwIfAborted(options.signal);
      requireBlobId(id);
      const kind = kindOfBlob(id);
      if (options.range) requireRange(id, options.range);
      if (kind === undefined || !repository.keeps(kind)) return inner.get(id, options);
      return reader.get({ id, kind, key: blobKey(repository.identity, id) }, options);
    },
    put: async (id, pieces, options) => {
      await inner.put(id, pieces, options);
      await forget(id);
    },
    delete: async (id, options) => {
      await inner.delete(id, options);
      await forget(id);
    },
    stage: stage && (async (id, options) => forgetting(await stage(id, options), () => forget(id))),
    close: async () => {
      await reader.settled();
      await inner.close();
    },
  });
}

function forgetting(staged: StagedBlob, forget: () => Promise<void>): StagedBlob {
  return {
    path: staged.path,
    discard: () => staged.discard(),
    commit: async options => {
      await staged.commit(options);
      await forget();
    },
  };
}

// What a restore wants of an open repository: contents by key, and packs as files or ranges.

import { dirname } from 'node:path';
import { FORMAT_BLOB_ID } from '#engine/format/blob-names.ts';
import type { RestoreParts } from '#engine/snapshot/restore/restore.ts';
import type { LocatedContent } from '#engine/snapshot/restore/chunk-planner.ts';
import type { PackSource } from '#engine/snapshot/restore/pack-source.ts';
import type { Storage } from '#engine/storage/storage.ts';
import type { Repository } from './repository.ts';

export function restorePartsOf({ parts, manifests, contents, cache }: Repository): RestoreParts {
  const { index, pool, storage, memory, isNativeAllowed } = parts;
  return {
    contents,
    manifests,
    runner: pool,
    keyBytes: 1 + index.hashBytes,
    locate: key => locate(index.view, key),
    packs: packSource(storage, cache),
    memory,
    isNativeAllowed,
    repositoryDirectory: storage.localPath && dirname(storage.localPath(FORMAT_BLOB_ID)),
  };
}

function locate(
  view: Repository['parts']['index']['view'],
  key: Uint8Array,
): LocatedContent | undefined {
  const place = view.find(key, 0, key.length);
  if (place < 0) return undefined;
  return {
    packId: view.packIdAt(place),
    packOffset: view.offsetAt(place),
    packedBytes: view.packedBytesAt(place),
    originalBytes: view.originalBytesAt(place),
    compressionId: view.compressionAt(place),
  };
}

function packSource(storage: Storage, cache: Repository['cache']): PackSource {
  const get: PackSource['get'] = (packId, range, signal) => storage.get(packId, { range, signal });
  return {
    plan:
      cache &&
      (ranges => {
        const plan = cache.plan(
          ranges.map(({ packId, ...range }) => ({ blobId: packId, ...range })),
        );
        return {
          get: (packId, range, signal) => {
            plan.reading({ blobId: packId, ...range });
            return get(packId, range, signal);
          },
          [Symbol.dispose]: () => plan[Symbol.dispose](),
        };
      }),
    get,
    isCached: storage.cache !== undefined,
    localPath: storage.localPath && (packId => storage.localPath?.(packId) ?? ''),
  };
}

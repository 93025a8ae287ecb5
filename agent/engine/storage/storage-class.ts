// kopia's `.storageconfig`: which storage class a blob is put with (kopia v0.23
// repo/blob/s3/s3_storage_config.go, kopia-format.md 1.3). It lies beside the blobs and is none.

import { EngineError, messageOf } from '#engine/base/errors.ts';

export const STORAGE_CONFIG_ID = '.storageconfig';

export interface StorageClassRule {
  readonly prefix: string;
  readonly storageClass: string;
}

/** The first rule whose prefix matches; undefined for the bucket's default. */
export function storageClassOf(rules: readonly StorageClassRule[], id: string): string | undefined {
  const rule = rules.find(({ prefix }) => id.startsWith(prefix));
  return rule?.storageClass === '' ? undefined : rule?.storageClass;
}

/** @throws STORAGE_FAILED when the text is not such a configuration */
export function parseStorageConfig(text: string, displayName: string): StorageClassRule[] {
  try {
    // The shape is checked field by field below.
    const { blobOptions } = (JSON.parse(text) ?? {}) as Record<string, unknown>;
    if (blobOptions === undefined || blobOptions === null) return [];
    if (!Array.isArray(blobOptions)) throw new TypeError('blobOptions is not a list');
    return blobOptions.map((item: unknown) => {
      const { prefix = '', storageClass = '' } = (item ?? {}) as Record<string, unknown>;
      if (typeof prefix === 'string' && typeof storageClass === 'string') {
        return { prefix, storageClass };
      }
      throw new TypeError('prefix and storageClass have to be text');
    });
  } catch (error) {
    throw new EngineError(
      'STORAGE_FAILED',
      `cannot understand ${STORAGE_CONFIG_ID} in ${displayName}: ${messageOf(error)}; ` +
        'repair or remove it',
      { cause: error },
    );
  }
}

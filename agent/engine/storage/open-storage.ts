// From what a person wrote to a storage that can be used: the place itself, with metrics innermost
// (they count every attempt), then limits, retries and read-only. The command and the agent open
// repositories through this. S3 code is loaded only for an s3:// URL.

import { readFile } from 'node:fs/promises';
import { throwIfAborted } from '#engine/base/abort.ts';
import type { Clock } from '#engine/base/clock.ts';
import { EngineError, messageOf } from '#engine/base/errors.ts';
import { openFilesystem } from './filesystem.ts';
import { limited, type StorageLimits } from './limited.ts';
import { metered, type StorageMetrics } from './metered.ts';
import type { PendingOperations } from './pending-operations.ts';
import { readOnly } from './readonly.ts';
import { retrying, type RetryEvent, type RetryingOptions } from './retrying.ts';
import type { RetryPolicy } from './retry-policy.ts';
import type { S3Credentials, S3Options } from './s3-options.ts';
import { type FileLocation, parseStorageUrl, s3NameOf, type S3Location } from './storage-url.ts';
import type { Storage } from './storage.ts';
import type { Traffic } from './traffic.ts';

export interface OpenStorageOptions {
  /** Makes the directory of a file storage; a bucket is never made. */
  readonly create?: boolean;
  readonly isReadOnly?: boolean;
  /** Instead of what the environment and the profile files say. */
  readonly s3Credentials?: S3Credentials;
  readonly limits?: StorageLimits;
  /** Of object storage alone. */
  readonly traffic?: Traffic;
  readonly metrics?: StorageMetrics;
  readonly retryPolicy?: RetryPolicy;
  readonly onRetry?: (event: RetryEvent) => void;
  /** Told of all that is asked for, opening included, and may end it. */
  readonly pending?: PendingOperations;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
}

/** Where a storage is, by somebody who has more to say than fits into a URL. */
export type StoragePlace =
  Pick<FileLocation, 'scheme' | 'directory'> | { readonly scheme: 's3'; readonly s3: S3Options };

const SSE_KEY_BYTES = 32;

/**
 * Opens the storage that `url` names (storage-url.ts says what may be written).
 * @throws STORAGE_URL_INVALID, STORAGE_NOT_FOUND, STORAGE_ACCESS_DENIED,
 *   STORAGE_CREDENTIALS_MISSING, STORAGE_UNAVAILABLE
 */
export async function openStorage(url: string, options: OpenStorageOptions = {}): Promise<Storage> {
  throwIfAborted(options.signal);
  const location = parseStorageUrl(url);
  if (location.scheme === 's3') return openStorageAt(await s3PlaceOf(location, options), options);
  const { directory, shards } = location;
  return wrapped(await openFilesystem(directory, { create: options.create, shards }), options);
}

/** The same for a place that is no URL. @throws as openStorage */
export async function openStorageAt(
  place: StoragePlace,
  options: Omit<OpenStorageOptions, 's3Credentials'> = {},
): Promise<Storage> {
  const { signal, create } = options;
  throwIfAborted(signal);
  if (place.scheme === 'file') {
    return wrapped(await openFilesystem(place.directory, { create }), options);
  }
  const { openS3 } = await import('./s3.ts');
  const open = (openSignal?: AbortSignal): Promise<Storage> =>
    openS3(place.s3, { signal: openSignal, retry: retryOf(options), traffic: options.traffic });
  const what = { operation: 'open', storage: s3NameOf(place.s3), id: '' } as const;
  const { pending } = options;
  return wrapped(await (pending ? pending.run(what, signal, open) : open(signal)), options);
}

function wrapped(place: Storage, options: OpenStorageOptions): Storage {
  const { clock, limits, metrics, pending } = options;
  let storage = place;
  if (metrics) storage = metered(storage, metrics, clock);
  if (limits) storage = limited(storage, limits, clock);
  storage = retrying(storage, retryOf(options));
  if (pending) storage = pending.watch(storage);
  return options.isReadOnly ? readOnly(storage) : storage;
}

async function s3PlaceOf(
  { s3, caFile, sseCustomerKeyFile }: S3Location,
  { s3Credentials: credentials }: OpenStorageOptions,
): Promise<StoragePlace> {
  const caPem = caFile && (await readNamed('caFile', caFile)).toString('utf8');
  const key = sseCustomerKeyFile && (await readNamed('sseCustomerKeyFile', sseCustomerKeyFile));
  if (key && key.length !== SSE_KEY_BYTES) {
    throw invalidFile('sseCustomerKeyFile', `has ${key.length} bytes and not ${SSE_KEY_BYTES}`);
  }
  const encryption = key ? { kind: 'customer' as const, key } : s3.encryption;
  return { scheme: 's3', s3: { ...s3, credentials, caPem, encryption } };
}

function retryOf({ retryPolicy: policy, onRetry, clock }: OpenStorageOptions): RetryingOptions {
  return { policy, onRetry, clock };
}

async function readNamed(parameter: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw invalidFile(parameter, `cannot be read: ${messageOf(error)}`);
  }
}

function invalidFile(parameter: string, why: string): EngineError {
  return new EngineError('STORAGE_URL_INVALID', `the file that ${parameter}= names ${why}`);
}

// Blobs as objects of an S3 bucket: key = prefix + id (kopia v0.23 repo/blob/s3, kopia-format.md
// 1.3 and 15). One request per put, so an object appears whole or not at all. An answer counts as
// absence or as an empty listing only when it is S3 that says so. Loads no SDK by itself; openS3
// does.

import { Readable } from 'node:stream';
import { throwIfAborted } from '#engine/base/abort.ts';
import { isEngineError } from '#engine/base/errors.ts';
import {
  closedError,
  existsError,
  isBlobId,
  requireBlobId,
  requireBlobPrefix,
  requireRange,
} from './blob-id.ts';
import { retrying, type RetryingOptions } from './retrying.ts';
import { isKeptHangUp } from './s3-agents.ts';
import { connectS3, type S3Connection, type Sdk } from './s3-client.ts';
import { withDeadline } from './s3-deadline.ts';
import { answerOf, isClockCorrected, notS3, s3Error, type S3Attempt } from './s3-errors.ts';
import { getObject } from './s3-get.ts';
import { S3_DEFAULTS, type S3Encryption, type S3Options } from './s3-options.ts';
import { S3Put, type S3PutInput } from './s3-put.ts';
import { Slots } from './slots.ts';
import {
  parseStorageConfig,
  STORAGE_CONFIG_ID,
  storageClassOf,
  type StorageClassRule,
} from './storage-class.ts';
import { s3NameOf } from './storage-url.ts';
import type { BlobMetadata, CallOptions, GetOptions, PutOptions, Storage } from './storage.ts';
import { TokenTrail } from './token-trail.ts';
import type { Traffic } from './traffic.ts';

export interface S3OpenOptions extends CallOptions {
  /** For what is read while opening; the storage itself does not retry. */
  readonly retry?: RetryingOptions;
  readonly traffic?: Traffic;
}

/**
 * Opens the storage, which proves that the bucket is there and can be read.
 * @throws STORAGE_NOT_FOUND, STORAGE_ACCESS_DENIED, STORAGE_CREDENTIALS_MISSING,
 *   STORAGE_UNAVAILABLE, STORAGE_URL_INVALID
 */
export async function openS3(options: S3Options, call: S3OpenOptions = {}): Promise<S3Storage> {
  throwIfAborted(call.signal);
  const storage = new S3Storage(await connectS3(options, call.traffic), options);
  try {
    const reader = call.retry ? retrying(storage, call.retry) : storage;
    await storage.loadStorageClasses(reader, call);
    return storage;
  } catch (error) {
    await storage.close();
    throw error;
  }
}

export class S3Storage implements Storage {
  readonly displayName: string;
  readonly canPutIfAbsent: boolean;
  readonly #connection: S3Connection;
  readonly #options: S3Options;
  readonly #slots: Slots;
  readonly #put: S3Put;
  #storageClasses: readonly StorageClassRule[] = [];
  #isClosed = false;

  constructor(connection: S3Connection, options: S3Options) {
    this.#connection = connection;
    this.#options = options;
    this.#slots = new Slots(options.parallelism ?? S3_DEFAULTS.parallelism);
    this.displayName = s3NameOf(options);
    this.#put = new S3Put(connection, this.displayName, options.checksum ?? S3_DEFAULTS.checksum);
    this.canPutIfAbsent = isConditional(options);
  }

  /** Reads kopia's `.storageconfig`; most buckets have none. */
  async loadStorageClasses(reader: Pick<Storage, 'get'>, { signal }: CallOptions): Promise<void> {
    try {
      const text = Buffer.from(await reader.get(STORAGE_CONFIG_ID, { signal })).toString();
      this.#storageClasses = parseStorageConfig(text, this.displayName);
    } catch (error) {
      if (!isEngineError(error, 'STORAGE_BLOB_NOT_FOUND')) throw error;
    }
  }

  async get(id: string, options: GetOptions = {}): Promise<Uint8Array> {
    const { range, signal } = options;
    requireBlobId(id);
    if (range) requireRange(id, range);
    return this.#run({ verb: `read blob ${id}`, id, range, signal }, abortSignal => {
      const input = { ...this.#address(id), ...customerKey(this.#options.encryption), id, range };
      return getObject(this.#connection, input, abortSignal);
    });
  }

  async put(id: string, pieces: readonly Uint8Array[], options: PutOptions = {}): Promise<void> {
    const { signal, ifAbsent = false } = options;
    requireBlobId(id);
    await this.#run({ verb: `write blob ${id}`, id, ifAbsent, signal }, async abortSignal => {
      if (ifAbsent && !this.canPutIfAbsent) await this.#requireAbsent(id, abortSignal);
      const input = this.#putInput(id, options);
      if (!ifAbsent || this.#options.conditionalPut === 'never') {
        await this.#put.send(input, pieces, abortSignal);
        return;
      }
      try {
        await this.#put.send({ ...input, IfNoneMatch: '*' }, pieces, abortSignal);
      } catch (error) {
        // A server that refuses the header: we have looked already.
        if (this.canPutIfAbsent || answerOf(error)?.status !== 501) throw error;
        await this.#put.send(input, pieces, abortSignal);
      }
    });
  }

  async head(id: string, options: CallOptions = {}): Promise<BlobMetadata> {
    const { signal } = options;
    requireBlobId(id);
    return this.#run({ verb: `look at blob ${id}`, id, signal }, abortSignal =>
      this.#head(id, abortSignal),
    );
  }

  async *list(prefix: string, options: CallOptions = {}): AsyncIterable<BlobMetadata> {
    requireBlobPrefix(prefix);
    const tokens = new TokenTrail();
    let token: string | undefined;
    let emptyPages = 0;
    do {
      const page = await this.#listPage(prefix, token, options.signal);
      emptyPages = page.Contents?.length ? 0 : emptyPages + 1;
      for (const object of page.Contents ?? []) {
        throwIfAborted(options.signal);
        const blob = blobOf(object, this.#options.prefix, this.displayName);
        if (blob && blob.id.startsWith(prefix)) yield blob;
      }
      const next = page.IsTruncated ? page.NextContinuationToken : undefined;
      const isEndless = emptyPages > EMPTY_PAGES_MAX;
      if (page.IsTruncated && (next === undefined || isEndless || tokens.hasSeen(next))) {
        throw notS3(`list blobs ${prefix}*`, this.displayName, 'a page without a way to the next');
      }
      token = next;
    } while (token !== undefined);
  }

  async delete(id: string, options: CallOptions = {}): Promise<void> {
    const { signal } = options;
    requireBlobId(id);
    const { sdk, client } = this.#connection;
    try {
      await this.#run({ verb: `delete blob ${id}`, id, signal }, abortSignal =>
        client.send(new sdk.DeleteObjectCommand(this.#address(id)), { abortSignal }),
      );
    } catch (error) {
      if (!isEngineError(error, 'STORAGE_BLOB_NOT_FOUND')) throw error;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#connection.gets.close();
    this.#connection.client.destroy();
  }

  async #run<Result>(
    attempt: Omit<S3Attempt, 'displayName'>,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const { signal } = attempt;
    const timeoutMs = this.#options.requestTimeoutMs ?? S3_DEFAULTS.requestTimeoutMs;
    throwIfAborted(signal);
    if (this.#isClosed) throw closedError(this.displayName);
    return this.#slots.run(signal, async () => {
      try {
        const time = { timeoutMs, heldUpMs: this.#heldUpMs };
        return await withDeadline(time, signal, abortSignal =>
          withoutMishaps(work, !attempt.ifAbsent, abortSignal),
        );
      } catch (error) {
        throw s3Error(error, { ...attempt, displayName: this.displayName });
      }
    });
  }

  /** Time that a request waits for the rate is not the server's. */
  readonly #heldUpMs = (): number => {
    const { upload, download } = this.#connection.traffic ?? {};
    return (upload?.heldUpMs ?? 0) + (download?.heldUpMs ?? 0);
  };

  #address(id: string): { Bucket: string; Key: string } {
    return { Bucket: this.#options.bucket, Key: this.#options.prefix + id };
  }

  #putInput(id: string, { retention }: PutOptions): S3PutInput {
    const { encryption } = this.#options;
    // The rule's text goes to the server as it stands: servers have classes that the SDK has not.
    const StorageClass = storageClassOf(this.#storageClasses, id) as Sdk.StorageClass | undefined;
    return {
      ...this.#address(id),
      ...customerKey(encryption),
      ...(encryption && encryption.kind !== 'customer' && serverKey(encryption)),
      ContentType: 'application/x-kopia',
      StorageClass,
      Tagging: this.#options.tagging,
      ObjectLockMode: retention?.mode,
      ObjectLockRetainUntilDate: retention && new Date(retention.untilMs),
    };
  }

  async #head(id: string, abortSignal: AbortSignal): Promise<BlobMetadata> {
    const { sdk, client } = this.#connection;
    const input = { ...this.#address(id), ...customerKey(this.#options.encryption) };
    try {
      const answer = await client.send(new sdk.HeadObjectCommand(input), { abortSignal });
      const { ContentLength: bytes, LastModified: modified } = answer;
      if (bytes === undefined || modified === undefined) {
        throw notS3(`look at blob ${id}`, this.displayName, 'no length or time');
      }
      return { id, bytes, modifiedMs: modified.getTime() };
    } catch (error) {
      if (answerOf(error)?.status !== 404) throw error;
      // A HEAD has no body and so no code: ask again in a way that tells a blob that is absent from
      // a bucket that is.
      await client.send(new sdk.GetObjectCommand(input), { abortSignal }).then(discardBody);
      throw error;
    }
  }

  async #requireAbsent(id: string, abortSignal: AbortSignal): Promise<void> {
    try {
      await this.#head(id, abortSignal);
    } catch (error) {
      const attempt = { verb: `look at blob ${id}`, id, displayName: this.displayName };
      if (isEngineError(s3Error(error, attempt), 'STORAGE_BLOB_NOT_FOUND')) return;
      throw error;
    }
    throw existsError(id, this.displayName);
  }

  async #listPage(
    prefix: string,
    token: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Sdk.ListObjectsV2CommandOutput> {
    const verb = `list blobs ${prefix}*`;
    const { sdk, client } = this.#connection;
    const input = {
      Bucket: this.#options.bucket,
      Prefix: this.#options.prefix + prefix,
      Delimiter: '/',
      ContinuationToken: token,
      MaxKeys: this.#options.pageKeys,
    };
    const page = await this.#run({ verb, signal }, abortSignal =>
      client.send(new sdk.ListObjectsV2Command(input), { abortSignal }),
    );
    // Any other document parses to a listing of nothing.
    if (page.IsTruncated === undefined || page.Name === undefined) {
      throw notS3(verb, this.displayName, 'no listing');
    }
    return page;
  }
}

/** A server may look through so many keys at a time and give none, as those that filter do. */
const EMPTY_PAGES_MAX = 1000;
/** As many connections as may have ended unnoticed. */
const HANG_UPS_MAX = 16;

/**
 * Asks again at once where a wrong clock was in the way, for then nothing was stored or read, and
 * where a kept connection had ended. The server may have heeded a request of the latter kind all
 * the same, so that it has to be `repeatable`.
 */
async function withoutMishaps<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
  repeatable: boolean,
  signal: AbortSignal,
): Promise<Result> {
  let hangUps = 0;
  let isClockTold = false;
  for (;;) {
    try {
      return await work(signal);
    } catch (error) {
      throwIfAborted(signal);
      if (repeatable && isKeptHangUp(error) && hangUps++ < HANG_UPS_MAX) continue;
      if (isClockTold || !isClockCorrected(error)) throw error;
      isClockTold = true;
    }
  }
}

function isConditional({ conditionalPut = 'auto', endpoint }: S3Options): boolean {
  if (conditionalPut !== 'auto') return conditionalPut === 'always';
  return endpoint === undefined || /\.amazonaws\.com(\.cn)?(:\d+)?\/?$/.test(endpoint);
}

function customerKey(encryption: S3Encryption | undefined): {
  SSECustomerAlgorithm?: string;
  SSECustomerKey?: string;
} {
  if (encryption?.kind !== 'customer') return {};
  // The SDK adds the MD5 of the key.
  const SSECustomerKey = Buffer.from(encryption.key).toString('base64');
  return { SSECustomerAlgorithm: 'AES256', SSECustomerKey };
}

function serverKey(
  encryption: Exclude<S3Encryption, { kind: 'customer' }>,
): Pick<Sdk.PutObjectCommandInput, 'ServerSideEncryption' | 'SSEKMSKeyId'> {
  const SSEKMSKeyId = encryption.kind === 'aws:kms' ? encryption.keyId : undefined;
  return { ServerSideEncryption: encryption.kind, SSEKMSKeyId };
}

function discardBody({ Body: body }: Sdk.GetObjectCommandOutput): void {
  if (body instanceof Readable) body.destroy();
}

/** Undefined for what is no blob: the folder's own entry, kopia's configuration, foreign names. */
function blobOf(
  object: Sdk._Object,
  keyPrefix: string,
  displayName: string,
): BlobMetadata | undefined {
  const { Key: key, Size: bytes, LastModified: modified } = object;
  // What is no number at all the SDK makes NaN of.
  const isSize = Number.isSafeInteger(bytes) && Number(bytes) >= 0;
  if (key === undefined || bytes === undefined || !isSize || modified === undefined) {
    throw notS3('list blobs', displayName, 'an entry without key, size or time');
  }
  if (!key.startsWith(keyPrefix)) {
    throw notS3('list blobs', displayName, 'a key that was not asked for');
  }
  const id = key.slice(keyPrefix.length);
  if (id === STORAGE_CONFIG_ID || !isBlobId(id)) return undefined;
  return { id, bytes, modifiedMs: modified.getTime() };
}

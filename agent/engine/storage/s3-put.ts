// Sends the bytes of one object, whole or not at all, so that the server compares them before it
// stores anything. It does so by the checksum that the owner chose, where its answers repeat that,
// and else by Content-MD5, which all of them know; as long as nobody knows it is sent both. Over
// TLS that is all that is said of the body; without TLS it is signed as well.

import { throwIfAborted } from '#engine/base/abort.ts';
import { totalBytes } from '#engine/base/bytes.ts';
import { EngineError } from '#engine/base/errors.ts';
import { pacedBody, requestBody } from './s3-body.ts';
import {
  checksumFields,
  confirmedChecksum,
  digestPieces,
  isChecksumRefused,
  type S3Checksum,
} from './s3-checksum.ts';
import type { S3Connection, Sdk } from './s3-client.ts';
import { answerOf, notS3 } from './s3-errors.ts';

const MD5: ReadonlySet<S3Checksum> = new Set(['md5']);

export type S3PutInput = Omit<Sdk.PutObjectCommandInput, 'Body'> & { readonly Key: string };

export class S3Put {
  readonly #connection: S3Connection;
  readonly #displayName: string;
  readonly #checksum: S3Checksum;
  /** What the next put carries. */
  #kinds: ReadonlySet<S3Checksum>;

  constructor(connection: S3Connection, displayName: string, checksum: S3Checksum) {
    this.#connection = connection;
    this.#displayName = displayName;
    this.#checksum = checksum;
    this.#kinds = new Set([checksum, 'md5']);
  }

  /**
   * @throws what the SDK throws
   * @throws STORAGE_FAILED the server is none of S3, or has got other bytes
   */
  async send(input: S3PutInput, pieces: readonly Uint8Array[], signal: AbortSignal): Promise<void> {
    // One that must not replace anything cannot be sent a second time: it would meet the first.
    const kinds = input.IfNoneMatch === undefined ? this.#kinds : MD5;
    const compared = await this.#attempt(kinds, input, pieces, signal);
    if (compared === 'nothing') {
      // It was refused, or stored by a server that confirmed this checksum before and does no more.
      await this.#attempt(MD5, input, pieces, signal);
    }
    if (kinds === MD5) return;
    this.#kinds = compared === 'all' ? new Set([this.#checksum]) : MD5;
  }

  async #attempt(
    kinds: ReadonlySet<S3Checksum>,
    input: S3PutInput,
    pieces: readonly Uint8Array[],
    signal: AbortSignal,
  ): Promise<'all' | 'md5' | 'nothing'> {
    const kind = this.#checksum;
    try {
      const { answer, digests } = await this.#sendOnce(kinds, input, pieces, signal);
      const confirmed = confirmedChecksum(kind, answer);
      if (!kinds.has(kind) || confirmed === undefined) return kinds.has('md5') ? 'md5' : 'nothing';
      if (confirmed === digests.get(kind)?.toString('base64')) return 'all';
      throw garbled(input.Key, this.#displayName);
    } catch (error) {
      if (kinds === MD5 || !isChecksumRefused(answerOf(error))) throw error;
      return 'nothing';
    }
  }

  async #sendOnce(
    kinds: ReadonlySet<S3Checksum>,
    input: S3PutInput,
    pieces: readonly Uint8Array[],
    signal: AbortSignal,
  ): Promise<{
    answer: Sdk.PutObjectCommandOutput;
    digests: ReadonlyMap<S3Checksum, Buffer>;
  }> {
    const { sdk, client, isTls, traffic } = this.#connection;
    const asked = isTls ? kinds : new Set([...kinds, 'sha256' as const]);
    const digests = await digestPieces(pieces, asked, signal);
    throwIfAborted(signal);
    await traffic?.upload.whenOpen(signal);
    using paced = traffic && pacedBody(pieces, traffic.upload, signal);
    const command = new sdk.PutObjectCommand({
      ...input,
      ...checksumFields(kinds, digests),
      Body: paced?.stream ?? requestBody(pieces),
      ContentLength: totalBytes(pieces),
    });
    const sha256 = isTls ? undefined : digests.get('sha256')?.toString('hex');
    signAs(command, sha256 ?? 'UNSIGNED-PAYLOAD');
    const answer = await client.send(command, { abortSignal: signal });
    if (answer.ETag === undefined) {
      throw notS3(`write blob ${input.Key}`, this.#displayName, 'no ETag');
    }
    return { answer, digests };
  }
}

/** Tells the signer the payload's hash, which it would otherwise compute over every byte again. */
function signAs(command: Sdk.PutObjectCommand, contentSha256: string): void {
  command.middlewareStack.add(
    next => args => {
      // What the build step handles is an HTTP request.
      const request = args.request as { headers: Record<string, string> };
      request.headers['x-amz-content-sha256'] = contentSha256;
      return next(args);
    },
    { step: 'build', name: 'payloadHash' },
  );
}

function garbled(key: string, displayName: string): EngineError {
  return new EngineError(
    'STORAGE_FAILED',
    `cannot write blob ${key} in ${displayName}: the server has got other bytes than were sent; ` +
      'the bytes were garbled on the way, try again',
    { retryable: true },
  );
}

// Checksums of a body that a server compares before it stores anything, and what servers say of
// them. s3-put.ts decides which of them a put carries.

import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { throwIfAborted } from '#engine/base/abort.ts';
import { crc32c } from '#engine/hash/crc32c.ts';
import type { Sdk } from './s3-client.ts';

export const S3_CHECKSUMS = Object.freeze(['crc32', 'crc32c', 'sha1', 'sha256', 'md5'] as const);

export type S3Checksum = (typeof S3_CHECKSUMS)[number];

type PutField = keyof Sdk.PutObjectCommandInput & keyof Sdk.PutObjectCommandOutput;

interface ChecksumKind {
  /**
   * Its field in the request and, from a server that has compared it, in the answer (S3 API,
   * PutObject). Content-MD5 is not repeated by anybody.
   */
  readonly field: PutField | undefined;
  start(): RunningDigest;
}

interface RunningDigest {
  update(bytes: Uint8Array): unknown;
  digest(): Buffer;
}

const KINDS: Readonly<Record<S3Checksum, ChecksumKind>> = Object.freeze({
  crc32: { field: 'ChecksumCRC32', start: () => runningCrc(crc32) },
  crc32c: { field: 'ChecksumCRC32C', start: () => runningCrc(crc32c) },
  sha1: { field: 'ChecksumSHA1', start: () => createHash('sha1') },
  sha256: { field: 'ChecksumSHA256', start: () => createHash('sha256') },
  md5: { field: undefined, start: () => createHash('md5') },
});

/** As the request carries them. */
export function checksumFields(
  kinds: ReadonlySet<S3Checksum>,
  digests: ReadonlyMap<S3Checksum, Buffer>,
): Partial<Pick<Sdk.PutObjectCommandInput, PutField | 'ContentMD5'>> {
  return Object.fromEntries(
    [...kinds].map(kind => [
      KINDS[kind].field ?? 'ContentMD5',
      digests.get(kind)?.toString('base64'),
    ]),
  );
}

/** What the server says that it has compared; undefined from one that has passed it over. */
export function confirmedChecksum(
  kind: S3Checksum,
  answer: Sdk.PutObjectCommandOutput,
): string | undefined {
  const { field } = KINDS[kind];
  // Each of these fields is text.
  return field && (answer[field] as string | undefined);
}

/**
 * What servers say that do not know the newer headers: Amazon's own codes (R2 before 2025, ONTAP,
 * B2, OCI), that of an object lock for which only Content-MD5 counts, and that of a server behind a
 * proxy that takes headers away which it does not know, as all of them are signed.
 */
const REFUSALS: ReadonlySet<string> = new Set([
  'NotImplemented',
  'InvalidArgument',
  'InvalidRequest',
  'MissingContentMD5',
  'SignatureDoesNotMatch',
]);

export function isChecksumRefused(answer: { readonly name: string } | undefined): boolean {
  return answer !== undefined && REFUSALS.has(answer.name);
}

const STEP_BYTES = 512 * 1024;

/**
 * Yields to the event loop between steps, because 24 MiB of MD5 would hold every other request up
 * for 40 ms.
 */
export async function digestPieces(
  pieces: readonly Uint8Array[],
  kinds: ReadonlySet<S3Checksum>,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<S3Checksum, Buffer>> {
  const running = new Map([...kinds].map(kind => [kind, KINDS[kind].start()]));
  let sinceTurn = 0;
  for (const piece of pieces) {
    for (let offset = 0; offset < piece.length; offset += STEP_BYTES) {
      const step = piece.subarray(offset, offset + STEP_BYTES);
      for (const digest of running.values()) digest.update(step);
      sinceTurn += step.length;
      if (sinceTurn < STEP_BYTES) continue;
      sinceTurn = 0;
      await turn();
      throwIfAborted(signal);
    }
  }
  return new Map([...running].map(([kind, digest]) => [kind, digest.digest()]));
}

function runningCrc(step: (bytes: Uint8Array, before: number) => number): RunningDigest {
  let value = 0;
  return {
    update: bytes => (value = step(bytes, value)),
    digest() {
      // Big-endian, as Amazon has it.
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes;
    },
  };
}

// Everything that can be said about an S3 storage, and what holds when it is not said.

import type { S3Checksum } from './s3-checksum.ts';

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/**
 * Asked for before every request, so that what has changed is used by the next one; keep it fast.
 */
export type S3CredentialsSource = () => Promise<S3Credentials>;

export type S3Encryption =
  | { readonly kind: 'AES256' }
  /** Without a key id the bucket's default key is used. */
  | { readonly kind: 'aws:kms'; readonly keyId?: string }
  /** SSE-C: 32 bytes that every request carries and the server forgets. */
  | { readonly kind: 'customer'; readonly key: Uint8Array };

export interface S3Options {
  readonly bucket: string;
  /** Put before every id as it stands: empty, or ends in `/` to act as a folder. */
  readonly prefix: string;
  /** `https://host:port`; by default Amazon's for the region. */
  readonly endpoint?: string;
  /** By default AWS_REGION, AWS_DEFAULT_REGION, the profile's, `us-east-1`. */
  readonly region?: string;
  /** `endpoint/bucket/key` rather than `bucket.endpoint/key`; by default with an endpoint. */
  readonly pathStyle?: boolean;
  /** By default the environment, the profile files, web identity, the instance's role. */
  readonly credentials?: S3Credentials | S3CredentialsSource;
  /** Section of the profile files; by default AWS_PROFILE, then `default`. */
  readonly profile?: string;
  /** Certificates (PEM) that are trusted beside the system's. */
  readonly caPem?: string;
  readonly insecureSkipTlsVerify?: boolean;
  readonly encryption?: S3Encryption;
  /** Tags of every object that is written, as a query: `team=a&kind=backup`. */
  readonly tagging?: string;
  /**
   * What the server compares the body of a put with, once it has confirmed in an answer that it
   * does; until then, and from then on where it does not, there is Content-MD5. `crc32` by default:
   * it takes 0.3 s of processor time for a GiB, MD5 1.7 s.
   */
  readonly checksum?: S3Checksum;
  /**
   * Whether the server heeds If-None-Match. `always`: it decides. `never`: we look, then put.
   * `auto`: `always` for Amazon; elsewhere we look first and send the header, too, because a server
   * that does not know it overwrites without a word (rclone serve s3 1.75 does).
   */
  readonly conditionalPut?: 'auto' | 'always' | 'never';
  /** Entries per page of a listing, at most 1000, which is the default; servers may give fewer. */
  readonly pageKeys?: number;
  /** Requests and connections at once. */
  readonly parallelism?: number;
  readonly connectTimeoutMs?: number;
  /** Without a byte in either direction. */
  readonly idleTimeoutMs?: number;
  /** One request with its body, however steadily it trickles. */
  readonly requestTimeoutMs?: number;
}

export const S3_DEFAULTS = Object.freeze({
  region: 'us-east-1',
  checksum: 'crc32',
  parallelism: 16,
  connectTimeoutMs: 10_000,
  idleTimeoutMs: 30_000,
  requestTimeoutMs: 10 * 60_000,
  credentialsTimeoutMs: 15_000,
  /** Packs have 20 to 40 MB, compacted indexes of 20 million contents some 1.2 GB. */
  blobBytesMax: 2 ** 31,
});

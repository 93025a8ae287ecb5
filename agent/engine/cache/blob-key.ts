// Under which name the cache knows a blob: a hash of the repository's identity and of the blob's
// id, so that repositories that share a cache never meet each other's bytes, and nothing on disk
// says what they are called. The identity follows from the repository's master key: who cannot open
// a repository can neither find its entries nor put any in its name.

import { createHmac, hash } from 'node:crypto';
import { toHex } from '#engine/base/bytes.ts';

/** 128 bits. The first two words find an entry, the others go into its checksum. */
export interface BlobKey {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
}

/** 64 bits, for accounts, and for finding what belongs to a repository that is gone. */
export interface RepositoryKey {
  readonly a: number;
  readonly b: number;
}

/** The same wherever the repository is, and whatever its password. */
export function repositoryIdentity(masterKey: Uint8Array, uniqueId: Uint8Array): string {
  const mac = createHmac('sha256', masterKey).update('stevedore cache\0').update(uniqueId);
  return toHex(mac.digest());
}

/** @param name where the repository is, so that its account is found without opening it */
export function repositoryKey(name: string): RepositoryKey {
  const words = digestWords(`repository\0${name}`);
  return { a: words.readUInt32LE(0), b: words.readUInt32LE(4) };
}

export function blobKey(identity: string, blobId: string): BlobKey {
  const words = digestWords(`blob\0${identity}\0${blobId}`);
  return {
    a: words.readUInt32LE(0),
    b: words.readUInt32LE(4),
    c: words.readUInt32LE(8),
    d: words.readUInt32LE(12),
  };
}

function digestWords(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

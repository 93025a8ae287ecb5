// Every name that a blob of a repository can have (kopia-format.md 1.1), made and taken apart.
// A name matters: the hash in it is the IV of whole-blob encryption, the session in it protects the
// blob from maintenance, the epoch in it decides who reads it.

import { EngineError } from '#engine/base/errors.ts';
import { fromHex, toHex } from '#engine/base/bytes.ts';
import { IV_BYTES } from './content-id.ts';

export const FORMAT_BLOB_ID = 'kopia.repository';
export const BLOB_CONFIG_BLOB_ID = 'kopia.blobcfg';
export const MAINTENANCE_BLOB_ID = 'kopia.maintenance';
/** Put there after an upgrade to make clients of before 2021 fail; it holds nothing. */
export const POISON_BLOB_ID =
  'n00000000000000000000000000000000-repository_unreadable_by_this_kopia_version_upgrade_required';

export const SESSION_PREFIX = 's';
/** All blobs of the epoch manager. */
export const EPOCH_PREFIX = 'x';
export const LEGACY_INDEX_PREFIX = 'n';
export const LEGACY_COMPACTION_PREFIX = 'm';

/** All packs. */
export const PACK_PREFIXES: readonly PackBlobKind[] = Object.freeze(['p', 'q']);

/** p holds data, q holds metadata. */
export type PackBlobKind = 'p' | 'q';

/** @param random 16 random bytes */
export function packBlobId(kind: PackBlobKind, random: Uint8Array, sessionId: string): string {
  return `${kind}${toHex(random)}-${sessionId}`;
}

/** @param hash of the marker's plaintext, full length */
export function sessionBlobId(hash: Uint8Array, sessionId: string): string {
  return `${SESSION_PREFIX}${toHex(hash)}-${sessionId}`;
}

/** What the names of index blobs that belong together share. */
export interface IndexBlobSet {
  /** Session id, or s and 16 random hexadecimal digits for compactions. */
  readonly setId: string;
  /** How many blobs make the set complete. */
  readonly count: number;
}

/** An index blob of a writer. `hash` of the index file, full length. */
export function indexBlobId(epoch: number, hash: Uint8Array, set: IndexBlobSet): string {
  return `xn${epoch}_${setName(hash, set)}`;
}

/** The compaction of one epoch. */
export function singleEpochBlobId(epoch: number, hash: Uint8Array, set: IndexBlobSet): string {
  return `xs${epoch}_${setName(hash, set)}`;
}

/** The compaction of all epochs from `first` to `last`. */
export function rangeBlobId(
  range: { readonly first: number; readonly last: number },
  hash: Uint8Array,
  set: IndexBlobSet,
): string {
  return `xr${range.first}_${range.last}_${setName(hash, set)}`;
}

/** Says that an epoch has begun. */
export function epochMarkerBlobId(epoch: number): string {
  return `xe${epoch}`;
}

/** Says that entries deleted at or before this time (seconds since 1970) are gone. */
export function watermarkBlobId(seconds: number): string {
  return `xw${seconds}`;
}

/** All index blobs of writers in one epoch have this prefix and no others do. */
export function uncompactedPrefix(epoch: number): string {
  return `xn${epoch}_`;
}

/** What a blob of the epoch manager is. */
export type EpochBlobName =
  | { readonly kind: 'marker'; readonly epoch: number }
  | { readonly kind: 'watermark'; readonly seconds: number }
  | { readonly kind: 'uncompacted'; readonly epoch: number }
  | { readonly kind: 'single'; readonly epoch: number }
  | { readonly kind: 'range'; readonly first: number; readonly last: number };

/**
 * Takes apart a name that begins with x; undefined for names that kopia ignores, too. As lenient as
 * kopia internal/epoch/epoch_utils.go: in xe, xs and xr other characters may precede the number.
 */
export function parseEpochBlobId(id: string): EpochBlobName | undefined {
  const parts = id.split('_');
  const epoch = numberOf(/^x[a-z][^0-9]*(\d+)$/.exec(parts[0])?.[1]);
  if (epoch === undefined) return undefined;
  switch (id.slice(0, 2)) {
    case 'xe':
      return { kind: 'marker', epoch };
    case 'xw':
      return id === watermarkBlobId(epoch) ? { kind: 'watermark', seconds: epoch } : undefined;
    case 'xn':
      return id.startsWith(uncompactedPrefix(epoch)) ? { kind: 'uncompacted', epoch } : undefined;
    case 'xs':
      return { kind: 'single', epoch };
    case 'xr': {
      const last = numberOf(parts.length > 2 ? parts[1] : undefined);
      return last === undefined || last < epoch ? undefined : { kind: 'range', first: epoch, last };
    }
    default:
      return undefined;
  }
}

/** The set an index blob belongs to; undefined when its name has none: it is complete by itself. */
export function indexBlobSetOf(id: string): IndexBlobSet | undefined {
  const parts = id.split('-');
  const setId = parts.at(1);
  const count = numberOf(/^c(\d+)$/.exec(parts.at(2) ?? '')?.[1]);
  if (setId === undefined || count === undefined || !setId.startsWith('s')) return undefined;
  return { setId, count };
}

/** The session a blob was written in: the first part behind a dash that begins with s. */
export function sessionIdOfBlob(id: string): string | undefined {
  return id
    .split('-')
    .slice(1)
    .find(part => part.startsWith('s'));
}

/**
 * The IV of a blob that is encrypted as a whole: the last bytes of the hash in its name, that is
 * of what stands before the first dash.
 * @throws INDEX_DAMAGED when the name holds no hash
 */
export function ivOfBlobId(id: string): Uint8Array {
  const [head] = id.split('-', 1);
  const digits = IV_BYTES * 2;
  const iv = head.length < digits ? undefined : fromHex(head.slice(-digits));
  if (iv === undefined) {
    throw new EngineError(
      'INDEX_DAMAGED',
      `cannot decrypt blob ${id}: its name does not hold the hash of what is in it; it was ` +
        `renamed or is none of kopia's`,
    );
  }
  return iv;
}

function setName(hash: Uint8Array, { setId, count }: IndexBlobSet): string {
  return `${toHex(hash)}-${setId}-c${count}`;
}

function numberOf(digits: string | undefined): number | undefined {
  if (digits === undefined || !/^\d+$/.test(digits)) return undefined;
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : undefined;
}

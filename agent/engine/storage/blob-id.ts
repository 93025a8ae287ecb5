// Which strings may name a blob, and which ranges may be asked of one. Every storage calls these
// at its door, because ids reach us from listings and indexes that others wrote: an id becomes a
// file name and a part of a URL, so nothing in it may climb, split or end a path.

import { EngineError } from '#engine/base/errors.ts';
import type { BlobRange } from './storage.ts';

/** An index table stores an id's length in one byte (kopia repo/content/index/index_v2.go). */
const ID_LENGTH_MAX = 255;
const ID_PATTERN = /^[\x20-\x2e\x30-\x7e]+$/;

/** Printable ASCII without `/`, 1 to 255 characters, neither `.` nor `..`. */
export function isBlobId(id: string): boolean {
  return id.length <= ID_LENGTH_MAX && ID_PATTERN.test(id) && id !== '.' && id !== '..';
}

/** @throws STORAGE_BLOB_ID_INVALID */
export function requireBlobId(id: string): void {
  if (isBlobId(id)) return;
  const shown = JSON.stringify(id.slice(0, 80));
  throw new EngineError(
    'STORAGE_BLOB_ID_INVALID',
    `blob id ${shown} is not 1 to ${ID_LENGTH_MAX} printable ASCII characters without "/"`,
  );
}

/** @throws STORAGE_BLOB_ID_INVALID a prefix may be empty and may be `.` or `..` */
export function requireBlobPrefix(prefix: string): void {
  if (prefix !== '' && prefix !== '.' && prefix !== '..') requireBlobId(prefix);
}

/** @throws STORAGE_RANGE_INVALID for a range that lies in no blob at all */
export function requireRange(id: string, range: BlobRange): void {
  const { offset, length } = range;
  const isSane = Number.isSafeInteger(offset) && Number.isSafeInteger(length);
  if (!isSane || offset < 0 || length < 1 || !Number.isSafeInteger(offset + length)) {
    throw rangeError(id, range, undefined);
  }
}

/** @throws STORAGE_RANGE_INVALID for a range that does not lie within `blobBytes` */
export function requireRangeWithin(id: string, range: BlobRange, blobBytes: number): void {
  if (range.offset + range.length > blobBytes) throw rangeError(id, range, blobBytes);
}

export function rangeError(id: string, range: BlobRange, blobBytes?: number): EngineError {
  const size = blobBytes === undefined ? '' : `, which has ${blobBytes} bytes`;
  return new EngineError(
    'STORAGE_RANGE_INVALID',
    `cannot read ${range.length} bytes at offset ${range.offset} of blob ${id}${size}`,
    { details: { id, ...range, blobBytes } },
  );
}

export function notFoundError(id: string, displayName: string): EngineError {
  return new EngineError('STORAGE_BLOB_NOT_FOUND', `blob ${id} is not in ${displayName}`, {
    details: { id },
  });
}

export function existsError(id: string, displayName: string): EngineError {
  return new EngineError('STORAGE_BLOB_EXISTS', `blob ${id} is already in ${displayName}`, {
    details: { id },
  });
}

/** `expected` is undefined where the storage had not said. */
export function truncatedError(id: string, expected: number | undefined, got: number): EngineError {
  return new EngineError(
    'STORAGE_BLOB_TRUNCATED',
    `reading blob ${id} ended after ${got} of ${expected ?? 'unknown'} bytes`,
    { details: { id, expected, got } },
  );
}

/** A call after close is a mistake of the program, not of the storage. */
export function closedError(displayName: string): EngineError {
  return new EngineError('INTERNAL', `${displayName} was used after it was closed`);
}

// The copy of kopia.repository that packs of format version 1 begin with, by which a lost
// kopia.repository can be found again (kopia repo/format/format_blob.go). The checksum's key is
// public: it recognises the block and protects nothing.

import { createHmac } from 'node:crypto';
import { EngineError } from '#engine/base/errors.ts';
import { equalBytes } from '#engine/base/bytes.ts';

const CHECKSUM_BYTES = 32;
const LENGTH_BYTES = 2;
const PAYLOAD_BYTES_MAX = 65_000;

/** How much of either end of a blob has to be looked at. */
export const REPLICA_SEARCH_BYTES = 65_536;

/**
 * The block around the bytes of kopia.repository.
 * @throws LIMIT_EXCEEDED when they are more than a block can hold
 */
export function encodeReplica(formatBlob: Uint8Array): Uint8Array {
  const length = formatBlob.length + CHECKSUM_BYTES;
  if (length > PAYLOAD_BYTES_MAX) {
    throw new EngineError(
      'LIMIT_EXCEEDED',
      `cannot copy kopia.repository into packs: it has ${formatBlob.length} bytes, at most ` +
        `${PAYLOAD_BYTES_MAX - CHECKSUM_BYTES} fit`,
    );
  }
  const block = new Uint8Array(length + 2 * LENGTH_BYTES);
  const view = new DataView(block.buffer);
  view.setUint16(0, length, true);
  block.set(formatBlob, LENGTH_BYTES);
  block.set(checksum(formatBlob), LENGTH_BYTES + formatBlob.length);
  view.setUint16(LENGTH_BYTES + length, length, true);
  return block;
}

/**
 * The bytes of kopia.repository out of the beginning or the end of a blob.
 * @returns undefined when there is no block; a view into what was given otherwise
 */
export function findReplica(head: Uint8Array, tail: Uint8Array): Uint8Array | undefined {
  return payloadAt(head, length => LENGTH_BYTES + length, 0) ?? payloadAtEnd(tail);
}

function payloadAtEnd(tail: Uint8Array): Uint8Array | undefined {
  return payloadAt(tail, () => tail.length - LENGTH_BYTES, tail.length - LENGTH_BYTES);
}

function payloadAt(
  bytes: Uint8Array,
  endOf: (length: number) => number,
  lengthOffset: number,
): Uint8Array | undefined {
  if (lengthOffset < 0 || bytes.length < LENGTH_BYTES) return undefined;
  const length = bytes[lengthOffset] + bytes[lengthOffset + 1] * 256;
  const end = endOf(length);
  const start = end - length;
  if (length < CHECKSUM_BYTES || length > PAYLOAD_BYTES_MAX) return undefined;
  if (start < 0 || end > bytes.length) return undefined;
  const payload = bytes.subarray(start, end - CHECKSUM_BYTES);
  return equalBytes(checksum(payload), bytes.subarray(end - CHECKSUM_BYTES, end))
    ? payload
    : undefined;
}

function checksum(bytes: Uint8Array): Uint8Array {
  return createHmac('sha256', 'kopia-repository').update(bytes).digest();
}

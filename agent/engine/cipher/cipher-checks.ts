// What both forms of a cipher check before they touch memory, and the two ways in which they fail.

import { EngineError } from '#engine/base/errors.ts';
import { NONCE_BYTES, SEAL_BYTES, type Region } from './content-cipher.ts';

/** The length of the secret that content keys are derived from. */
export const SECRET_BYTES = 32;
/** An iv is 16 bytes, or a whole hash (kopia-format.md 3.2 and 4.2); kopia's longest has 32. */
export const IV_BYTES_MAX = 32;

/** @throws INTERNAL when the arguments of a seal cannot be meant */
export function assertSeal(
  plaintext: Region,
  length: number,
  sealed: Region,
  iv: Uint8Array,
): void {
  assertRegion(plaintext, length);
  assertRegion(sealed, length + SEAL_BYTES);
  assertIv(iv);
  assertApart(sealed, plaintext, length);
}

/**
 * @throws CONTENT_DAMAGED when there are fewer bytes than a seal adds
 * @throws INTERNAL when the arguments of an open cannot be meant
 */
export function assertOpen(
  sealed: Region,
  length: number,
  plaintext: Region,
  iv: Uint8Array,
): void {
  assertRegion(sealed, length);
  assertIv(iv);
  if (length < SEAL_BYTES) {
    throw new EngineError(
      'CONTENT_DAMAGED',
      `opening ${length} sealed bytes failed: a sealed unit has at least ${SEAL_BYTES}; ` +
        'the stored bytes were cut',
      { details: { sealedBytes: length } },
    );
  }
  assertRegion(plaintext, length - SEAL_BYTES);
  assertApart(sealed, plaintext, length - SEAL_BYTES);
}

function assertRegion({ arena, offset }: Region, length: number): void {
  const isInside =
    Number.isSafeInteger(offset) &&
    Number.isSafeInteger(length) &&
    offset >= 0 &&
    length >= 0 &&
    offset + length <= arena.bytes.length;
  if (!isInside) {
    throw misuse(`bytes ${offset} to ${offset + length} of a buffer of ${arena.bytes.length}`);
  }
}

function assertIv(iv: Uint8Array): void {
  if (iv.length === 0 || iv.length > IV_BYTES_MAX) throw misuse(`an iv of ${iv.length} bytes`);
}

/** Sealed and plain bytes lie exactly in place, or apart. */
function assertApart(sealed: Region, plaintext: Region, plaintextBytes: number): void {
  const a = sealed.arena.bytes;
  const b = plaintext.arena.bytes;
  if (a.buffer !== b.buffer || plaintextBytes === 0) return;
  const sealedStart = a.byteOffset + sealed.offset;
  const plainStart = b.byteOffset + plaintext.offset;
  if (sealedStart + NONCE_BYTES === plainStart) return;
  const sealedEnd = sealedStart + plaintextBytes + SEAL_BYTES;
  if (sealedStart < plainStart + plaintextBytes && plainStart < sealedEnd) {
    throw misuse('sealed and plain bytes that overlap otherwise than in place');
  }
}

function misuse(what: string): EngineError {
  return new EngineError(
    'INTERNAL',
    `sealing or opening was asked for ${what}, which cannot be meant; report this as a bug`,
  );
}

/** The tag does not match: not what was sealed under this iv with this secret. */
export function tagMismatch(name: string, sealedBytes: number): EngineError {
  return new EngineError(
    'CONTENT_DAMAGED',
    `opening ${sealedBytes} bytes sealed with ${name} failed: they do not carry a valid tag; ` +
      'they were changed after they were written, or belong to another name or repository',
    { details: { name, sealedBytes } },
  );
}

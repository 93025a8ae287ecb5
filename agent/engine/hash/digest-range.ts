// The one check between a caller's numbers and raw memory: native code is told addresses, so an
// offset beyond the end would read or write what belongs to somebody else.

import { EngineError } from '#engine/base/errors.ts';

/** @throws INTERNAL when bytes[offset, offset + length) does not lie within `bytes` */
export function assertRange(bytes: Uint8Array, offset: number, length: number): void {
  const isInside =
    Number.isSafeInteger(offset) &&
    Number.isSafeInteger(length) &&
    offset >= 0 &&
    length >= 0 &&
    offset + length <= bytes.length;
  if (!isInside) {
    throw new EngineError(
      'INTERNAL',
      `hashing bytes ${offset} to ${offset + length} of a buffer of ${bytes.length} was refused; ` +
        'report this as a bug',
    );
  }
}

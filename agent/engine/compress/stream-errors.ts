// The two ways in which a stream is refused.

import { EngineError } from '#engine/base/errors.ts';
import type { CompressionFamily } from './compressions.ts';

/** The stream is not what an encoder of its family writes; `fault` is a clause that says why. */
export function damagedStream(
  family: CompressionFamily,
  fault: string,
  cause?: unknown,
): EngineError {
  return new EngineError(
    'CONTENT_DAMAGED',
    `decompressing a ${family} stream failed: ${fault}; the content was damaged before it was ` +
      'sealed, or was written by a program that makes other streams',
    { details: { family }, cause },
  );
}

/** The stream holds more than the caller can use. */
export function overLimit(family: CompressionFamily, limitBytes: number): EngineError {
  return new EngineError(
    'LIMIT_EXCEEDED',
    `decompressing a ${family} stream was given up: it holds more than the ${limitBytes} bytes ` +
      'that are allowed for one content',
    { details: { family, limitBytes } },
  );
}

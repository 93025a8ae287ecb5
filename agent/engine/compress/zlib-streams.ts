// The families that node:zlib decodes: gzip, raw deflate and zstd.
//
// node:zlib is lenient where a reader of contents must not be: it ignores what follows a deflate
// stream, and of several zstd frames it decodes the first and drops the rest without a word. So
// each call is asked how much input it used.

import { gunzipSync, inflateRawSync, zstdDecompressSync } from 'node:zlib';
import { EngineError, messageOf, systemCodeOf } from '#engine/base/errors.ts';
import type { CompressionFamily } from './compressions.ts';
import { damagedStream, overLimit } from './stream-errors.ts';

// 64 KiB was the fastest step for 300 bytes, 20 KB and 4 MiB.
const STEP_BYTES = 2 ** 16;
// kopia writes one frame. A call costs 20 us, which bounds what a stream of tiny frames can cost.
const FRAMES_MAX = 1024;

interface StepOptions {
  readonly chunkSize: number;
  readonly maxOutputLength: number;
  readonly info: true;
}

/** What node:zlib returns under `info: true`; its types do not say so. */
interface Outcome {
  readonly buffer: Buffer;
  /** bytesWritten counts the input that was used. */
  readonly engine: { readonly bytesWritten: number };
}

type Decode = (stream: Uint8Array, options: StepOptions) => unknown;

export function decodeGzip(stream: Uint8Array, limitBytes: number): Uint8Array {
  return decodeWhole('gzip', gunzipSync, stream, limitBytes);
}

export function decodeDeflate(stream: Uint8Array, limitBytes: number): Uint8Array {
  return decodeWhole('deflate', inflateRawSync, stream, limitBytes);
}

/** Any number of frames, also none, skippable ones among them. */
export function decodeZstd(stream: Uint8Array, limitBytes: number): Uint8Array {
  const pieces: Buffer[] = [];
  let at = 0;
  let decodedBytes = 0;
  for (let frame = 0; at < stream.length; frame++) {
    if (frame === FRAMES_MAX) throw damagedStream('zstd', `it has more than ${FRAMES_MAX} frames`);
    const rest = stream.subarray(at);
    const outcome = decodeStep('zstd', zstdDecompressSync, rest, limitBytes - decodedBytes);
    pieces.push(outcome.buffer);
    at += outcome.engine.bytesWritten;
    decodedBytes += outcome.buffer.length;
  }
  return pieces.length === 1 ? ownBytes(pieces[0]) : ownBytes(Buffer.concat(pieces));
}

function decodeWhole(
  family: CompressionFamily,
  decode: Decode,
  stream: Uint8Array,
  limitBytes: number,
): Uint8Array {
  const outcome = decodeStep(family, decode, stream, limitBytes);
  const restBytes = stream.length - outcome.engine.bytesWritten;
  if (restBytes > 0) throw damagedStream(family, `${restBytes} bytes follow its end`);
  return ownBytes(outcome.buffer);
}

function decodeStep(
  family: CompressionFamily,
  decode: Decode,
  stream: Uint8Array,
  limitBytes: number,
): Outcome {
  // node:zlib allows no limit of 0.
  const maxOutputLength = Math.max(1, limitBytes);
  let outcome: Outcome;
  try {
    // The cast is explained at Outcome.
    outcome = decode(stream, { chunkSize: STEP_BYTES, maxOutputLength, info: true }) as Outcome;
  } catch (error) {
    throw translated(family, error, limitBytes);
  }
  if (outcome.buffer.length > limitBytes) throw overLimit(family, limitBytes);
  if (outcome.engine.bytesWritten === 0) throw damagedStream(family, 'it has no content');
  return outcome;
}

function translated(family: CompressionFamily, error: unknown, limitBytes: number): EngineError {
  const code = systemCodeOf(error) ?? '';
  if (code === 'ERR_BUFFER_TOO_LARGE') return overLimit(family, limitBytes);
  const isMemory = /MEM/i.test(code);
  if (/^(Z_|ZSTD_)/.test(code) && !isMemory) {
    return damagedStream(family, `${messageOf(error)} (${code})`, error);
  }
  return new EngineError(
    'INTERNAL',
    `decompressing a ${family} stream failed in node:zlib: ${messageOf(error)}; free memory if ` +
      'there is little, otherwise report this as a bug',
    { cause: error },
  );
}

/** The same bytes in an ArrayBuffer that nobody else uses and that is not larger. */
function ownBytes(buffer: Buffer): Uint8Array {
  if (buffer.length === buffer.buffer.byteLength) return new Uint8Array(buffer.buffer);
  const own = new Uint8Array(buffer.length);
  own.set(buffer);
  return own;
}

// zstd through the library inside the Node binary, from memory to memory. node:zlib makes a context
// and a buffer for each call and leaves them to the garbage collector: a thousand directories of
// 20 KiB raised the resident memory by 48 MiB, and here by nothing.

import { allocateArena, type Arena } from '#engine/base/arena.ts';
import { NativeResources } from '#engine/base/native-resources.ts';
import { nativeFunction, type NativeFunction } from '#engine/base/native.ts';
import { equalBytes } from '#engine/base/bytes.ts';
import { decodeZstd } from './zlib-streams.ts';

// ZSTD_cParameter of zstd.h.
const COMPRESSION_LEVEL = 100;
const CONTENT_SIZE_FLAG = 200;
const CHECKSUM_FLAG = 201;

/**
 * Compresses input.bytes[inputOffset, + inputBytes) to output.bytes[outputOffset…] and returns how
 * many bytes that took, or 0 when more than `outputBytesMax` would be needed.
 */
export type NativeZstd = (
  input: Arena,
  inputOffset: number,
  inputBytes: number,
  output: Arena,
  outputOffset: number,
  outputBytesMax: number,
) => number;

/**
 * One encoder for each level and thread; contexts live as long as the thread, which frees them when
 * it ends.
 */
const encoders = new Map<number, NativeZstd | undefined>();

/** The encoder of a level, or undefined where native code cannot be had or fails its self-test. */
export function nativeZstd(level: number): NativeZstd | undefined {
  if (!encoders.has(level)) encoders.set(level, openEncoder(level));
  return encoders.get(level);
}

function openEncoder(level: number): NativeZstd | undefined {
  const create = nativeFunction('uintptr_t ZSTD_createCCtx(void)');
  const free = nativeFunction('size_t ZSTD_freeCCtx(uintptr_t c)');
  const set = nativeFunction('int64_t ZSTD_CCtx_setParameter(uintptr_t c, int name, int value)');
  // Errors are small negative numbers in a size_t; as int64_t they show their sign.
  const compress = nativeFunction(
    'int64_t ZSTD_compress2(uintptr_t c, uintptr_t to, size_t toMax, uintptr_t from, size_t n)',
  );
  if (!create || !set || !compress) return undefined;
  const context = create();
  if (context === 0) return undefined;
  const settings = [
    [COMPRESSION_LEVEL, level],
    [CONTENT_SIZE_FLAG, 1],
    [CHECKSUM_FLAG, 1],
  ];
  if (settings.some(([name, value]) => set(context, name, value) < 0)) return undefined;
  const encoder: NativeZstd = (input, inputOffset, inputBytes, output, outputOffset, max) => {
    const from = input.address + inputOffset;
    const written = compress(context, output.address + outputOffset, max, from, inputBytes);
    return Math.max(0, written);
  };
  if (free) contexts.keep(encoder, { address: context, free });
  return isSound(encoder) ? encoder : undefined;
}

/**
 * Decompresses input.bytes[inputOffset, + inputBytes) to the beginning of output, which holds at
 * least `outputBytes`; false when that is not what comes out, for whatever reason.
 */
export type NativeUnzstd = (
  input: Arena,
  inputOffset: number,
  inputBytes: number,
  output: Arena,
  outputBytes: number,
) => boolean;

let decoder: NativeUnzstd | undefined;
let isDecoderKnown = false;

/** The decoder of this thread, or undefined where native code cannot be had. */
export function nativeUnzstd(): NativeUnzstd | undefined {
  if (!isDecoderKnown) decoder = openDecoder();
  isDecoderKnown = true;
  return decoder;
}

function openDecoder(): NativeUnzstd | undefined {
  const create = nativeFunction('uintptr_t ZSTD_createDCtx(void)');
  const free = nativeFunction('size_t ZSTD_freeDCtx(uintptr_t d)');
  const decompress = nativeFunction(
    'int64_t ZSTD_decompressDCtx(uintptr_t d, uintptr_t to, size_t max, uintptr_t from, size_t n)',
  );
  const context = create && decompress ? create() : 0;
  if (!decompress || context === 0) return undefined;
  const decode: NativeUnzstd = (input, inputOffset, inputBytes, output, outputBytes) => {
    const from = input.address + inputOffset;
    const got = decompress(context, output.address, outputBytes, from, inputBytes);
    return got === outputBytes;
  };
  if (free) contexts.keep(decode, { address: context, free });
  return decode;
}

const contexts = new NativeResources<{ address: number; free: NativeFunction }>(
  ({ address, free }) => void free(address),
);

function isSound(encoder: NativeZstd): boolean {
  const sample = allocateArena(4096);
  for (let i = 0; i < sample.bytes.length; i++) sample.bytes[i] = (i % 61) + (i >> 9);
  const packed = allocateArena(sample.bytes.length);
  const length = encoder(sample, 5, 4000, packed, 3, 4000);
  if (length === 0 || encoder(sample, 5, 4000, packed, 3, 8) !== 0) return false;
  encoder(sample, 5, 4000, packed, 3, 4000);
  const unpacked = decodeZstd(packed.bytes.subarray(3, 3 + length), 4000);
  return equalBytes(unpacked, sample.bytes.subarray(5, 4005));
}

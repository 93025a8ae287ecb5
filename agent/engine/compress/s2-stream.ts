// The framing of S2 and Snappy streams (google/snappy framing_format.txt, klauspost/compress
// s2/README.md): chunks of a type byte, a 24-bit length and a body. Data chunks say how long they
// are when decoded, so that the output is allocated once.

import { crc32c } from './crc32c.ts';
import { decodeS2Block } from './s2-block.ts';
import { damagedStream, overLimit } from './stream-errors.ts';

const CHUNK_COMPRESSED = 0x00;
const CHUNK_PLAIN = 0x01;
const CHUNK_SKIPPABLE_MIN = 0x80;
const CHUNK_IDENTIFIER = 0xff;
const CHUNK_HEADER_BYTES = 4;
const CHECKSUM_BYTES = 4;
const BLOCK_BYTES_MAX = 4 * 2 ** 20;
const SNAPPY_BLOCK_BYTES_MAX = 2 ** 16;

interface DataChunk {
  readonly isCompressed: boolean;
  readonly checksum: number;
  /** The elements of a compressed chunk, the bytes of a plain one: stream[start, end). */
  readonly start: number;
  readonly end: number;
  readonly decodedBytes: number;
}

/**
 * The bytes of a whole stream; an empty one has none.
 * @throws CONTENT_DAMAGED
 * @throws LIMIT_EXCEEDED
 */
export function decodeS2Stream(stream: Uint8Array, limitBytes: number): Uint8Array {
  let totalBytes = 0;
  for (const { decodedBytes } of dataChunksOf(stream)) {
    totalBytes += decodedBytes;
    if (totalBytes > limitBytes) throw overLimit('s2', limitBytes);
  }
  const decoded = new Uint8Array(totalBytes);
  let at = 0;
  for (const chunk of dataChunksOf(stream)) {
    decodeChunk(stream, chunk, decoded, at);
    at += chunk.decodedBytes;
  }
  return decoded;
}

function decodeChunk(stream: Uint8Array, chunk: DataChunk, out: Uint8Array, at: number): void {
  const { start, end } = chunk;
  const outEnd = at + chunk.decodedBytes;
  if (chunk.isCompressed) decodeS2Block({ source: stream, start, end }, out, at, outEnd);
  else out.set(stream.subarray(start, end), at);
  if (maskedCrc(out, at, outEnd) !== chunk.checksum) {
    throw damagedStream('s2', 'the checksum of a chunk does not match');
  }
}

/** The data chunks in order; all others are checked as far as they mean something. */
function* dataChunksOf(stream: Uint8Array): Generator<DataChunk> {
  let blockBytesMax = 0;
  let at = 0;
  while (at < stream.length) {
    const start = at + CHUNK_HEADER_BYTES;
    if (start > stream.length) throw damagedStream('s2', 'it ends within the head of a chunk');
    const type = stream[at];
    const end = start + (stream[at + 1] | (stream[at + 2] << 8) | (stream[at + 3] << 16));
    if (end > stream.length) throw damagedStream('s2', 'it ends within a chunk');
    if (type === CHUNK_IDENTIFIER) blockBytesMax = blockBytesMaxOf(stream.subarray(start, end));
    if (blockBytesMax === 0) throw damagedStream('s2', 'it does not begin with its identifier');
    if (type === CHUNK_COMPRESSED || type === CHUNK_PLAIN) {
      const chunk = dataChunk(stream, type, start, end);
      if (chunk.decodedBytes > blockBytesMax) throw damagedStream('s2', 'a chunk is too large');
      yield chunk;
    } else if (type < CHUNK_SKIPPABLE_MIN) {
      throw damagedStream('s2', `it has a chunk of the reserved type ${type}`);
    }
    at = end;
  }
}

function blockBytesMaxOf(identifier: Uint8Array): number {
  const text = Buffer.from(identifier).toString('latin1');
  if (text === 'S2sTwO') return BLOCK_BYTES_MAX;
  if (text === 'sNaPpY') return SNAPPY_BLOCK_BYTES_MAX;
  throw damagedStream('s2', 'its identifier is another');
}

function dataChunk(stream: Uint8Array, type: number, start: number, end: number): DataChunk {
  const body = start + CHECKSUM_BYTES;
  if (body > end) throw damagedStream('s2', 'a chunk is shorter than its checksum');
  const checksum =
    (stream[start] |
      (stream[start + 1] << 8) |
      (stream[start + 2] << 16) |
      (stream[start + 3] << 24)) >>>
    0;
  if (type === CHUNK_PLAIN) {
    return { isCompressed: false, checksum, start: body, end, decodedBytes: end - body };
  }
  const { value, next } = readLength(stream, body, end);
  return { isCompressed: true, checksum, start: next, end, decodedBytes: value };
}

/** An unsigned varint of at most five bytes and 32 bits. */
function readLength(
  stream: Uint8Array,
  start: number,
  end: number,
): { value: number; next: number } {
  let value = 0;
  for (let i = 0; i < 5 && start + i < end; i++) {
    const byte = stream[start + i];
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80 && value < 2 ** 32) return { value, next: start + i + 1 };
  }
  throw damagedStream('s2', 'the length of a block cannot be read');
}

/** framing_format.txt section 3: turned and moved, as a CRC of what holds CRCs is a poor one. */
function maskedCrc(bytes: Uint8Array, start: number, end: number): number {
  const crc = crc32c(bytes, start, end);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

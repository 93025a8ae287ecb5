// The head of an LZ4 frame (lz4 doc/lz4_Frame_format.md, "Frame Descriptor").

import { damagedStream } from './stream-errors.ts';
import { xxhash32 } from './xxhash32.ts';

export interface Lz4Header {
  readonly isIndependent: boolean;
  readonly hasBlockChecksums: boolean;
  readonly hasContentChecksum: boolean;
  readonly contentBytes: bigint | undefined;
  readonly blockBytesMax: number;
  /** Where the first block begins. */
  readonly end: number;
}

const VERSION = 1;
const FLAG_INDEPENDENT = 0x20;
const FLAG_BLOCK_CHECKSUM = 0x10;
const FLAG_CONTENT_SIZE = 0x08;
const FLAG_CONTENT_CHECKSUM = 0x04;
const FLAG_RESERVED = 0x02;
const FLAG_DICTIONARY = 0x01;

/**
 * Reads the descriptor that begins at `start`, behind the magic number.
 * @throws CONTENT_DAMAGED
 */
export function readLz4Header(view: DataView, start: number): Lz4Header {
  if (start + 2 > view.byteLength) throw damagedStream('lz4', 'it ends within the head of a frame');
  const flags = view.getUint8(start);
  if (flags >>> 6 !== VERSION || flags & FLAG_RESERVED) {
    throw damagedStream('lz4', 'a frame is of an unknown version');
  }
  // kopia never writes with a dictionary, and where it would lie is not said anywhere.
  if (flags & FLAG_DICTIONARY) throw damagedStream('lz4', 'a frame asks for a dictionary');
  const checksumAt = start + 2 + (flags & FLAG_CONTENT_SIZE ? 8 : 0);
  if (checksumAt >= view.byteLength) {
    throw damagedStream('lz4', 'it ends within the head of a frame');
  }
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const checksum = (xxhash32(bytes, start, checksumAt) >>> 8) & 0xff;
  if (checksum !== view.getUint8(checksumAt)) {
    throw damagedStream('lz4', 'the checksum of a frame head does not match');
  }
  return {
    isIndependent: (flags & FLAG_INDEPENDENT) !== 0,
    hasBlockChecksums: (flags & FLAG_BLOCK_CHECKSUM) !== 0,
    hasContentChecksum: (flags & FLAG_CONTENT_CHECKSUM) !== 0,
    contentBytes: flags & FLAG_CONTENT_SIZE ? view.getBigUint64(start + 2, true) : undefined,
    blockBytesMax: blockBytesMaxOf(view.getUint8(start + 1)),
    end: checksumAt + 1,
  };
}

/** 4 to 7 stand for 64 KiB, 256 KiB, 1 MiB and 4 MiB. */
function blockBytesMaxOf(descriptor: number): number {
  const code = descriptor >>> 4;
  if (descriptor & 0x0f || code < 4 || code > 7) {
    throw damagedStream('lz4', 'a frame has an unknown block size');
  }
  return 2 ** (8 + 2 * code);
}

// LZ4 frames (lz4 doc/lz4_Frame_format.md). kopia wrote them until 0.22; readers of old
// repositories meet them. Any number of frames, skippable ones among them.

import { GrowingBytes } from './growing-bytes.ts';
import { decodeLz4Block } from './lz4-block.ts';
import { readLz4Header, type Lz4Header } from './lz4-header.ts';
import { damagedStream, overLimit } from './stream-errors.ts';
import { xxhash32 } from './xxhash32.ts';

const MAGIC = 0x184d2204;
/** Skippable frames have sixteen magic numbers. */
const MAGIC_SKIPPABLE = 0x184d2a50;
const BLOCK_IS_PLAIN = 0x80000000;
/** A byte of a compressed block stands for at most so many bytes. */
const EXPANSION_MAX = 255;

/**
 * The bytes of a whole stream; an empty one has none.
 * @throws CONTENT_DAMAGED
 * @throws LIMIT_EXCEEDED
 */
export function decodeLz4Frames(stream: Uint8Array, limitBytes: number): Uint8Array {
  const reader = new Lz4Reader(stream, limitBytes);
  reader.run();
  return reader.out.take();
}

class Lz4Reader {
  readonly out = new GrowingBytes();
  readonly #stream: Uint8Array;
  readonly #view: DataView;
  readonly #limitBytes: number;
  #at = 0;

  constructor(stream: Uint8Array, limitBytes: number) {
    this.#stream = stream;
    this.#view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
    this.#limitBytes = limitBytes;
  }

  run(): void {
    while (this.#at < this.#stream.length) {
      const magic = this.#word();
      if ((magic & 0xfffffff0) >>> 0 === MAGIC_SKIPPABLE) this.#skip(this.#word());
      else if (magic === MAGIC) this.#frame();
      else throw damagedStream('lz4', 'a frame does not begin with its magic number');
    }
  }

  #frame(): void {
    const header = readLz4Header(this.#view, this.#at);
    this.#at = header.end;
    const start = this.out.length;
    if (header.contentBytes !== undefined && header.contentBytes > this.#limitBytes - start) {
      throw overLimit('lz4', this.#limitBytes);
    }
    for (let size = this.#word(); size !== 0; size = this.#word()) {
      this.#block(header, start, size);
    }
    if (
      header.contentBytes !== undefined &&
      Number(header.contentBytes) !== this.out.length - start
    ) {
      throw damagedStream('lz4', 'a frame holds other than the number of bytes that it says');
    }
    if (header.hasContentChecksum) this.#verify(this.out.bytes, start, this.out.length, 'frame');
  }

  #block(header: Lz4Header, frameStart: number, size: number): void {
    const isPlain = size >= BLOCK_IS_PLAIN;
    const storedBytes = isPlain ? size - BLOCK_IS_PLAIN : size;
    const start = this.#at;
    if (storedBytes > header.blockBytesMax) throw damagedStream('lz4', 'a block is too large');
    this.#skip(storedBytes);
    if (header.hasBlockChecksums) this.#verify(this.#stream, start, start + storedBytes, 'block');
    const { out } = this;
    if (isPlain) {
      out.reserve(storedBytes);
      out.bytes.set(this.#stream.subarray(start, start + storedBytes), out.length);
      out.length += storedBytes;
    } else {
      const roomBytes = Math.min(header.blockBytesMax, EXPANSION_MAX * storedBytes);
      out.reserve(roomBytes);
      const target = {
        bytes: out.bytes,
        floor: header.isIndependent ? out.length : frameStart,
        ceiling: out.length + roomBytes,
      };
      out.length = decodeLz4Block(this.#stream, start, start + storedBytes, target, out.length);
    }
    // Checked behind the block, so the output may be ahead of the limit by one block, 4 MiB.
    if (out.length > this.#limitBytes) throw overLimit('lz4', this.#limitBytes);
  }

  #verify(bytes: Uint8Array, start: number, end: number, what: string): void {
    if (xxhash32(bytes, start, end) !== this.#word()) {
      throw damagedStream('lz4', `the checksum of a ${what} does not match`);
    }
  }

  #word(): number {
    const start = this.#at;
    this.#skip(4);
    return this.#view.getUint32(start, true);
  }

  #skip(byteCount: number): void {
    if (byteCount > this.#stream.length - this.#at) throw damagedStream('lz4', 'it is cut');
    this.#at += byteCount;
  }
}

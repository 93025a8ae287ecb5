// Small things to do with bytes that more than one folder needs.

/** Bytewise order; a prefix comes before what it is a prefix of. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

/** Lower-case hexadecimal text. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** The bytes that hexadecimal `text` stands for, or undefined when it is not hexadecimal. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined;
  return new Uint8Array(Buffer.from(text, 'hex'));
}

/** A Buffer over the same memory; nothing is copied. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Shorter typed arrays may lie on V8's own heap, which moves them (arena.ts). */
const OWN_BUFFER_BYTES_MIN = 4096;

/**
 * Memory in an ArrayBuffer of its own for a caller that fills all of it: not zeroed, which for 8
 * MiB takes as long as a third of reading them. No Buffer, whose slice() does not copy.
 */
export function unfilledBytes(length: number): Uint8Array<ArrayBuffer> {
  if (length < OWN_BUFFER_BYTES_MIN) return new Uint8Array(new ArrayBuffer(length));
  return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
}

/** The number of bytes in several pieces. */
export function totalBytes(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}

const ZEROS = Buffer.alloc(1 << 20);

/** Whether bytes are all zero. memcmp(3) ends at the first that is not, so data costs nothing. */
export function isZeros(bytes: Uint8Array, offset: number, length: number): boolean {
  for (let done = 0; done < length; done += ZEROS.length) {
    const part = Math.min(ZEROS.length, length - done);
    const some = Buffer.from(bytes.buffer, bytes.byteOffset + offset + done, part);
    if (ZEROS.compare(some, 0, part, 0, part) !== 0) return false;
  }
  return true;
}

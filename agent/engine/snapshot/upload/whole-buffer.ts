// Which memory of a message moves to the other thread.

/** Less is copied faster than it is moved. */
const MOVED_BYTES_MIN = 4096;

/** Memory that is all of one part of a message and need not be copied. */
export function wholeBuffer(part: Uint8Array | Uint32Array | undefined): ArrayBuffer[] {
  if (part === undefined || !(part.buffer instanceof ArrayBuffer)) return [];
  const isWhole = part.byteLength === part.buffer.byteLength && part.byteLength > 0;
  return isWhole && part.byteLength >= MOVED_BYTES_MIN ? [part.buffer] : [];
}

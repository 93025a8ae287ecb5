// Memory of large buffers, given back when they are done with. The collector looks at what lies
// outside its heap only now and then, and a few index files can be all that there is room for.

/** Frees the bytes of `buffer`, which is empty and detached afterwards, as are all views of it. */
export function releaseBuffer(buffer: ArrayBufferLike): void {
  if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}

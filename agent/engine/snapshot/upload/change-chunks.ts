// The contents of what is known beside a snapshot. The longest is what a thread keeps memory for.

export const CHANGES_CHUNK_BYTES_MAX = 512 * 1024;

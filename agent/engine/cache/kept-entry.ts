// What is known of an entry when its bytes are in place, and what it is worth to its segment.

import type { BlobKey } from './blob-key.ts';
import type { Check } from './checksum.ts';

export interface KeptEntry {
  readonly key: Pick<BlobKey, 'a' | 'b'>;
  readonly offset: number;
  readonly length: number;
  readonly check: Check;
  readonly repository: number;
  readonly kind: number;
  readonly isLast: boolean;
}

/** What a byte of index or metadata is worth in bytes of data, when a segment has to go. */
const UPPER_KIND_VALUE = 4;

/** In bytes of data. */
export function valueOf(kind: number, bytes: number): number {
  return kind === 0 ? bytes : bytes * UPPER_KIND_VALUE;
}

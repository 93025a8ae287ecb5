// Names of any length as label values, as Velero writes them.

import { createHash } from 'node:crypto';

const LABEL_BYTES_MAX = 63;
const HASH_DIGITS = 6;

/**
 * `name` itself up to 63 characters; else its first 57 and six hex digits of its SHA-256 (Velero
 * pkg/label/label.go GetValidName). Names of Kubernetes objects are ASCII, so bytes are characters.
 */
export function labelValue(name: string): string {
  if (name.length <= LABEL_BYTES_MAX) return name;
  const hash = createHash('sha256').update(name).digest('hex');
  return name.slice(0, LABEL_BYTES_MAX - HASH_DIGITS) + hash.slice(0, HASH_DIGITS);
}

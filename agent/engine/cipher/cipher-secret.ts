// The secret from which the key of each content is derived.

import { hkdfSync } from 'node:crypto';
import { SECRET_BYTES } from './cipher-checks.ts';

/**
 * The repository's 32-byte content secret. The purpose stands where HKDF has its salt, and the info
 * is empty (kopia repo/encryption/encryption.go, kopia-format.md 3.2).
 */
export function deriveCipherSecret(masterKey: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', masterKey, 'encryption', '', SECRET_BYTES));
}

// The table of the two ciphers that a kopia repository can name (kopia repo/encryption,
// kopia-format.md 3.2), and the one door through which the rest of the engine gets one.

import { createCipheriv, createDecipheriv } from 'node:crypto';
import { EngineError } from '#engine/base/errors.ts';
import { SECRET_BYTES } from './cipher-checks.ts';
import { TAG_BYTES, type CipherAlgorithm, type ContentCipher } from './content-cipher.ts';
import { createNativeCipher } from './native-cipher.ts';
import { createNodeCipher, type NodeCipherSpec } from './node-cipher.ts';
import { passesSelfTest } from './self-test.ts';

interface CipherRow extends NodeCipherSpec {
  /** OpenSSL's name of the cipher. */
  readonly cipher: string;
  readonly sealedHello: string;
}

const TAG = Object.freeze({ authTagLength: TAG_BYTES });

const ROWS: readonly CipherRow[] = [
  {
    name: 'AES256-GCM-HMAC-SHA256',
    cipher: 'AES-256-GCM',
    encipher: (key, nonce) => createCipheriv('aes-256-gcm', key, nonce, TAG),
    decipher: (key, nonce) => createDecipheriv('aes-256-gcm', key, nonce, TAG),
    sealedHello: '7f747eedfba29ebcc3da89ca36d2b2f24a85e2738540ce6bc01a81889d7934e9f9',
  },
  {
    name: 'CHACHA20-POLY1305-HMAC-SHA256',
    cipher: 'ChaCha20-Poly1305',
    encipher: (key, nonce) => createCipheriv('chacha20-poly1305', key, nonce, TAG),
    decipher: (key, nonce) => createDecipheriv('chacha20-poly1305', key, nonce, TAG),
    sealedHello: 'fe39d44aff6beaf3fb030ea6fd4bac686c4ccbecd0b82239f3fa580d09ccf938d3',
  },
];

function cipherAlgorithm(row: CipherRow): CipherAlgorithm {
  const { name, sealedHello } = row;
  const createNative = (secret: Uint8Array) => createNativeCipher(row, secret);
  const createPortable = (secret: Uint8Array) => createNodeCipher(row, secret);
  return Object.freeze({
    name,
    portable: createPortable,
    native: (secret: Uint8Array) =>
      passesSelfTest({ name, sealedHello, createNative, createPortable })
        ? createNative(secret)
        : undefined,
  });
}

/** By the name that stands in the repository's format. */
export const CIPHERS: Readonly<Record<string, CipherAlgorithm>> = Object.freeze(
  Object.fromEntries(ROWS.map(row => [row.name, cipherAlgorithm(row)])),
);

export interface CreateCipherOptions {
  /** Whether native code may be used where it can be had; true by default. */
  readonly native?: boolean;
}

/**
 * The fastest form of the cipher that can be had here. `secret` is what deriveCipherSecret gives,
 * and is copied.
 * @throws ALGORITHM_UNKNOWN
 */
export function createCipher(
  name: string,
  secret: Uint8Array,
  options: CreateCipherOptions = {},
): ContentCipher {
  const algorithm = Object.hasOwn(CIPHERS, name) ? CIPHERS[name] : undefined;
  if (algorithm === undefined) {
    throw new EngineError(
      'ALGORITHM_UNKNOWN',
      `the repository uses encryption "${name}", which is not known here; known are ` +
        `${Object.keys(CIPHERS).join(', ')}; a newer version of this program may know it`,
      { details: { family: 'cipher', name } },
    );
  }
  if (secret.length !== SECRET_BYTES) {
    throw new EngineError(
      'INTERNAL',
      `cipher ${name} was given a secret of ${secret.length} bytes instead of ${SECRET_BYTES}; ` +
        'report this as a bug',
    );
  }
  const native = options.native === false ? undefined : algorithm.native?.(secret);
  return native ?? algorithm.portable(secret);
}

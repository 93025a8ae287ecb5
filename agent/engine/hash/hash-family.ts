// How a family's rows come about: kopia has each hash in a long and in a truncated form.

import type { ContentHash, HashAlgorithm } from './content-hash.ts';
import { assertSecret, isSecretWithin, type SecretLimits } from './hash-secret.ts';
import { createNativeHash, type NativeHashSpec } from './native-hash.ts';
import { passesSelfTest, type SelfTestVectors } from './self-test.ts';

export interface HashRow extends NativeHashSpec {
  readonly limits: SecretLimits;
  readonly vectors: SelfTestVectors;
  /** The plain form; the secret has been checked. */
  readonly createPortable: (secret: Uint8Array) => ContentHash;
}

/** A hash with a portable form and one by OpenSSL. */
export function hashAlgorithm(row: HashRow): HashAlgorithm {
  const { name, digestBytes } = row;
  const vectors = {
    hello: row.vectors.hello.slice(0, 2 * digestBytes),
    pattern: row.vectors.pattern.slice(0, 2 * digestBytes),
  };
  return Object.freeze({
    name,
    digestBytes,
    portable: (secret: Uint8Array) => {
      assertSecret(name, secret, row.limits);
      return row.createPortable(secret);
    },
    native: (secret: Uint8Array) => {
      // OpenSSL has no MAC without a key; the portable form has.
      if (secret.length === 0 || !isSecretWithin(secret, row.limits)) return undefined;
      const create = (key: Uint8Array) => createNativeHash(row, key);
      return passesSelfTest(name, vectors, create) ? create(secret) : undefined;
    },
  });
}

// How long a secret each family can take (kopia-format.md 3.1). A repository whose format asks for
// more cannot have been written by kopia, whose hash constructors refuse it.

import { EngineError } from '#engine/base/errors.ts';

export interface SecretLimits {
  readonly bytesMin: number;
  readonly bytesMax: number;
}

export function isSecretWithin(secret: Uint8Array, limits: SecretLimits): boolean {
  return secret.length >= limits.bytesMin && secret.length <= limits.bytesMax;
}

/** @throws REPOSITORY_FORMAT_INVALID when the hash cannot be keyed with a secret of this length */
export function assertSecret(name: string, secret: Uint8Array, limits: SecretLimits): void {
  if (isSecretWithin(secret, limits)) return;
  throw new EngineError(
    'REPOSITORY_FORMAT_INVALID',
    `hash ${name} cannot be keyed with a secret of ${secret.length} bytes, it takes ` +
      `${limits.bytesMin} to ${limits.bytesMax}; the repository's format is damaged`,
    { details: { name, secretBytes: secret.length, ...limits } },
  );
}

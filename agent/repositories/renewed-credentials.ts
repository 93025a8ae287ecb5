// Credentials that are looked up again while they are used: a key that was rotated is used within
// seconds by whatever is running, where stock reads it once (velero#8173, #8454, #9949). When the
// look fails, such as without an API server, the last ones go on.

import type { Clock } from '#engine/base/clock.ts';
import type { S3Credentials, S3CredentialsSource } from '#engine/index.ts';

/** How old credentials may be that a request is signed with. */
export const CREDENTIALS_AGE_MS_MAX = 15_000;

export interface RenewalParts {
  readonly clock: Clock;
  readonly read: () => Promise<S3Credentials>;
  /** Told when a look has failed and the last credentials are used instead. */
  readonly onFailure: (error: unknown) => void;
}

/** The first answer fails with what `read` throws; later ones do not fail. */
export function renewedCredentials(parts: RenewalParts): S3CredentialsSource {
  const { clock, read, onFailure } = parts;
  let last: { readonly credentials: S3Credentials; readonly atMs: number } | undefined;
  let reading: Promise<S3Credentials> | undefined;
  const renew = async (): Promise<S3Credentials> => {
    const atMs = clock.monotonic();
    try {
      last = { credentials: await read(), atMs };
    } catch (error) {
      if (last === undefined) throw error;
      onFailure(error);
      last = { ...last, atMs };
    }
    return last.credentials;
  };
  return async () => {
    if (last && clock.monotonic() - last.atMs < CREDENTIALS_AGE_MS_MAX) return last.credentials;
    reading ??= renew().finally(() => void (reading = undefined));
    return await reading;
  };
}

// Credentials that are looked up again while they are used: a key that was rotated is used within
// seconds by whatever is running, where stock reads it once (velero#8173, #8454, #9949). When the
// look fails, such as without an API server, the last ones go on.

import { abortable } from '#engine/base/abort.ts';
import type { Clock } from '#engine/base/clock.ts';
import { deadline } from '#engine/base/deadline.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { S3Credentials, S3CredentialsSource } from '#engine/index.ts';

/** How old credentials may be that a request is signed with. */
export const CREDENTIALS_AGE_MS_MAX = 15_000;

/**
 * How long requests wait for a look when there are credentials already. Whoever looks may be more
 * patient, since a repository that is being opened has to have some.
 */
export const RENEWAL_MS_MAX = 3000;

export interface RenewalParts {
  readonly clock: Clock;
  /** Without a signal for the first ones. */
  readonly read: (signal?: AbortSignal) => Promise<S3Credentials>;
  /** Told when a look has failed and the last credentials are used instead. */
  readonly onFailure: (error: unknown) => void;
}

/** The first answer fails with what `read` throws; later ones do not fail. */
export function renewedCredentials(parts: RenewalParts): S3CredentialsSource {
  const { clock, read, onFailure } = parts;
  let last: { readonly credentials: S3Credentials; readonly atMs: number } | undefined;
  let reading: Promise<S3Credentials> | undefined;
  const renew = async (): Promise<S3Credentials> => {
    let credentials: S3Credentials;
    try {
      credentials = last === undefined ? await read() : await inTime(clock, read);
    } catch (error) {
      if (last === undefined) throw error;
      onFailure(error);
      ({ credentials } = last);
    }
    // From now on: a look that took long is not followed by another at once.
    last = { credentials, atMs: clock.monotonic() };
    return credentials;
  };
  return async () => {
    if (last && clock.monotonic() - last.atMs < CREDENTIALS_AGE_MS_MAX) return last.credentials;
    reading ??= renew().finally(() => void (reading = undefined));
    return await reading;
  };
}

/** @throws KUBE_UNAVAILABLE when it takes too long, and what `read` throws */
async function inTime(clock: Clock, read: RenewalParts['read']): Promise<S3Credentials> {
  const tooLate = new EngineError(
    'KUBE_UNAVAILABLE',
    `cannot look up the keys of the storage location: no answer within ${RENEWAL_MS_MAX / 1000} s`,
    { retryable: true },
  );
  using late = deadline(clock, RENEWAL_MS_MAX, tooLate);
  return await abortable(read(late.signal), late.signal);
}

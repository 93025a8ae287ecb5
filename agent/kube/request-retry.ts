// Whether a request is sent again, and after how long. Pure, so that a table can test it.
//
// What the server did not begin may always be sent again; what it may have done only where doing it
// twice is the same. client-go tries again on 429 and on 5xx with Retry-After (rest/with_retry.go).

import { EngineError } from '#engine/base/errors.ts';

export interface RequestRetryPolicy {
  readonly attemptsMax: number;
  readonly firstDelayMs: number;
  readonly delayMsMax: number;
  /** A longer wish of the server is cut to this. */
  readonly retryAfterMsMax: number;
}

export const REQUEST_RETRY_POLICY: RequestRetryPolicy = Object.freeze({
  attemptsMax: 4,
  firstDelayMs: 100,
  delayMsMax: 5_000,
  retryAfterMsMax: 30_000,
});

export interface FailedRequest {
  readonly error: unknown;
  /** 1 for the first. */
  readonly attempt: number;
  readonly isIdempotent: boolean;
  /** 0 <= random < 1 */
  readonly random: number;
}

/** Milliseconds until the next attempt; undefined when there is to be none. */
export function requestRetryMs(
  policy: RequestRetryPolicy,
  { error, attempt, isIdempotent, random }: FailedRequest,
): number | undefined {
  if (!(error instanceof EngineError) || !error.retryable) return undefined;
  if (attempt >= policy.attemptsMax || error.code === 'KUBE_CONFLICT') return undefined;
  if (!isIdempotent && !isUntouched(error)) return undefined;
  const full = Math.min(policy.delayMsMax, policy.firstDelayMs * 2 ** (attempt - 1));
  const asked = error.details.retryAfterMs;
  const askedMs = typeof asked === 'number' ? Math.min(asked, policy.retryAfterMsMax) : 0;
  // The random part comes on top of what the server asks for: it asks everybody the same.
  return askedMs + full / 2 + (full / 2) * random;
}

/** The server says, or the network shows, that nothing was begun. */
function isUntouched({ code, details }: EngineError): boolean {
  if (code === 'KUBE_THROTTLED' || details.wasSent === false) return true;
  return (
    code === 'KUBE_UNAVAILABLE' && details.status === 503 && details.retryAfterMs !== undefined
  );
}

// How long to wait before trying again, and whether to. Pure, so that a table can test it.
// kopia: up to 10 attempts, 100 ms growing to 32 s (internal/retry/retry.go); ours doubles and
// takes a random half of each delay, so that a thousand agents do not come back at once.

import { backOffMs, type BackOffPolicy } from '#engine/base/back-off.ts';
import { EngineError } from '#engine/base/errors.ts';

export interface RetryPolicy extends BackOffPolicy {
  readonly attemptsMax: number;
  /** What a server may ask for with Retry-After; a longer wish is cut to this. */
  readonly retryAfterMsMax: number;
  /** From the first attempt; a delay that would end later is not begun. */
  readonly totalMsMax: number;
}

export const RETRY_POLICY: RetryPolicy = Object.freeze({
  attemptsMax: 10,
  firstDelayMs: 100,
  delayMsMax: 20_000,
  retryAfterMsMax: 60_000,
  totalMsMax: 15 * 60_000,
});

export interface FailedAttempt {
  readonly error: unknown;
  /** 1 for the first. */
  readonly attempt: number;
  /** Since the first attempt began. */
  readonly elapsedMs: number;
  /** 0 <= random < 1 */
  readonly random: number;
}

/** Milliseconds to wait before the next attempt; undefined when there is to be none. */
export function retryDelayMs(policy: RetryPolicy, failed: FailedAttempt): number | undefined {
  const { error, attempt, elapsedMs, random } = failed;
  if (!(error instanceof EngineError) || !error.retryable) return undefined;
  if (attempt >= policy.attemptsMax) return undefined;
  const jittered = backOffMs(policy, attempt, random);
  const delayMs = Math.max(jittered, Math.min(askedMs(error), policy.retryAfterMsMax));
  return elapsedMs + delayMs > policy.totalMsMax ? undefined : delayMs;
}

function askedMs(error: EngineError): number {
  const asked = error.details.retryAfterMs;
  return typeof asked === 'number' && asked > 0 ? asked : 0;
}

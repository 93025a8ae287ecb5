// Pauses that double from one failure to the next, half of each random, so that a thousand agents
// that failed together do not come back together.

export interface BackOffPolicy {
  readonly firstDelayMs: number;
  readonly delayMsMax: number;
}

/** Milliseconds after the `failures`-th failure in a row, 1 for the first; 0 <= random < 1. */
export function backOffMs(policy: BackOffPolicy, failures: number, random: number): number {
  const doublings = Math.min(failures - 1, 30);
  const full = Math.min(policy.delayMsMax, policy.firstDelayMs * 2 ** doublings);
  return full / 2 + (full / 2) * random;
}

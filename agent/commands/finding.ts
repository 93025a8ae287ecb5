// What a check of `stevedore preflight` has found: a verdict, what was seen, and what to do next.

import { EngineError, isEngineError, messageOf } from '#engine/base/errors.ts';

export type Verdict = 'ok' | 'warn' | 'fail';

export interface Finding {
  /** What was looked at, in a few words: `storage location default`. */
  readonly check: string;
  readonly verdict: Verdict;
  readonly text: string;
  /** What to do next; absent where there is nothing to do. */
  readonly advice?: string;
}

export function fine(check: string, text: string): Finding {
  return { check, verdict: 'ok', text };
}

export function warning(check: string, text: string, advice: string): Finding {
  return { check, verdict: 'warn', text, advice };
}

export function failure(check: string, text: string, advice: string): Finding {
  return { check, verdict: 'fail', text, advice };
}

/** How to look at what the identity in use may not see. */
export function howToSee(environment: Readonly<Record<string, string | undefined>>): string {
  return isInPod(environment)
    ? 'an agent has no right to look at it: run kubectl stevedore preflight from your own machine'
    : 'use a --context that has this right';
}

export function isInPod(environment: Readonly<Record<string, string | undefined>>): boolean {
  return environment.KUBERNETES_SERVICE_HOST !== undefined;
}

/**
 * What cannot be looked at is no verdict about the cluster: it is said, and how to see it.
 * @param advice for what may not be seen
 */
export async function lookedAt(
  check: string,
  look: () => Promise<readonly Finding[]>,
  advice: string,
): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (error) {
    // Without an answer of the API server there is nothing to report, and what aborts is no check.
    if (!(error instanceof EngineError)) throw error;
    const { code } = error;
    if (isEngineError(error, 'ABORTED', 'KUBE_UNAVAILABLE', 'KUBE_TIMEOUT')) throw error;
    if (isEngineError(error, 'KUBE_FORBIDDEN')) {
      return [warning(check, `not seen: ${messageOf(error)}`, advice)];
    }
    return [failure(check, messageOf(error), `docs/errors.md has more about ${code}`)];
  }
}

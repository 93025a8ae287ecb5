// Questions to an API server that has no answer: whoever asks goes on without one.

import type { ErrorCode } from '#engine/base/error-codes.ts';
import { isEngineError } from '#engine/base/errors.ts';

type Ask<Answer> = () => Promise<Answer>;

/** What could not be had is no absence. */
export function unlessAbsent<Answer>(ask: Ask<Answer>): Promise<Answer | undefined> {
  return unless('KUBE_NOT_FOUND', ask);
}

/**
 * A right that is missing for one thing holds up nothing else: it has been told of
 * (agent/refused-rights.ts).
 */
export function unlessForbidden<Answer>(ask: Ask<Answer>): Promise<Answer | undefined> {
  return unless('KUBE_FORBIDDEN', ask);
}

async function unless<Answer>(code: ErrorCode, ask: Ask<Answer>): Promise<Answer | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isEngineError(error, code)) return undefined;
    throw error;
  }
}

// A right that is missing for one thing holds up nothing else: it has been told of
// (agent/refused-rights.ts), and whoever asks goes on without an answer.

import { isEngineError } from '#engine/base/errors.ts';

export async function unlessForbidden<Answer>(
  ask: () => Promise<Answer>,
): Promise<Answer | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isEngineError(error, 'KUBE_FORBIDDEN')) return undefined;
    throw error;
  }
}

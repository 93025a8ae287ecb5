// What the process ends with. Scripts match on these numbers; none changes its meaning.

import { isEngineError } from '#engine/base/errors.ts';

export const EXIT = Object.freeze({
  done: 0,
  failed: 1,
  wrongUsage: 2,
  /** Done, and what is different or was skipped is listed in the outcome. */
  doneWithDifferences: 3,
  /** Quit at once at the second signal. */
  killed: 130,
});

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

export function exitStatusOf(error: unknown): ExitStatus {
  return isEngineError(error, 'USAGE') ? EXIT.wrongUsage : EXIT.failed;
}

// Looks at what has to be there until it is, and says each thing that is missing once. Nothing is
// moved before: an order that cannot work would otherwise fail one after the other.

import type { Clock } from '#engine/base/clock.ts';
import { messageOf } from '#engine/base/errors.ts';
import type { Log } from './log.ts';
import type { Readiness } from './readiness.ts';
import type { StartCheck } from './start-checks.ts';

export interface WaitParts {
  readonly readiness: Pick<Readiness, 'set' | 'setOptional'>;
  readonly log: Log;
  readonly clock: Clock;
}

/** Somebody applies a missing role by hand; that is how long they wait for us to notice. */
const LOOK_INTERVAL_MS = 5000;

/** @throws the signal's reason when it is aborted before all is there */
export async function waitUntilReady(
  checks: readonly StartCheck[],
  { readiness, log, clock }: WaitParts,
  signal: AbortSignal,
): Promise<void> {
  const said = new Map<string, string>();
  for (const { name } of checks) readiness.set(name, 'not looked at yet');
  for (;;) {
    const missing = await Promise.all(checks.map(check => lookAt(check, signal)));
    for (const [index, { name, isOptional }] of checks.entries()) {
      const what = missing[index];
      if (isOptional) readiness.setOptional(name, what);
      else readiness.set(name, what);
      if (what === undefined || said.get(name) === what) continue;
      said.set(name, what);
      const keys = { check: name, missing: what };
      if (isOptional) log.warn(keys, 'the agent works without what is missing');
      else log.error(keys, 'the agent cannot work yet');
    }
    if (checks.every((check, index) => check.isOptional || missing[index] === undefined)) return;
    await clock.sleep(LOOK_INTERVAL_MS, signal);
  }
}

/** A question that nobody answers is a thing that is missing, too. */
async function lookAt({ look }: StartCheck, signal: AbortSignal): Promise<string | undefined> {
  try {
    return await look(signal);
  } catch (error) {
    signal.throwIfAborted();
    return messageOf(error);
  }
}

// Refusals in the log: each reason at most once a minute, with how many there were since, so that
// whoever is turned away cannot fill it. What belongs to everyday life is for debugging alone.

import type { Log } from '#agent/log.ts';
import type { Clock } from '#engine/base/clock.ts';
import type { RefusedSession } from './sessions/agent-sessions.ts';
import type { Refusal } from './sessions/refusals.ts';

export const QUIET_MS = 60_000;
const EVERYDAY: ReadonlySet<Refusal> = new Set(['aged', 'cut', 'standby', 'stopping']);

interface Said {
  atMs: number;
  /** Of which the log says nothing yet. */
  unsaid: number;
}

export function refusalLog(
  log: Pick<Log, 'debug' | 'warn'>,
  clock: Pick<Clock, 'monotonic'>,
): (refused: RefusedSession) => void {
  const said = new Map<Refusal, Said>();
  return ({ reason, error, address, node }) => {
    const nowMs = clock.monotonic();
    const last = said.get(reason) ?? { atMs: Number.NEGATIVE_INFINITY, unsaid: 0 };
    if (nowMs - last.atMs < QUIET_MS) {
      said.set(reason, { ...last, unsaid: last.unsaid + 1 });
      return;
    }
    said.set(reason, { atMs: nowMs, unsaid: 0 });
    const keys = { reason, address, node, unsaid: last.unsaid, error };
    if (EVERYDAY.has(reason)) log.debug(keys, 'a session has ended');
    else log.warn(keys, 'an agent was turned away');
  };
}

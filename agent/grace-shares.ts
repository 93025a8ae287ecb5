// Who gets how much of the time between SIGTERM and SIGKILL. Moves and their last writes get what
// the others leave, which is most of it however little there is. Pure.

/** Asking who follows; moves run on meanwhile. */
const SUCCESSOR_MS_MAX = 10_000;
const SUCCESSOR_SHARE_MAX = 0.2;
/** For events that wait to be written. */
const EVENTS_MS_MAX = 2000;
const EVENTS_SHARE_MAX = 0.1;
/** For what was aborted to end. */
const SETTLE_MS_MAX = 1000;
const SETTLE_SHARE_MAX = 0.05;

/** For repositories to close, each half: with a storage that answers, and without it. */
const CLOSE_MS_MAX = 2000;
const CLOSE_SHARE_MAX = 0.05;

/** Milliseconds; of the successor's share what was not needed is for moves as well. */
export interface GraceShares {
  readonly successorMs: number;
  readonly eventsMs: number;
  readonly settleMs: number;
  readonly closeMs: number;
}

export function shareGrace(graceMs: number): GraceShares {
  return {
    successorMs: Math.min(SUCCESSOR_MS_MAX, graceMs * SUCCESSOR_SHARE_MAX),
    eventsMs: Math.min(EVENTS_MS_MAX, graceMs * EVENTS_SHARE_MAX),
    settleMs: Math.min(SETTLE_MS_MAX, graceMs * SETTLE_SHARE_MAX),
    closeMs: Math.min(CLOSE_MS_MAX, graceMs * CLOSE_SHARE_MAX),
  };
}

// How long ago something was noted, whatever the clock of the wall did meanwhile. While a cache is
// open its monotonic clock is asked. Between two lives of it: the time since the machine started,
// which is exact, or after another start, or on another machine, what the wall clock says, within
// bounds. The bounds err to the short side: an entry stays longer than it might.

import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import type { Moment } from './notes-format.ts';

/**
 * Of the time between two lives no more than this counts: while nobody had the cache open, nobody
 * could visit, and a clock that is wrong by years is wrong by a day.
 */
export const PAUSE_MS_MAX = 24 * 60 * 60 * 1000;

/** Which start of the machine this is, and how long ago. */
export type Boot = Pick<Moment, 'bootId' | 'uptimeMs'>;

/** random(4): the boot id is made anew at each start. */
export function readBoot(): Boot {
  return { bootId: bootId(), uptimeMs: uptime() * 1000 };
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

/** Between the note and now, at least and roughly. */
export function pauseMs(noted: Moment, now: Moment): number {
  const isSameBoot = noted.bootId === now.bootId && now.bootId !== '';
  const passedMs = isSameBoot
    ? now.uptimeMs - noted.uptimeMs
    : Math.min(now.wallMs - noted.wallMs, now.uptimeMs);
  return Math.min(PAUSE_MS_MAX, Math.max(0, passedMs));
}

// Which rates hold at which time: windows that open and close by the clock of a time zone. The
// first window of the list that is open says what holds; without one the rates outside of windows
// do.

import { CronTimes } from './cron.ts';

export interface Rates {
  /** Undefined for no limit; 0 stops the transfer until the window closes. */
  readonly uploadBytesPerSecond?: number;
  readonly downloadBytesPerSecond?: number;
}

/** `0 8 * * 1-5` to `0 18 * * 1-5`: weekdays from 8 to 18. */
export interface RateWindow extends Rates {
  readonly name: string;
  /** Cron expressions of when it opens and when it closes. */
  readonly from: string;
  readonly until: string;
  readonly timeZone: string;
}

export interface RatesNow extends Rates {
  /** Undefined outside of all windows. */
  readonly window: string | undefined;
  /** When to look again, in milliseconds since 1970; undefined for never. */
  readonly untilMs: number | undefined;
}

/** A window as it is at some moment, for people. */
export interface RateTimes extends RateWindow {
  /** Between its two times; an earlier one of the list may hold all the same. */
  readonly isOpen: boolean;
  /** Its rates are those that hold. */
  readonly holds: boolean;
  /** When it opens and closes next, in milliseconds since 1970; undefined for never. */
  readonly opensMs: number | undefined;
  readonly closesMs: number | undefined;
}

export class RateWindows {
  readonly #outside: Rates;
  readonly #windows: readonly { window: RateWindow; from: CronTimes; until: CronTimes }[];

  /** To change the windows make new ones. @throws USAGE names what cannot be understood */
  constructor(outside: Rates, windows: readonly RateWindow[]) {
    this.#outside = outside;
    this.#windows = windows.map(window => {
      const { timeZone } = window;
      const from = new CronTimes({ expression: window.from, timeZone });
      const until = new CronTimes({ expression: window.until, timeZone });
      return { window, from, until };
    });
  }

  /** What holds outside of all windows. */
  get outside(): Rates {
    return this.#outside;
  }

  /** All windows, in the order of the list. */
  describe(nowMs: number): RateTimes[] {
    const holding = this.#openAt(nowMs);
    return this.#windows.map(({ window, from, until }) => ({
      ...window,
      isOpen: isBetween(from, until, nowMs),
      holds: window === holding?.window,
      opensMs: from.after(nowMs),
      closesMs: until.after(nowMs),
    }));
  }

  at(nowMs: number): RatesNow {
    const open = this.#openAt(nowMs);
    const { uploadBytesPerSecond, downloadBytesPerSecond } = open?.window ?? this.#outside;
    const changes = this.#windows.flatMap(({ from, until }) => [
      from.after(nowMs) ?? Number.POSITIVE_INFINITY,
      until.after(nowMs) ?? Number.POSITIVE_INFINITY,
    ]);
    const untilMs = Math.min(...changes);
    return {
      uploadBytesPerSecond,
      downloadBytesPerSecond,
      window: open?.window.name,
      untilMs: Number.isFinite(untilMs) ? untilMs : undefined,
    };
  }

  #openAt(nowMs: number) {
    return this.#windows.find(({ from, until }) => isBetween(from, until, nowMs));
  }
}

/** It opened after it closed for the last time. */
function isBetween(from: CronTimes, until: CronTimes, nowMs: number): boolean {
  const openedMs = from.atOrBefore(nowMs);
  if (openedMs === undefined) return false;
  const closedMs = until.atOrBefore(nowMs);
  return closedMs === undefined || closedMs < openedMs;
}

// Times of directory entries, to and from text, fast: a backup writes and reads millions of them.
// They are pairs of whole seconds (may be negative) and 0 <= nanoseconds < 1e9, as stat gives them.

import { parseTimestamp } from '#engine/base/timestamp.ts';

const DAY_SECONDS = 86_400;
const NANOSECONDS = 1_000_000_000;
// kopia keeps times in an int64 of nanoseconds; Go wraps around beyond it.
export const TIME_SECONDS_MAX = 9_223_372_035;
const DAYS_CACHED_MAX = 4096;

export interface EntryTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** What kopia makes of a time before 1677-09-21 or after 2262-04-11; others stay as they are. */
export function wrapEntryTime(time: EntryTime): EntryTime {
  if (Math.abs(time.seconds) <= TIME_SECONDS_MAX) return time;
  return splitNanoseconds(joinNanoseconds(time));
}

/** The pair for a bigint of nanoseconds since 1970, wrapped as above. */
export function splitNanoseconds(nanoseconds: bigint): EntryTime {
  return pairOf(BigInt.asIntN(64, nanoseconds));
}

function pairOf(total: bigint): EntryTime {
  const fraction = Number(total % BigInt(NANOSECONDS));
  const seconds = Number(total / BigInt(NANOSECONDS));
  return fraction < 0
    ? { seconds: seconds - 1, nanoseconds: fraction + NANOSECONDS }
    : { seconds, nanoseconds: fraction };
}

/** How often kopia's wrapping takes 2^64 nanoseconds off a time: 0 for 1677-09-21 to 2262-04-11. */
export function entryTimeEras(time: EntryTime): number {
  if (Math.abs(time.seconds) <= TIME_SECONDS_MAX) return 0;
  const nanoseconds = joinNanoseconds(time);
  return Number((nanoseconds - BigInt.asIntN(64, nanoseconds)) >> 64n);
}

/** The time that was wrapped `eras` times. */
export function unwrapEntryTime(time: EntryTime, eras: number): EntryTime {
  if (eras === 0) return time;
  return pairOf(joinNanoseconds(time) + (BigInt(eras) << 64n));
}

/** Nanoseconds since 1970. */
export function joinNanoseconds({ seconds, nanoseconds }: EntryTime): bigint {
  return BigInt(seconds) * BigInt(NANOSECONDS) + BigInt(nanoseconds);
}

/** `2026-01-02T03:04:05.6789Z`: fraction without trailing zeros, none when it is 0. */
export function formatEntryTime(seconds: number, nanoseconds: number): string {
  if (seconds > TIME_SECONDS_MAX || seconds < -TIME_SECONDS_MAX) {
    const wrapped = wrapEntryTime({ seconds, nanoseconds });
    return formatWithin(wrapped.seconds, wrapped.nanoseconds);
  }
  return formatWithin(seconds, nanoseconds);
}

const TWO_DIGITS = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, '0'));
const dayTexts = new Map<number, string>();

function formatWithin(seconds: number, nanoseconds: number): string {
  const day = Math.floor(seconds / DAY_SECONDS);
  const rest = seconds - day * DAY_SECONDS;
  const hour = (rest / 3600) | 0;
  const minute = ((rest - hour * 3600) / 60) | 0;
  const second = rest - hour * 3600 - minute * 60;
  const clock = `${TWO_DIGITS[hour]}:${TWO_DIGITS[minute]}:${TWO_DIGITS[second]}`;
  const whole = `${dayText(day)}T${clock}`;
  return nanoseconds === 0 ? `${whole}Z` : `${whole}.${fractionText(nanoseconds)}Z`;
}

/** `2026-01-02` for the day of that number since 1970. */
export function dayText(day: number): string {
  return dayTexts.get(day) ?? rememberDay(day);
}

function rememberDay(day: number): string {
  const text = new Date(day * DAY_SECONDS * 1000).toISOString().slice(0, 10);
  if (dayTexts.size >= DAYS_CACHED_MAX) dayTexts.clear();
  dayTexts.set(day, text);
  return text;
}

function fractionText(nanoseconds: number): string {
  let value = nanoseconds;
  let digits = 9;
  if (value % 1000 === 0) {
    value /= 1000;
    digits -= 3;
  }
  while (value % 10 === 0) {
    value /= 10;
    digits--;
  }
  return String(value).padStart(digits, '0');
}

const CANONICAL = /^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.(\d{1,9}))?Z$/;
const daySeconds = new Map<string, number>();

/** Any offset; undefined when `text` is not RFC 3339. */
export function parseEntryTime(text: string): EntryTime | undefined {
  const match = CANONICAL.exec(text);
  if (match === null) return parseUncommon(text);
  const start = secondsOfDay(text.slice(0, 10));
  if (start === undefined) return undefined;
  const fraction = match.at(2);
  const seconds =
    start + +text.slice(11, 13) * 3600 + +text.slice(14, 16) * 60 + +text.slice(17, 19);
  if (Math.abs(seconds) > TIME_SECONDS_MAX) return parseUncommon(text);
  return { seconds, nanoseconds: fraction === undefined ? 0 : +fraction.padEnd(9, '0') };
}

/** Undefined for days that no calendar has, like the 30th of February. */
function secondsOfDay(date: string): number | undefined {
  const known = daySeconds.get(date);
  if (known !== undefined) return known;
  const milliseconds = Date.parse(`${date}T00:00:00Z`);
  const isReal =
    !Number.isNaN(milliseconds) && new Date(milliseconds).toISOString().startsWith(date);
  if (!isReal) return undefined;
  if (daySeconds.size >= DAYS_CACHED_MAX) daySeconds.clear();
  daySeconds.set(date, milliseconds / 1000);
  return milliseconds / 1000;
}

function parseUncommon(text: string): EntryTime | undefined {
  const nanoseconds = parseTimestamp(text);
  return nanoseconds === undefined ? undefined : splitNanoseconds(nanoseconds);
}

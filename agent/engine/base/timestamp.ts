// Points in time as kopia stores them: RFC 3339 text with up to nine fractional digits, trailing
// zeros trimmed (kopia fs/utc_timestamp.go). A value is a bigint of nanoseconds since 1970.

const PATTERN =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(?:Z|([+-])(\d\d):(\d\d))$/;
const NANOSECONDS = 1_000_000_000n;

/** Parses any offset; undefined when `text` is not RFC 3339. */
export function parseTimestamp(text: string): bigint | undefined {
  const match = PATTERN.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', sign, offsetHour, offsetMinute] =
    match;
  const date = new Date(0);
  // Date.UTC reads years below 100 as 19xx; setUTCFullYear does not.
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  // Date carries what is too much into the next unit; Go refuses it, and so do we.
  const isDay = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  const daySeconds = secondsOfDay(hour, minute, second);
  const offsetSeconds = secondsOfDay(offsetHour, offsetMinute);
  if (!isDay || daySeconds === undefined || offsetSeconds === undefined) return undefined;
  const east = sign === '-' ? -offsetSeconds : offsetSeconds;
  const seconds = BigInt(date.getTime() / 1000 + daySeconds - east);
  return seconds * NANOSECONDS + BigInt(fraction.padEnd(9, '0'));
}

/** Undefined when the clock never shows that; leap seconds are refused, as in Go. */
function secondsOfDay(hour = '0', minute = '0', second = '0'): number | undefined {
  const isPossible = Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60;
  return isPossible ? Number(hour) * 3600 + Number(minute) * 60 + Number(second) : undefined;
}

/** `2026-01-02T03:04:05.6789Z` */
export function formatTimestamp(nanoseconds: bigint): string {
  let seconds = nanoseconds / NANOSECONDS;
  let fraction = nanoseconds % NANOSECONDS;
  if (fraction < 0n) {
    fraction += NANOSECONDS;
    seconds -= 1n;
  }
  return formatSeconds(Number(seconds), Number(fraction));
}

/** The same from whole seconds (may be negative) and 0 <= nanoseconds < 1e9. */
export function formatSeconds(seconds: number, nanoseconds: number): string {
  const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
  if (nanoseconds === 0) return `${whole}Z`;
  return `${whole}.${String(nanoseconds).padStart(9, '0').replace(/0+$/, '')}Z`;
}

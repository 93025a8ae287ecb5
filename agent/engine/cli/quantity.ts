// Numbers for people: sizes, counts, durations and ages. English whatever the locale says, so that
// what one person pastes another can search for.

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `0 B`, `1023 B`, `1.5 KiB`, `20 MiB`: three significant digits above a KiB. */
export function formatBytes(bytes: number): string {
  let value = Math.abs(bytes);
  let unit = 0;
  // 1023.95 would be rounded to 1024.0 below; it belongs to the next unit.
  while (value >= 1023.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 99.5 ? 0 : value >= 9.95 ? 1 : 2;
  const rounded = Number(value.toFixed(digits));
  return `${bytes < 0 ? '-' : ''}${rounded} ${BYTE_UNITS[unit] ?? ''}`;
}

const SIZE_UNITS: Readonly<Record<string, number>> = Object.freeze({
  '': 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
});

/** `500`, `10K`, `1.5 GiB`: units of 1024; undefined for anything else. */
export function parseBytes(text: string): number | undefined {
  const parts = /^(\d+(?:\.\d+)?) ?(?:([kmgt])(?:i?b)?|b)?$/i.exec(text);
  if (parts === null) return undefined;
  const bytes = Math.floor(Number(parts[1]) * (SIZE_UNITS[(parts[2] ?? '').toLowerCase()] ?? 1));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Bytes in a second; `-` as long as no time has passed. */
export function formatRate(bytes: number, durationMs: number): string {
  return durationMs <= 0 ? '-' : `${formatBytes((bytes * 1000) / durationMs)}/s`;
}

/** `1,234,567` */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** `1 file`, `1,234 files`; `plural` where an s does not do. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : plural}`;
}

/** `12 ms`, `3.4 s`, `2 min 5 s`, `3 h 20 min`, `4 d 2 h`: two units at most. */
export function formatDuration(durationMs: number): string {
  const ms = Math.max(0, durationMs);
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${(ms / SECOND).toFixed(1).replace(/\.0$/, '')} s`;
  const seconds = Math.round(ms / SECOND) * SECOND;
  if (seconds < MINUTE) return `${seconds / SECOND} s`;
  if (seconds < HOUR) return twoUnits(seconds, MINUTE, 'min', SECOND, 's');
  const minutes = Math.round(ms / MINUTE) * MINUTE;
  if (minutes < DAY) return twoUnits(minutes, HOUR, 'h', MINUTE, 'min');
  return twoUnits(Math.round(ms / HOUR) * HOUR, DAY, 'd', HOUR, 'h');
}

/** `just now`, `5 minutes ago`, `in 2 hours` (another machine's clock may be ahead). */
export function formatAge(thenMs: number, nowMs: number): string {
  const ms = nowMs - thenMs;
  const size = Math.abs(ms);
  if (size < MINUTE) return 'just now';
  const [unit, name] = AGE_UNITS.find(([length]) => size >= length) ?? [MINUTE, 'minute'];
  const text = counted(Math.floor(size / unit), name);
  return ms < 0 ? `in ${text}` : `${text} ago`;
}

/** `34 %`, and neither 0 nor 100 unless it is exactly that. */
export function formatShare(part: number, whole: number): string {
  if (whole <= 0) return '-';
  if (part <= 0) return '0 %';
  if (part >= whole) return '100 %';
  return `${Math.min(99, Math.max(1, Math.round((part * 100) / whole)))} %`;
}

const AGE_UNITS: readonly (readonly [number, string])[] = [
  [365 * DAY, 'year'],
  [30 * DAY, 'month'],
  [7 * DAY, 'week'],
  [DAY, 'day'],
  [HOUR, 'hour'],
  [MINUTE, 'minute'],
];

function twoUnits(ms: number, big: number, bigName: string, small: number, smallName: string) {
  const whole = Math.floor(ms / big);
  const rest = Math.round((ms - whole * big) / small);
  return rest === 0 ? `${whole} ${bigName}` : `${whole} ${bigName} ${rest} ${smallName}`;
}

// From the text of a setting of the controller to its value, where it is more than a word: limits
// by name and windows, which are YAML.

import {
  configError,
  type ListenAddress,
  parseListenAddress,
  parseRate,
} from '#agent/config-values.ts';
import { messageOf } from '#engine/base/errors.ts';
import { isRecord } from '#engine/base/record.ts';
import { parseYaml } from '#engine/base/yaml.ts';
import { isLoopback } from '#proto/loopback.ts';
import { SLOTS_MAX } from '#proto/wire-limits.ts';
import { type RateWindow, RateWindows } from './bandwidth/rate-windows.ts';

const NAMES_MAX = 1_000;
const WINDOWS_MAX = 100;
const LEASE_MS_MIN = 1_000;
const LEASE_MS_MAX = 300_000;
const WINDOW_TEXTS = ['name', 'from', 'until', 'timeZone'] as const;
const WINDOW_RATES = ['uploadRate', 'downloadRate'] as const;

/** Of one limit: 0 stops what has not begun. */
export function parseSlots(text: string, what: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count <= SLOTS_MAX) return count;
  throw configError(`${what} is '${text}'; give a whole number from 0 to ${SLOTS_MAX}`);
}

/** `{nfs: 2, local-path: 1}` */
export function parseSlotsByName(text: string, what: string): Readonly<Record<string, number>> {
  const body: unknown = parseYaml(text, what) ?? {};
  if (!isRecord(body)) throw configError(`${what} is no mapping; give {NAME: SLOTS, …}`);
  const entries = Object.entries(body);
  if (entries.length > NAMES_MAX) {
    throw configError(`${what} has ${entries.length} names; give at most ${NAMES_MAX}`);
  }
  // Any name may be there, `__proto__` included.
  return Object.fromEntries(
    entries.map(([name, slots]) => [name, parseSlots(plain(slots), `${name} of ${what}`)]),
  );
}

/** `[{name, from, until, timeZone, uploadRate, downloadRate}]` */
export function parseWindows(text: string, what: string): readonly RateWindow[] {
  const body: unknown = parseYaml(text, what) ?? [];
  if (!Array.isArray(body)) throw configError(`${what} is no list; give [{name: …}, …]`);
  if (body.length > WINDOWS_MAX) {
    throw configError(`${what} has ${body.length} windows; give at most ${WINDOWS_MAX}`);
  }
  return body.map((each: unknown, index) => parseWindow(each, `window ${index + 1} of ${what}`));
}

function parseWindow(body: unknown, what: string): RateWindow {
  if (!isRecord(body)) throw configError(`${what} is no mapping; give {name: …, from: …}`);
  const known: readonly string[] = [...WINDOW_TEXTS, ...WINDOW_RATES];
  const stranger = Object.keys(body).find(key => !known.includes(key));
  if (stranger !== undefined) {
    throw configError(`${what} has '${stranger}'; it may have ${known.join(', ')}`);
  }
  const textOf = (key: (typeof WINDOW_TEXTS)[number]) => {
    const value = body[key];
    if (typeof value === 'string' && value !== '') return value;
    throw configError(`${what} has no ${key}; give ${WINDOW_TEXTS.join(', ')}`);
  };
  const rateOf = (key: (typeof WINDOW_RATES)[number]) =>
    body[key] === undefined ? undefined : parseRate(plain(body[key]), `${key} of ${what}`);
  const window = {
    name: textOf('name'),
    from: textOf('from'),
    until: textOf('until'),
    timeZone: textOf('timeZone'),
    uploadBytesPerSecond: rateOf('uploadRate'),
    downloadBytesPerSecond: rateOf('downloadRate'),
  };
  try {
    new RateWindows({}, [window]);
  } catch (error) {
    throw configError(`${what}: ${messageOf(error)}`);
  }
  return window;
}

/** Undefined for `none`. Whoever asks is not asked who they are, so nobody else may reach it. */
export function parseStatusAddress(text: string, what: string): ListenAddress | undefined {
  if (text === 'none') return undefined;
  const address = parseListenAddress(text, what);
  if (address.host !== undefined && isLoopback(address.host)) return address;
  throw configError(
    `${what} is '${text}', which others can reach; give a loopback address such as ` +
      '127.0.0.1:8087, to which kubectl port-forward leads, or none',
  );
}

/** Of a duration in milliseconds. */
export function requireLeaseMs(ms: number, what: string): number {
  if (ms >= LEASE_MS_MIN && ms <= LEASE_MS_MAX) return ms;
  const [least, most] = [LEASE_MS_MIN / 1000, LEASE_MS_MAX / 1000];
  throw configError(`${what} is ${ms / 1000}s; give ${least}s to ${most}s`);
}

/** As it was written, for whoever parses it and for a message. */
function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

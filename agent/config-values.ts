// From the text of a setting to its value. `what` says where the text came from, such as `--memory`
// or `NODE_NAME`, and begins the message when it cannot be used.

import { EngineError } from '#engine/base/errors.ts';
import { MEMORY_BYTES_MIN, MIB } from '#engine/base/memory-plan.ts';
import { parseSize } from '#engine/cli/option-values.ts';

export type ParseText<Value> = (text: string, what: string) => Value;

export interface ListenAddress {
  /** Undefined for all addresses of the machine. */
  readonly host: string | undefined;
  readonly port: number;
}

const PORT_MAX = 65_535;
const DAYS_MAX = 3650;
/** Of a duration: annotations of pods hold some, and 256 KiB of anything. */
const DURATION_CHARS_MAX = 64;
/** Of a text that is no duration, in what is said of it. */
const SHOWN_CHARS_MAX = 40;
const UNIT_MS: Readonly<Record<string, number>> = Object.freeze({
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
});

export function configError(message: string): EngineError {
  return new EngineError('USAGE', message);
}

export function parseText(text: string): string {
  return text;
}

/** `:8085`, `127.0.0.1:8085`, `[::1]:8085`, as Go's net.Listen takes it. */
export function parseListenAddress(text: string, what: string): ListenAddress {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d+)$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits !== undefined && port <= PORT_MAX) {
    const host = bracketed ?? plain;
    return { host: host === '' ? undefined : host, port };
  }
  throw configError(`${what} is '${text}'; give HOST:PORT, or :PORT for all addresses`);
}

export interface RemoteAddress extends ListenAddress {
  readonly host: string;
}

/** `HOST:PORT` of something else. */
export function parseRemoteAddress(text: string, what: string): RemoteAddress {
  const { host, port } = parseListenAddress(text, what);
  if (host !== undefined && port > 0) return { host, port };
  throw configError(`${what} is '${text}'; give HOST:PORT`);
}

/** Milliseconds of `30m`, `1h30m`, `1.5s`, as Go's time.ParseDuration takes them. */
export function parseDuration(text: string, what: string): number {
  const isShort = text.length <= DURATION_CHARS_MAX;
  // Each where the one before it ends: a number without a unit is not looked at from each digit.
  const parts = isShort ? [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/gy)] : [];
  const ms = parts.reduce((sum, [, count, unit = '']) => {
    return sum + Number(count) * (UNIT_MS[unit] ?? Number.NaN);
  }, 0);
  const isWhole = parts.map(([part]) => part).join('') === text;
  if (isWhole && ms > 0) return ms;
  throw configError(`${what} is '${shown(text)}'; give a duration such as 30m or 1h30m`);
}

function shown(text: string): string {
  if (text.length <= SHOWN_CHARS_MAX) return text;
  return `${text.slice(0, SHOWN_CHARS_MAX).toWellFormed()}…`;
}

/** A whole number of them. */
export function parseDays(text: string, what: string): number {
  const days = Number(text);
  if (/^\d+$/.test(text) && days >= 1 && days <= DAYS_MAX) return days;
  throw configError(`${what} is '${text}'; give a number of days from 1 to ${DAYS_MAX}`);
}

export function parseBoolean(text: string, what: string): boolean {
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw configError(`${what} is '${text}'; give true or false`);
}

export function oneOf<Choice extends string>(
  choices: Readonly<Record<string, Choice>>,
): ParseText<Choice> {
  return (text, what) => {
    const choice = Object.hasOwn(choices, text) ? choices[text] : undefined;
    if (choice !== undefined) return choice;
    throw configError(`${what} is '${text}'; give one of ${Object.keys(choices).join(', ')}`);
  };
}

/** Bytes of `512MiB`. */
export function parseMemory(text: string, what: string): number {
  const bytes = parseSize(text, what) ?? 0;
  if (bytes >= MEMORY_BYTES_MIN) return bytes;
  throw configError(`${what} is '${text}'; give ${MEMORY_BYTES_MIN / MIB}MiB or more`);
}

/** Bytes a second of `50MiB`; 0 stops them. */
export function parseRate(text: string, what: string): number {
  return text === '0' ? 0 : (parseSize(text, what) ?? 0);
}

/** What it lets in stands in the clear wherever the address is shown. */
export function parseHttpUrl(text: string, what: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (url && isHttp && url.username === '' && url.password === '') return url;
  throw configError(`${what} is no address; give http://HOST:PORT or https://…, without a user`);
}

/** A name of the Kubernetes API (RFC 1123). */
export function parseObjectName(text: string, what: string): string {
  if (/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(text)) return text;
  throw configError(`${what} is '${text}'; give a name of lower case letters, digits, - and .`);
}

export function parseAbsolutePath(text: string, what: string): string {
  if (text.startsWith('/') && !text.includes('\0')) return text;
  throw configError(`${what} is '${text}'; give a path that begins with /`);
}

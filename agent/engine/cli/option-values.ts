// From the words of a command line to values, or an error that says what would have been right.
// Nothing here looks at the world: what comes out depends on what goes in.

import { EngineError } from '#engine/base/errors.ts';
import type { IoPriority } from '#engine/base/process-priority.ts';

/** What the command line held, by the long name of the option in camel case. */
export type OptionValues = Readonly<Record<string, unknown>>;

const THREADS_MAX = 64;
const ZSTD_LEVEL_MAX = 19;
const TAGS_MAX = 100;
const NICE_MIN = -20;
const NICE_MAX = 19;

export function usageError(message: string): EngineError {
  return new EngineError('USAGE', message);
}

/** @throws USAGE when it is not there or empty */
export function requiredText(values: OptionValues, name: string, hint: string): string {
  const text = optionalText(values, name);
  if (text === undefined) throw usageError(hint);
  return text;
}

export function optionalText(values: OptionValues, name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function textList(values: OptionValues, name: string): string[] {
  const value = values[name];
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : [];
}

export function isSet(values: OptionValues, name: string): boolean {
  return values[name] === true;
}

/** `1` to `64` */
export function parseThreads(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return integerWithin(text, { min: 1, max: THREADS_MAX, what: '--threads' });
}

/** `256MiB`, `1.5G`, `300000000`: units are powers of 1024, with or without `iB`. */
export function parseSize(text: string | undefined, what: string): number | undefined {
  if (text === undefined) return undefined;
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?) ?([KMGT]?)(?:i?B)?$/i.exec(text) ?? [];
  const bytes = Number(count) * 1024 ** ' KMGT'.indexOf(unit === '' ? ' ' : unit.toUpperCase());
  if (Number.isFinite(bytes) && bytes >= 1) return Math.floor(bytes);
  throw usageError(`${what} is '${text}'; give a size such as 256MiB or 2GiB`);
}

/** `-20` to `19` */
export function parseNice(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const nice = Number(text);
  if (/^-?\d+$/.test(text) && nice >= NICE_MIN && nice <= NICE_MAX) return nice;
  throw usageError(`--nice is '${text}'; give a whole number from ${NICE_MIN} to ${NICE_MAX}`);
}

/** `idle`, or `best-effort` or `realtime` with or without a level: `best-effort:7` */
export function parseIoPriority(text: string | undefined): IoPriority | undefined {
  if (text === undefined) return undefined;
  if (text === 'idle') return { ioClass: 'idle', level: 0 };
  const [, ioClass, level = '4'] = /^(best-effort|realtime)(?::([0-7]))?$/.exec(text) ?? [];
  if (ioClass === 'best-effort' || ioClass === 'realtime') {
    return { ioClass, level: Number(level) };
  }
  throw usageError(`--ionice is '${text}'; give idle, best-effort:0 to :7, or realtime:0 to :7`);
}

/** `0` to `100`, with or without a percent sign. */
export function parsePercent(text: string, what: string): number {
  const percent = Number(text.replace(/%$/, ''));
  if (/^\d+(\.\d+)?%?$/.test(text) && percent <= 100) return percent;
  throw usageError(`${what} is '${text}'; give a number from 0 to 100`);
}

/** `key:value` pairs; a key that comes twice is an error. */
export function parseTags(texts: readonly string[]): Record<string, string> {
  if (texts.length > TAGS_MAX) throw usageError(`more than ${TAGS_MAX} tags; give fewer`);
  const tags: Record<string, string> = {};
  for (const text of texts) {
    const colon = text.indexOf(':');
    if (colon < 1) throw usageError(`--tag is '${text}'; give key:value`);
    const key = text.slice(0, colon);
    if (Object.hasOwn(tags, key)) throw usageError(`--tag ${key} is given twice; give it once`);
    Object.defineProperty(tags, key, {
      value: text.slice(colon + 1),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return tags;
}

export type Compression = 'auto' | 'none' | `zstd:${number}`;

/** `auto`, `none` or `zstd:1` to `zstd:19` */
export function parseCompression(text: string | undefined): Compression | undefined {
  if (text === undefined || text === 'auto' || text === 'none') return text;
  const level = /^zstd:(\d+)$/.exec(text)?.[1];
  if (level === undefined) {
    throw usageError(`--compression is '${text}'; give auto, none or zstd:LEVEL`);
  }
  return `zstd:${integerWithin(level, { min: 1, max: ZSTD_LEVEL_MAX, what: 'the zstd level' })}`;
}

/** One of `choices`, or undefined when nothing was given. */
export function parseChoice<Choice extends string>(
  text: string | undefined,
  what: string,
  choices: readonly Choice[],
): Choice | undefined {
  if (text === undefined) return undefined;
  const choice = choices.find(candidate => candidate === text);
  if (choice !== undefined) return choice;
  throw usageError(`${what} is '${text}'; give one of ${choices.join(', ')}`);
}

/** `ID` or `ID:/path`; the path may not climb out. */
export function parseTreePath(text: string, what: string): string {
  const [id = ''] = text.split(':', 1);
  if (id === '') throw usageError(`${what} is '${text}'; give a snapshot id, or ID:/path`);
  if (
    text
      .slice(id.length + 1)
      .split('/')
      .includes('..')
  ) {
    throw usageError(`${what} is '${text}'; a path within a snapshot has no '..'`);
  }
  return text;
}

/** `ID` alone. */
export function parseWholeSnapshot(text: string): string {
  if (!parseTreePath(text, 'the snapshot').includes(':')) return text;
  throw usageError(`'${text}' is a part of a snapshot; name whole ones here`);
}

function integerWithin(text: string, range: { min: number; max: number; what: string }): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= range.min && value <= range.max) return value;
  const { min, max, what } = range;
  throw usageError(`${what} is '${text}'; give a whole number from ${min} to ${max}`);
}

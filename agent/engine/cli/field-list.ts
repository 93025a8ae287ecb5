// Values whose fields are shown as they are, with names and units that a person reads.

import { formatBytes, formatCount, formatDuration } from './quantity.ts';
import { safeText } from './terminal-text.ts';

/** Nested objects become `outer inner`; names in camel case become words, units are understood. */
export function fieldsOf(value: object, prefix = ''): [string, string][] {
  return Object.entries(value).flatMap(([key, item]: [string, unknown]): [string, string][] => {
    const name = prefix === '' ? key : `${prefix} ${key}`;
    if (item === undefined || item === null) return [];
    if (typeof item === 'object' && !Array.isArray(item) && !(item instanceof Date)) {
      return fieldsOf(item, name);
    }
    return [[labelOf(name), textOf(name, item)]];
  });
}

/** `packBytesMax` is `pack max`: the unit stands at the value. */
function labelOf(name: string): string {
  const words = name.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase();
  const label = words.replace(/^(is|has|can) /, '').replace(/ (bytes|ms|count)(?= |$)/, '');
  return safeText(label);
}

function textOf(name: string, value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.map(item => textOf('', item)).join(', ') || 'none';
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'number' || typeof value === 'bigint') {
    const number = Number(value);
    if (/bytes/i.test(name)) return formatBytes(number);
    if (/Ms$/.test(name)) return formatDuration(number);
    return Number.isInteger(number) && !/version/i.test(name)
      ? formatCount(number)
      : String(number);
  }
  return safeText(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
}

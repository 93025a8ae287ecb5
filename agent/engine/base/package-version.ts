// Which version of our package this is, for people.

import { readFileSync } from 'node:fs';

export function packageVersion(): string {
  const path = new URL('../../../package.json', import.meta.url);
  const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
  const isNamed = typeof parsed === 'object' && parsed !== null && 'version' in parsed;
  return isNamed ? String(parsed.version) : 'unknown';
}

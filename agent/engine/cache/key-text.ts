// The key of a repository as people and notes see it: sixteen hexadecimal digits.

import type { RepositoryKey } from './blob-key.ts';

export function textOfKey({ a, b }: RepositoryKey): string {
  return [a, b].map(word => word.toString(16).padStart(8, '0')).join('');
}

/** @throws TypeError for what textOfKey does not give */
export function keyOfText(text: string): RepositoryKey {
  if (!/^[0-9a-f]{16}$/.test(text)) throw new TypeError('no key of a repository');
  return { a: Number.parseInt(text.slice(0, 8), 16), b: Number.parseInt(text.slice(8), 16) };
}

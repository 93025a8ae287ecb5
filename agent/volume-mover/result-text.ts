// Lines of a result that end in status.message: a path beneath the volume, and what is with it.

import type { RestoreOutcome, SkippedEntry } from '#engine/index.ts';

/** As many as a status message has room for. */
export const LINES_MAX = 5;

type Difference = RestoreOutcome['differences'][number];

/** @param root of the volume, which means nothing to whoever reads it */
export function skippedLine({ path, code, message }: SkippedEntry, root: string): string {
  const errno = /\b(E[A-Z0-9]{2,})\b/.exec(message)?.[1];
  return `${beneath(path, root)}: ${errno ?? code}`;
}

export function differenceLine({ path, attribute, expected, found }: Difference): string {
  return `${path === '' ? '.' : path}: ${attribute} is ${found} and not ${expected}`;
}

function beneath(path: string, root: string): string {
  if (path === root) return '.';
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}

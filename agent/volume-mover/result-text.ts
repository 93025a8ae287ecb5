// Lines of a result that end in status.message: a path beneath the volume, and what is with it.

import { isMissingEntry, type RestoreOutcome, type SkippedEntry } from '#engine/index.ts';

/** As many as a status message has room for. */
export const LINES_MAX = 5;

type Difference = RestoreOutcome['differences'][number];

/**
 * Directories first: with each, all that is in it is missing.
 * @param root of the volume, which means nothing to whoever reads it
 */
export function skippedLines(skipped: readonly SkippedEntry[], root: string): string[] {
  const directories = skipped.filter(({ isDirectory }) => isDirectory);
  const others = skipped.filter(({ isDirectory }) => !isDirectory);
  return [...directories, ...others].slice(0, LINES_MAX).map(each => skippedLine(each, root));
}

/** The first lines of what is missing after a restore, and of what differs. */
export class DifferenceLines {
  readonly missing: string[] = [];
  readonly differences: string[] = [];

  add(difference: Difference): void {
    const lines = isMissingEntry(difference) ? this.missing : this.differences;
    if (lines.length < LINES_MAX) lines.push(differenceLine(difference));
  }
}

function skippedLine({ path, code, message, isDirectory }: SkippedEntry, root: string): string {
  const errno = /\b(E[A-Z0-9]{2,})\b/.exec(message)?.[1];
  return `${beneath(path, root)}${isDirectory ? '/' : ''}: ${errno ?? code}`;
}

function differenceLine(difference: Difference): string {
  const { attribute, expected, found } = difference;
  const path = difference.path === '' ? '.' : difference.path;
  if (isMissingEntry(difference)) return `${path}: ${found}`;
  return `${path}: ${attribute} is ${found} and not ${expected}`;
}

function beneath(path: string, root: string): string {
  if (path === root) return '.';
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}

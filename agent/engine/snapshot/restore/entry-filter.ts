// Which entries of a tree a restore takes, by globs of their paths.

import { matchesGlob } from 'node:path';
import type { EntryFilter } from './restore-planner.ts';

/**
 * A filter for the globs; undefined when everything is wanted. `*` stays within a name, `**` spans
 * several. A glob that begins with a slash is about the whole path, another one about its last
 * names; a directory that matches stands for all that is in it.
 */
export function entryFilter(
  include: readonly string[],
  exclude: readonly string[],
): EntryFilter | undefined {
  if (include.length === 0 && exclude.length === 0) return undefined;
  const included = include.map(fullGlob);
  const excluded = exclude.map(fullGlob);
  return path => {
    const above = pathsTo(path);
    const isIncluded = included.length === 0 || above.some(each => matchesOne(each, included));
    return isIncluded && !above.some(each => matchesOne(each, excluded));
  };
}

function matchesOne(path: string, globs: readonly string[]): boolean {
  return globs.some(glob => matchesGlob(path, glob));
}

function fullGlob(glob: string): string {
  const whole = glob.replace(/\/+$/, '');
  return whole.startsWith('/') ? whole.slice(1) : `**/${whole}`;
}

/** `a`, `a/b` and `a/b/c` for the last of them. */
function pathsTo(path: string): string[] {
  const names = path.split('/');
  return names.map((_, index) => names.slice(0, index + 1).join('/'));
}

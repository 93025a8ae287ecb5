// Which entries of a tree a restore takes, by globs of their paths.

import { matchesGlob } from 'node:path';

export interface EntryFilter {
  /** Whether an entry is restored, by its path beneath the root of what is restored. */
  readonly takes: (path: string) => boolean;
  /** Whether something may be restored that lies in the directory at `path`. */
  readonly mayTakeWithin: (path: string) => boolean;
}

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
  const isExcluded = (path: string) => pathsTo(path).some(each => matchesOne(each, excluded));
  const isIncluded = (path: string) =>
    included.length === 0 || pathsTo(path).some(each => matchesOne(each, included));
  return {
    takes: path => isIncluded(path) && !isExcluded(path),
    mayTakeWithin: path =>
      !isExcluded(path) && (isIncluded(path) || included.some(glob => mayMatchWithin(path, glob))),
  };
}

/** Whether `glob` may match something below `path`; for certain only where its names are plain. */
function mayMatchWithin(path: string, glob: string): boolean {
  if (/[{([\\]/.test(glob)) return true;
  const parts = glob.split('/');
  for (const [index, name] of path.split('/').entries()) {
    if (index >= parts.length) return false;
    if (parts[index].includes('**')) return true;
    if (!matchesGlob(name, parts[index])) return false;
  }
  return true;
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

// Which entries of a tree a restore takes, by globs of their paths. Paths are bytes, as names are.

import { globMatches, globMayMatchBelow, type PathGlob, parsePathGlob } from './path-glob.ts';

export interface EntryFilter {
  /** Whether an entry is restored, by its path beneath the root of what is restored. */
  readonly takes: (path: Uint8Array) => boolean;
  /** Whether something may be restored that lies in the directory at `path`. */
  readonly mayTakeWithin: (path: Uint8Array) => boolean;
  /** Globs to include that matched nothing of all that was asked about. */
  readonly unmatched: () => readonly UnmatchedGlob[];
}

export interface UnmatchedGlob {
  readonly text: string;
  /** Whether an excluded directory may hold what it is about. */
  readonly mayBeExcluded: boolean;
}

interface IncludedGlob extends PathGlob {
  isMatched: boolean;
  mayBeExcluded: boolean;
}

/**
 * A filter for the globs; undefined when everything is wanted. `*` stays within a name, `**` spans
 * several, and both take hidden names. A glob that begins with a slash is about the whole path,
 * another one about its last names; a directory that matches stands for all that is in it.
 * @throws USAGE for a glob that can match nothing
 */
export function entryFilter(
  include: readonly string[],
  exclude: readonly string[],
): EntryFilter | undefined {
  if (include.length === 0 && exclude.length === 0) return undefined;
  const included = include.map((text): IncludedGlob => ({
    ...parsePathGlob(text),
    isMatched: false,
    mayBeExcluded: false,
  }));
  const excluded = exclude.map(parsePathGlob);
  const isExcluded = (path: Uint8Array) => excluded.some(glob => globMatches(glob, path));
  return {
    takes: path => isIncluded(included, path) && !isExcluded(path),
    mayTakeWithin: path => {
      const mayInclude =
        isIncluded(included, path) || included.some(glob => globMayMatchBelow(glob, path));
      if (!mayInclude || !isExcluded(path)) return mayInclude;
      for (const glob of included) glob.mayBeExcluded ||= globMayMatchBelow(glob, path);
      return false;
    },
    unmatched: () => included.filter(({ isMatched }) => !isMatched),
  };
}

/** Asks those that matched nothing yet in any case, so that each is known to match. */
function isIncluded(globs: readonly IncludedGlob[], path: Uint8Array): boolean {
  let isAny = globs.length === 0;
  for (const glob of globs) {
    if ((isAny && glob.isMatched) || !globMatches(glob, path)) continue;
    glob.isMatched = true;
    isAny = true;
  }
  return isAny;
}

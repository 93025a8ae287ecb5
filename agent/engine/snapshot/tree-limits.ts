// How deep and how large the directories of a tree may be. Whoever reads one refuses more, so that
// a hostile repository does not take all memory; and so whoever writes one leaves out what nobody
// could read again, and says so.

import { EngineError } from '#engine/base/errors.ts';

/** PATH_MAX allows some 2,000 levels; kopia can store deeper ones. The root is the first. */
export const TREE_DEPTH_MAX = 4096;
/** As JSON. No text of V8 is longer, and as objects it is several times that. */
export const DIRECTORY_BYTES_MAX = 512 << 20;

/** The failure of a walk that has come to more than TREE_DEPTH_MAX levels. */
export function tooDeep(): EngineError {
  const text = `walking the tree was given up: it is deeper than ${TREE_DEPTH_MAX} levels`;
  return new EngineError('LIMIT_EXCEEDED', `${text}; name a directory further down`);
}

/** Why the directory that `names` lead to from the root is not stored; undefined if it can be. */
export function depthFault(names: readonly Uint8Array[]): EngineError | undefined {
  if (names.length < TREE_DEPTH_MAX) return undefined;
  const text = `a directory is left out: it is more than ${TREE_DEPTH_MAX} levels deep`;
  const advice = 'no restore could go down to it; back up one further down by itself';
  return new EngineError('SOURCE_TOO_LARGE', `${text}, and ${advice}`);
}

/** The same for a directory object of `pieces`. */
export function sizeFault(pieces: readonly Uint8Array[]): EngineError | undefined {
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
  if (bytes <= DIRECTORY_BYTES_MAX) return undefined;
  const text = `a directory is left out: its entries take ${bytes} bytes`;
  const limit = `more than ${DIRECTORY_BYTES_MAX} could not be read again`;
  const advice = 'spread them over several directories, or leave some of them out';
  return new EngineError('SOURCE_TOO_LARGE', `${text}, and ${limit}; ${advice}`);
}

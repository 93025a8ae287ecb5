// Whether a path matches an ignore pattern: kopia's backtracking (internal/wcmatch/wcmatch.go at
// 0.23.1, itself git's wildmatch), with the same answers also where they surprise.
//
// Anybody who can write a file to a volume can write an ignore file, so patterns with several stars
// remember what was tried: the time is bounded by tokens x length of the path, not exponential.

import { isInClass } from './ignore-class.ts';
import { isStar, TOKEN, type IgnorePattern, type Sequence } from './ignore-pattern.ts';

const MATCH = 0;
const NO_MATCH = 1;
const ABORT_ALL = 2;
const ABORT_TO_DOUBLE_STAR = 3;
const SLASH = 0x2f;
const REMEMBER_FROM_STARS = 3;

/**
 * What `pattern` says about `path` (code points, `/a/b/name`): true to ignore it, false to store
 * it. kopia asks a pattern only when it could change the verdict so far, see selection.ts.
 */
export function patternVerdict(
  pattern: IgnorePattern,
  path: readonly number[],
  isDirectory: boolean,
): boolean {
  if (pattern.isDirectoryOnly && !isDirectory) return pattern.isNegated;
  const seen = pattern.starCount < REMEMBER_FROM_STARS ? undefined : new Map<number, number>();
  const isMatch = new Matcher(pattern, path, seen).match(0, 0) === MATCH;
  return isMatch !== pattern.isNegated;
}

class Matcher {
  readonly #tokens: readonly number[];
  readonly #sequences: readonly Sequence[];
  readonly #path: readonly number[];
  readonly #seen: Map<number, number> | undefined;

  constructor(
    pattern: IgnorePattern,
    path: readonly number[],
    seen: Map<number, number> | undefined,
  ) {
    this.#tokens = pattern.tokens;
    this.#sequences = pattern.sequences;
    this.#path = path;
    this.#seen = seen;
  }

  /** Matches tokens from `firstToken` against the path from `start`. */
  match(firstToken: number, start: number): number {
    if (this.#seen === undefined) return this.#matchAnew(firstToken, start);
    const key = firstToken * (this.#path.length + 1) + start;
    let result = this.#seen.get(key);
    if (result === undefined) {
      result = this.#matchAnew(firstToken, start);
      this.#seen.set(key, result);
    }
    return result;
  }

  #matchAnew(firstToken: number, start: number): number {
    const tokens = this.#tokens;
    const path = this.#path;
    let position = start;
    for (let index = firstToken; index < tokens.length; index++) {
      const token = tokens[index] ?? 0;
      const isAnyStar = isStar(token);
      const point = position < start ? 0 : (path[position] ?? 0);
      if (position >= path.length && !isAnyStar) return ABORT_ALL;
      if (isAnyStar) {
        const isBeforeSlash = token === TOKEN.star && tokens[index + 1] === TOKEN.separator;
        if (!isBeforeSlash) return this.#matchStar(index, position, point);
        const slash = path.indexOf(SLASH, position);
        if (slash === -1) return NO_MATCH;
        position = slash - 1;
      } else if (!this.#matchesOne(token, point)) {
        return NO_MATCH;
      }
      // kopia's scanner stays where it is when it stands before the start.
      if (position >= start && position < path.length) position++;
    }
    return position >= path.length ? MATCH : NO_MATCH;
  }

  /** A star decides for all that follows: it tries the rest at every position. */
  #matchStar(index: number, from: number, firstPoint: number): number {
    const path = this.#path;
    const isDouble = this.#tokens[index] === TOKEN.doubleStar;
    if (index === this.#tokens.length - 1) {
      return isDouble || path.indexOf(SLASH, from) === -1 ? MATCH : NO_MATCH;
    }
    const isBeforeSlash = this.#tokens[index + 1] === TOKEN.separator;
    if (isDouble && isBeforeSlash && index + 2 < this.#tokens.length) {
      // `**/x` also matches x right here.
      if (this.match(index + 2, from) === MATCH) return MATCH;
    }
    let point = firstPoint;
    for (let position = from; position < path.length; position++) {
      const result = this.match(index + 1, position);
      if (result !== NO_MATCH) {
        if (!isDouble || result !== ABORT_TO_DOUBLE_STAR) return result;
      } else if (!isDouble && point === SLASH) {
        return ABORT_TO_DOUBLE_STAR;
      }
      // The character just passed, not the next one: kopia looks one behind.
      point = path[position] ?? 0;
    }
    return ABORT_ALL;
  }

  #matchesOne(token: number, point: number): boolean {
    if (token >= 0) return point === token;
    if (token === TOKEN.separator) return point === SLASH;
    if (token === TOKEN.anyCharacter) return point !== SLASH;
    const sequence = this.#sequences[TOKEN.sequence - token];
    return sequence !== undefined && isInSequence(point, sequence);
  }
}

function isInSequence(point: number, { items, isNegated }: Sequence): boolean {
  for (const item of items) {
    const isMatch =
      'className' in item
        ? isInClass(point, item.className)
        : point >= item.from && point <= item.to;
    if (isMatch) return !isNegated;
  }
  return isNegated;
}

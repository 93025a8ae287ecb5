// Whether a path matches a pattern of git. All ways through the pattern are followed at once, so
// the time is at most tokens x length of the path, whatever the pattern.

import { GIT_TOKEN, type GitPattern, type GitTokens } from './git-pattern.ts';

const SLASH = 0x2f;

/** A path from the directory that the pattern belongs to, which is the start of the source. */
export interface GitPath {
  readonly bytes: Uint8Array;
  /** Where the directory of the pattern ends. */
  readonly baseBytes: number;
  /** Where the last name begins. */
  readonly nameStart: number;
}

export function matchesGitPattern(
  pattern: GitPattern,
  { bytes, baseBytes, nameStart }: GitPath,
  isDirectory: boolean,
): boolean {
  if (pattern.isDirectoryOnly && !isDirectory) return false;
  return matches(pattern, bytes, pattern.isNameOnly ? nameStart : baseBytes);
}

/** Positions in the pattern that are reached, by token; swapped after each byte. */
let reached = new Uint8Array(256);
let reachedNext = new Uint8Array(256);

function matches(pattern: GitTokens, bytes: Uint8Array, start: number): boolean {
  begin(pattern);
  for (let at = start; at < bytes.length; at++) if (!step(pattern, bytes[at])) return false;
  return reached[pattern.tokens.length] === 1;
}

/** Whether a pattern that is tied to the top matches `path` or a directory above it. */
export function matchesAtOrAbove(pattern: GitTokens, path: Uint8Array): boolean {
  const count = pattern.tokens.length;
  begin(pattern);
  for (const byte of path) {
    if (byte === SLASH && reached[count] === 1) return true;
    if (!step(pattern, byte)) return false;
  }
  return reached[count] === 1;
}

/** Whether a pattern that is tied to the top could match something in the directory at `path`. */
export function mayMatchBelow(pattern: GitTokens, path: Uint8Array): boolean {
  begin(pattern);
  for (const byte of path) if (!step(pattern, byte)) return false;
  return step(pattern, SLASH);
}

function begin({ tokens }: GitTokens): void {
  const count = tokens.length;
  if (reached.length <= count) {
    reached = new Uint8Array(count * 2);
    reachedNext = new Uint8Array(count * 2);
  }
  reached.fill(0, 0, count + 1);
  reach(reached, tokens, 0);
}

/** Goes over one byte of the path on all ways; false when none is left. */
function step({ tokens, sets }: GitTokens, byte: number): boolean {
  const count = tokens.length;
  let isAlive = false;
  reachedNext.fill(0, 0, count + 1);
  for (let index = 0; index < count; index++) {
    if (reached[index] === 0) continue;
    const token = tokens[index];
    if (token === GIT_TOKEN.directories) {
      // In the midst of a name; only a slash leads out.
      reachedNext[index] = 1;
      if (byte === SLASH) reach(reachedNext, tokens, index + 1);
    } else if (repeats(token, byte)) {
      reach(reachedNext, tokens, index);
    } else if (takes(token, sets, byte)) {
      reach(reachedNext, tokens, index + 1);
    } else {
      continue;
    }
    isAlive = true;
  }
  [reached, reachedNext] = [reachedNext, reached];
  return isAlive;
}

/** Marks `index`, and what lies behind it when nothing need stand for its token. */
function reach(positions: Uint8Array, tokens: readonly number[], index: number): void {
  let at = index;
  positions[at] = 1;
  for (; at < tokens.length && isOptional(tokens[at]); at++) positions[at + 1] = 1;
}

function isOptional(token: number): boolean {
  return token <= GIT_TOKEN.star && token > GIT_TOKEN.set;
}

/** Whether `byte` is one of any number that stand for the token. */
function repeats(token: number, byte: number): boolean {
  if (token === GIT_TOKEN.rest) return true;
  if (token === GIT_TOKEN.star) return byte !== SLASH;
  return token === GIT_TOKEN.continuation && (byte & 0xc0) === 0x80;
}

function takes(token: number, sets: GitPattern['sets'], byte: number): boolean {
  if (token >= 0) return token === byte;
  if (token === GIT_TOKEN.any) return byte !== SLASH;
  const set = sets[GIT_TOKEN.set - token];
  return set !== undefined && ((set[byte >> 5] >>> (byte & 31)) & 1) === 1;
}

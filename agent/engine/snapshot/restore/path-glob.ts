// The globs of `--include` and `--exclude` of a restore. What they say of names is what a pattern
// of git says (git-pattern.ts), but for three things: `{a,b}` stands for either, what begins with
// no slash is about the last names of a path, and `?` and `[!…]` are one character and not one
// byte of it.

import { EngineError } from '#engine/base/errors.ts';
import { matchesAtOrAbove, mayMatchBelow } from '#engine/snapshot/source/git-match.ts';
import {
  type ByteSet,
  GIT_TOKEN,
  type GitTokens,
  parseGitPattern,
} from '#engine/snapshot/source/git-pattern.ts';
import { alternativesOf } from './glob-alternatives.ts';

export interface PathGlob {
  /** As it was typed. */
  readonly text: string;
  /** One for each choice of its braces, all tied to the top. */
  readonly patterns: readonly GitTokens[];
}

const SLASH = 0x2f;
const DOT = 0x2e;
/** What Node makes of each byte of an argument that is not UTF-8. */
const REPLACEMENT = [0xef, 0xbf, 0xbd];

/** @throws USAGE for a glob that can match nothing, or not what it seems to say */
export function parsePathGlob(text: string): PathGlob {
  const patterns = alternativesOf(text)
    .map(each => parseOne(each, text))
    .filter(pattern => pattern !== undefined);
  if (patterns.length > 0) return { text, patterns };
  throw new EngineError(
    'USAGE',
    `the glob ${JSON.stringify(text)} matches nothing: paths begin at the root of what is ` +
      'restored, without "." or "..", and a "[", a class or a "\\" needs its end; ' +
      "write '/etc/fstab' or '*.conf', say, or leave it out to restore everything",
  );
}

/** Whether the glob matches `path` or a directory above it, which stands for all that is in it. */
export function globMatches({ patterns }: PathGlob, path: Uint8Array): boolean {
  return patterns.some(pattern => matchesAtOrAbove(pattern, path));
}

/** Whether the glob could match something in the directory at `path`. */
export function globMayMatchBelow({ patterns }: PathGlob, path: Uint8Array): boolean {
  return patterns.some(pattern => mayMatchBelow(pattern, path));
}

/** Undefined when it can match nothing. */
function parseOne(alternative: string, whole: string): GitTokens | undefined {
  const names = alternative.replace(/\/+$/, '').replace(/\/{2,}/g, '/');
  if (names === '') return undefined;
  // With a slash at its start nothing is negated, and git ties it to the top.
  const tied = names.startsWith('/') ? names : `**/${names}`;
  const pattern = parseGitPattern(new Uint8Array(Buffer.from(tied)));
  if (pattern === undefined || hasDots(pattern.tokens)) return undefined;
  return ofCharacters(pattern, whole);
}

/** Whether a name of it is `.` or `..`, which no entry has. */
function hasDots(tokens: readonly number[]): boolean {
  for (let start = 0, at = 0; at <= tokens.length; at++) {
    const isEnd = at === tokens.length || tokens[at] === SLASH;
    if (!isEnd && tokens[at] !== GIT_TOKEN.directories) continue;
    const name = tokens.slice(start, at);
    if (isEnd && (name.length === 1 || name.length === 2) && name.every(byte => byte === DOT)) {
      return true;
    }
    start = at + 1;
  }
  return false;
}

/** The tokens with those that stand for one byte made to stand for one character. */
function ofCharacters({ tokens, sets }: GitTokens, glob: string): GitTokens {
  const made: number[] = [];
  const madeSets: ByteSet[] = [];
  const put = (set: ByteSet, isOpen: boolean): void => {
    made.push(GIT_TOKEN.set - madeSets.length);
    madeSets.push(set);
    if (isOpen) made.push(GIT_TOKEN.continuation);
  };
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (token === GIT_TOKEN.any) put(FIRST_BYTES, true);
    else if (token <= GIT_TOKEN.set) {
      const set = sets[GIT_TOKEN.set - token];
      const isNegated = requireAscii(set, glob);
      put(isNegated ? set.map((word, index) => word & FIRST_BYTES[index]) : set, isNegated);
    } else if (REPLACEMENT.every((byte, index) => tokens[at + index] === byte)) {
      put(HIGH_BYTES, true);
      at += REPLACEMENT.length - 1;
    } else made.push(token);
  }
  return { tokens: made, sets: madeSets };
}

/** Whether the set has all that is not ASCII. @throws USAGE when it has some of it */
function requireAscii(set: ByteSet, glob: string): boolean {
  const high = set.slice(4);
  if (high.every(word => word === 0)) return false;
  if (high.every(word => word === -1)) return true;
  throw new EngineError(
    'USAGE',
    `the glob ${JSON.stringify(glob)} was refused: within "[…]" letters have to be ASCII; ` +
      'write {ä,ö} instead of [äö]',
  );
}

/** Bits of the bytes that `has` says. */
function setOf(has: (byte: number) => boolean): ByteSet {
  const words = Array.from({ length: 8 }, () => 0);
  for (let byte = 0; byte < 256; byte++) if (has(byte)) words[byte >> 5] |= 1 << (byte & 31);
  return words;
}

/** With which a character begins. */
const FIRST_BYTES = setOf(byte => byte !== SLASH && (byte & 0xc0) !== 0x80);
const HIGH_BYTES = setOf(byte => byte >= 0x80);

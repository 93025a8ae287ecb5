// A pattern as git understands it (gitignore(5)), parsed to plain numbers. What is typed at the
// command line is read so, and so are the ignore files that it names: people know this language,
// and kopia's (ignore-pattern.ts) differs from it where it surprises.
//
// Names are bytes to git, and so they are here: `?` is one byte, classes are ASCII. git-match.ts
// says what matches.

/** A token is a byte, one of these, or SET - n for sets[n]. */
export const GIT_TOKEN = Object.freeze({
  /** One byte that is no slash. */
  any: -1,
  /** Any number of bytes that are no slashes. */
  star: -2,
  /** Whole directories, none among them: what `**` and its slash stand for. */
  directories: -3,
  /** Everything, slashes included. */
  rest: -4,
  /** Any number of bytes within a character of UTF-8. No pattern of git has it (path-glob.ts). */
  continuation: -5,
  set: -6,
});

/** Bytes that a `[…]` stands for: 256 bits. */
export type ByteSet = readonly number[];

export interface GitTokens {
  readonly tokens: readonly number[];
  readonly sets: readonly ByteSet[];
}

export interface GitPattern extends GitTokens {
  /** As it was written, for outcomes. */
  readonly text: string;
  /** Line of its file, from 1. */
  readonly line?: number;
  /** Without a slash within: compared with the last name of a path, at any depth. */
  readonly isNameOnly: boolean;
  /** `!…`: what matches is stored after all. */
  readonly isNegated: boolean;
  /** `…/`: says nothing about what is not a directory. */
  readonly isDirectoryOnly: boolean;
}

const BANG = 0x21;
const STAR = 0x2a;
const MINUS = 0x2d;
const SLASH = 0x2f;
const COLON = 0x3a;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE = 0x5d;
const CARET = 0x5e;

/**
 * The pattern, or undefined for one that can match nothing: empty, `[` without `]`, an unknown
 * class, a backslash at its end. git passes over those.
 */
export function parseGitPattern(text: Uint8Array, line?: number): GitPattern | undefined {
  const isNegated = text[0] === BANG;
  const isDirectoryOnly = text.length > (isNegated ? 1 : 0) && text.at(-1) === SLASH;
  const body = text.subarray(isNegated ? 1 : 0, isDirectoryOnly ? -1 : undefined);
  const isNameOnly = !body.includes(SLASH);
  const parser = new Parser(body[0] === SLASH ? body.subarray(1) : body, isNameOnly);
  if (!parser.parse() || parser.tokens.length === 0) return undefined;
  const { tokens, sets } = parser;
  const written = Buffer.from(text).toString();
  const pattern = { text: written, tokens, sets, isNameOnly, isNegated, isDirectoryOnly };
  return line === undefined ? pattern : { ...pattern, line };
}

class Parser {
  readonly tokens: number[] = [];
  readonly sets: ByteSet[] = [];
  readonly #bytes: Uint8Array;
  readonly #isNameOnly: boolean;
  /**
   * How much of the pattern has no special character. git compares it by itself and begins anew
   * behind it, so that `a**` + `/b` is read there as if `**` stood at the start.
   */
  readonly #plainBytes: number;
  #at = 0;

  constructor(bytes: Uint8Array, isNameOnly: boolean) {
    this.#bytes = bytes;
    this.#isNameOnly = isNameOnly;
    const special = bytes.findIndex(byte => [STAR, QUESTION, OPEN, BACKSLASH].includes(byte));
    this.#plainBytes = special === -1 ? bytes.length : special;
  }

  /** False when the pattern can match nothing. */
  parse(): boolean {
    while (this.#at < this.#bytes.length) {
      const byte = this.#bytes[this.#at++];
      if (byte === STAR) this.tokens.push(this.#stars());
      else if (byte === QUESTION) this.tokens.push(GIT_TOKEN.any);
      else if (byte === OPEN) {
        if (!this.#set()) return false;
      } else if (byte === BACKSLASH) {
        if (this.#at === this.#bytes.length) return false;
        this.tokens.push(this.#bytes[this.#at++]);
      } else this.tokens.push(byte);
    }
    return true;
  }

  /** One star has been read. Two of them span directories where they are a whole component. */
  #stars(): number {
    const start = this.#at - 1;
    const count = this.#count(STAR);
    this.#at += count;
    const before = this.#bytes[start - 1];
    const isAtStart = start === 0 || start === this.#plainBytes || before === SLASH;
    if (count === 0 || this.#isNameOnly || !isAtStart) return GIT_TOKEN.star;
    if (this.#at === this.#bytes.length) return GIT_TOKEN.rest;
    if (this.#bytes[this.#at] === SLASH) {
      this.#at++;
      return GIT_TOKEN.directories;
    }
    const isEscapedSlash =
      this.#bytes[this.#at] === BACKSLASH && this.#bytes[this.#at + 1] === SLASH;
    return isEscapedSlash ? GIT_TOKEN.rest : GIT_TOKEN.star;
  }

  /** How many of `byte` follow. */
  #count(byte: number): number {
    let end = this.#at;
    while (this.#bytes[end] === byte) end++;
    return end - this.#at;
  }

  /** `[` has been read. A `]` that comes first is a member. */
  #set(): boolean {
    const isNegated = this.#bytes[this.#at] === BANG || this.#bytes[this.#at] === CARET;
    if (isNegated) this.#at++;
    const members = new Set<number>();
    let previous = 0;
    for (let isFirst = true; isFirst || this.#bytes[this.#at] !== CLOSE; isFirst = false) {
      const next = this.#member(members, previous);
      if (next === undefined) return false;
      previous = next;
    }
    this.#at++;
    this.tokens.push(GIT_TOKEN.set - this.sets.length);
    this.sets.push(bitsOf(members, isNegated));
    return true;
  }

  /** Adds one byte, range or class; the byte that a range may begin with, 0 for none. */
  #member(members: Set<number>, previous: number): number | undefined {
    const byte = this.#bytes[this.#at++];
    const next = this.#bytes[this.#at];
    if (byte === undefined) return undefined;
    if (byte === BACKSLASH) {
      this.#at++;
      if (next !== undefined) members.add(next);
      return next;
    }
    if (byte === MINUS && previous !== 0 && next !== undefined && next !== CLOSE) {
      const last = next === BACKSLASH ? this.#bytes[++this.#at] : next;
      this.#at++;
      if (last === undefined) return undefined;
      for (let member = previous; member <= last; member++) members.add(member);
      return 0;
    }
    if (byte === OPEN && next === COLON) return this.#class(members);
    members.add(byte);
    return byte;
  }

  /** `[:name:]`, of which `[` has been read; without `:]` these are plain characters. */
  #class(members: Set<number>): number | undefined {
    const close = this.#bytes.indexOf(CLOSE, this.#at + 1);
    if (close === -1) return undefined;
    if (close === this.#at + 1 || this.#bytes[close - 1] !== COLON) {
      members.add(OPEN);
      return OPEN;
    }
    const name = Buffer.from(this.#bytes.subarray(this.#at + 1, close - 1)).toString();
    const characters = CLASSES.get(name);
    if (characters === undefined) return undefined;
    for (let byte = 1; byte < 128; byte++) {
      if (characters.test(String.fromCharCode(byte))) members.add(byte);
    }
    this.#at = close + 1;
    return 0;
  }
}

/** No set has a slash among its bytes, not even a negated one. */
function bitsOf(members: ReadonlySet<number>, isNegated: boolean): ByteSet {
  const words = Array.from({ length: 8 }, () => 0);
  for (let byte = 0; byte < 256; byte++) {
    if (byte !== SLASH && members.has(byte) !== isNegated) words[byte >> 5] |= 1 << (byte & 31);
  }
  return words;
}

/** As git's own tables have them (git-compat-util.h, ctype.c): ASCII, whatever the locale. */
const CLASSES: ReadonlyMap<string, RegExp> = new Map([
  ['alnum', /[A-Za-z0-9]/],
  ['alpha', /[A-Za-z]/],
  ['blank', /[ \t]/],
  ['cntrl', /[^ -~]/],
  ['digit', /[0-9]/],
  ['graph', /[!-~]/],
  ['lower', /[a-z]/],
  ['print', /[ -~]/],
  ['punct', /[!-/:-@[-`{-~]/],
  ['space', /[ \t\n\r]/],
  ['upper', /[A-Z]/],
  ['xdigit', /[A-Fa-f0-9]/],
]);

// One line of an ignore file or policy, parsed to plain numbers that can be told to another thread.
//
// The language is kopia's (internal/wcmatch/wcmatch.go at 0.23.1), .gitignore's with differences.
// What looks odd here is odd there, and is kept: a snapshot must hold what kopia's would hold.

import { EngineError } from '#engine/base/errors.ts';

import { characterClass, isGoSpace, type ClassName } from './ignore-class.ts';
import { codePointsOf, printablePath } from './source-name.ts';

/** A token is a code point, one of these, or SEQUENCE - n for sequences[n]. */
export const TOKEN = Object.freeze({
  separator: -1,
  anyCharacter: -2,
  star: -3,
  doubleStar: -4,
  sequence: -5,
});

export function isStar(token: number): boolean {
  return token === TOKEN.star || token === TOKEN.doubleStar;
}

export type SequenceItem =
  { readonly from: number; readonly to: number } | { readonly className: ClassName };

export interface Sequence {
  readonly isNegated: boolean;
  readonly items: readonly SequenceItem[];
}

export interface IgnorePattern {
  /** As it was written, for outcomes. */
  readonly text: string;
  /** Line of its file, from 1. */
  readonly line?: number;
  readonly tokens: readonly number[];
  readonly sequences: readonly Sequence[];
  /** How many tokens are stars. */
  readonly starCount: number;
  /** `!…`: what matches is stored after all. */
  readonly isNegated: boolean;
  /** `…/`: says nothing about what is not a directory. */
  readonly isDirectoryOnly: boolean;
}

const BACKSLASH = 0x5c;
const SLASH = 0x2f;
const STAR = 0x2a;
const BANG = 0x21;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const MINUS = 0x2d;
const COLON = 0x3a;
const QUESTION = 0x3f;
/** A line may have 64 KiB, and anybody may have written it: messages show its beginning. */
const SHOWN_CHARACTERS_MAX = 64;

/**
 * Parses a pattern that applies below `base`: '' for the root, else `/a/b`.
 * @throws POLICY_INVALID as kopia refuses it: what it was found in then cannot be snapshotted
 */
export function parseIgnorePattern(text: Uint8Array, base: string, line?: number): IgnorePattern {
  const pattern = new PatternParser(trimPattern(text), base, line).parse();
  return line === undefined ? pattern : { ...pattern, line };
}

/** kopia trims patterns of more than two bytes whose last character is not escaped. */
function trimPattern(line: Uint8Array): number[] {
  const points = codePointsOf(line);
  if (line.length <= 2 || line.at(-2) === BACKSLASH) return points;
  let start = 0;
  let end = points.length;
  while (start < end && isGoSpace(points[start] ?? 0)) start++;
  while (end > start && isGoSpace(points[end - 1] ?? 0)) end--;
  return points.slice(start, end);
}

class PatternParser {
  readonly #written: string;
  readonly #base: string;
  readonly #line: number | undefined;
  readonly #points: number[];
  readonly #tokens: number[] = [];
  readonly #sequences: Sequence[] = [];
  #position = 0;

  constructor(points: number[], base: string, line: number | undefined) {
    this.#points = points;
    this.#base = base;
    this.#line = line;
    this.#written = points.map(point => String.fromCodePoint(point)).join('');
  }

  parse(): IgnorePattern {
    while (isGoSpace(this.#peek(0))) this.#position++;
    const isNegated = this.#peek(0) === BANG;
    if (isNegated) this.#position++;
    this.#root();
    const isDirectoryOnly = this.#points.at(-1) === SLASH;
    if (isDirectoryOnly) this.#points.pop();
    for (let point = this.#read(); point !== 0; point = this.#read()) this.#parsePoint(point);
    return {
      text: this.#written,
      tokens: this.#tokens,
      sequences: this.#sequences,
      starCount: this.#tokens.filter(isStar).length,
      isNegated,
      isDirectoryOnly,
    };
  }

  /** A pattern without a slash, or with none but its last character, applies at any depth. */
  #root(): void {
    const isRooted = this.#peek(0) === SLASH;
    const isEmpty = this.#points.length === 0;
    if (this.#base !== '' && !isEmpty) {
      for (const character of this.#base) {
        this.#tokens.push(character === '/' ? TOKEN.separator : (character.codePointAt(0) ?? 0));
      }
      if (!isRooted) this.#tokens.push(TOKEN.separator);
    }
    if (isRooted || isEmpty || this.#written === '**') return;
    const slash = this.#points.indexOf(SLASH, this.#position);
    if (slash === -1 || slash === this.#points.length - 1) {
      this.#tokens.push(TOKEN.doubleStar, TOKEN.separator);
    } else if (this.#base === '') {
      this.#tokens.push(TOKEN.separator);
    }
  }

  #parsePoint(point: number): void {
    if (point === BACKSLASH) this.#tokens.push(this.#readEscaped());
    else if (point === QUESTION) this.#tokens.push(TOKEN.anyCharacter);
    else if (point === SLASH) this.#tokens.push(TOKEN.separator);
    else if (point === STAR) this.#tokens.push(this.#readStars());
    else if (point === OPEN) this.#readSequence();
    else this.#tokens.push(point);
  }

  /** `**` spans directories at the start of the pattern, and as a whole component elsewhere. */
  #readStars(): number {
    if (this.#peek(0) !== STAR) return TOKEN.star;
    const before = this.#peek(-2);
    while (this.#peek(0) === STAR) this.#position++;
    const isAtEnd = this.#position >= this.#points.length;
    const isComponent = before === SLASH && (this.#peek(0) === SLASH || isAtEnd);
    return before === 0 || isComponent ? TOKEN.doubleStar : TOKEN.star;
  }

  #readSequence(): void {
    let point = this.#read();
    const isNegated = point === BANG;
    if (isNegated) point = this.#read();
    const items: SequenceItem[] = [];
    for (; point !== CLOSE && point !== 0; point = this.#read()) {
      items.push(this.#readItem(point === BACKSLASH ? this.#readEscaped() : point));
    }
    if (point !== CLOSE) this.#refuse("'[' without ']'");
    this.#sequences.push({ isNegated, items });
    this.#tokens.push(TOKEN.sequence - (this.#sequences.length - 1));
  }

  #readItem(point: number): SequenceItem {
    const after = this.#peek(1);
    if (this.#peek(0) === MINUS && after !== CLOSE && after !== 0) {
      this.#position++;
      const last = this.#read();
      return { from: point, to: last === BACKSLASH ? this.#readEscaped() : last };
    }
    if (point === OPEN && this.#peek(0) === COLON) return this.#readClass();
    return { from: point, to: point };
  }

  /**
   * `[:name:]`. kopia compares a length with a position here, so a class that stands further back
   * than its name is long is read as the plain characters; so do we.
   */
  #readClass(): SequenceItem {
    const close = this.#points.indexOf(CLOSE, this.#position);
    if (close === -1) this.#refuse("'[' without ']'");
    const length = close - this.#position;
    if (length - 1 <= this.#position || this.#peek(length - 1) !== COLON) {
      return { from: OPEN, to: OPEN };
    }
    const name = String.fromCodePoint(...this.#points.slice(this.#position + 1, close - 1));
    this.#position = close + 1;
    const className = characterClass(name.toLowerCase());
    if (className === undefined) this.#refuse(`character class [:${shown(name)}:] is unknown`);
    return { className };
  }

  #readEscaped(): number {
    const point = this.#read();
    if (point === 0) this.#refuse("'\\' at the end; write '\\\\' for a backslash");
    return point;
  }

  /** 0 beyond the ends. A NUL reads as the end, as it does in kopia. */
  #peek(distance: number): number {
    return this.#points[this.#position + distance] ?? 0;
  }

  #read(): number {
    const point = this.#peek(0);
    if (point !== 0) this.#position++;
    return point;
  }

  #refuse(reason: string): never {
    const directory = this.#base === '' ? 'the root of the source' : this.#base;
    const where = this.#line === undefined ? directory : `line ${this.#line}`;
    const pattern = shown(this.#written);
    throw new EngineError(
      'POLICY_INVALID',
      `cannot parse ignore pattern "${pattern}" of ${where}: ${reason}; correct the pattern`,
      { details: { pattern: this.#written, path: this.#base } },
    );
  }
}

function shown(written: string): string {
  const text = printablePath(Buffer.from(written.slice(0, SHOWN_CHARACTERS_MAX)));
  return written.length > SHOWN_CHARACTERS_MAX ? `${text}…` : text;
}

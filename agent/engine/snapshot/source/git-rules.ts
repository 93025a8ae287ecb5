// Lists of git's patterns with where they come from: those that are typed with a backup, which hold
// for all of it, and those of ignore files in the source.

import { readFile } from 'node:fs/promises';
import { EngineError, systemCodeOf } from '#engine/base/errors.ts';
import { parseGitPattern, type GitPattern } from './git-pattern.ts';
import { checkIgnoreFileBytes } from './ignore-file.ts';
import type { RuleOrigin } from './rule-origin.ts';

export interface GitRuleList {
  readonly origin: RuleOrigin;
  /** Length in bytes of the path that the patterns are relative to: 0, or that of `a/b/`. */
  readonly baseBytes: number;
  /** The last one that matches decides. */
  readonly rules: readonly GitPattern[];
}

/** What a backup is told to leave out, in git's language. */
export interface ExcludeRequest {
  /**
   * Patterns as in a .gitignore file at the top of the source. They come after everything else that
   * leaves out by name, and the last that matches decides: `!` takes back what others said.
   */
  readonly exclude?: readonly string[];
  /** Files with such patterns; they come before `exclude`. */
  readonly excludeFrom?: readonly string[];
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const HASH = 0x23;
const SPACE = 0x20;
const BACKSLASH = 0x5c;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/**
 * The rules of a request, those that decide last at the end.
 * @throws USAGE for a pattern that can match nothing, or a file that cannot be read
 */
export async function readExcludeRules(request: ExcludeRequest): Promise<GitRuleList[]> {
  const { exclude = [], excludeFrom = [] } = request;
  const lists: GitRuleList[] = [];
  for (const file of excludeFrom) {
    const origin = { kind: 'command line', file } as const;
    const lines = gitIgnoreLines(await readRules(file));
    const rules = lines.map(({ text, number }) => parseTyped(text, `${file}:${number}`, number));
    lists.push({ origin, baseBytes: 0, rules });
  }
  const rules = exclude.map(text => parseTyped(Buffer.from(text), 'the command line'));
  if (rules.length > 0) lists.push({ origin: { kind: 'command line' }, baseBytes: 0, rules });
  return lists;
}

/** The rules of an ignore file; a line that can match nothing is none. @throws LIMIT_EXCEEDED */
export function gitIgnoreRules(
  text: Uint8Array,
  origin: RuleOrigin,
  baseBytes: number,
): GitRuleList {
  checkIgnoreFileBytes(text);
  const rules = gitIgnoreLines(text)
    .map(line => parseGitPattern(line.text, line.number))
    .filter(rule => rule !== undefined);
  return { origin, baseBytes, rules };
}

/** Rules in memory that all threads see, so that they need not be told for each directory. */
export function shareRules(lists: readonly GitRuleList[]): SharedArrayBuffer | undefined {
  if (lists.length === 0) return undefined;
  const text = Buffer.from(JSON.stringify(lists));
  const shared = new SharedArrayBuffer(text.length);
  new Uint8Array(shared).set(text);
  return shared;
}

export function openRules(shared: SharedArrayBuffer | undefined): readonly GitRuleList[] {
  if (shared === undefined) return [];
  // Made by shareRules, from values of this type.
  return JSON.parse(Buffer.from(new Uint8Array(shared)).toString()) as GitRuleList[];
}

/** Lines with a pattern, as git reads them (dir.c): comments, blank lines, spaces at the end. */
export function gitIgnoreLines(bytes: Uint8Array): { text: Uint8Array; number: number }[] {
  const hasMark = BYTE_ORDER_MARK.every((byte, index) => bytes[index] === byte);
  const lines: { text: Uint8Array; number: number }[] = [];
  for (let start = hasMark ? 3 : 0, number = 1; start < bytes.length; number++) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline === -1 ? bytes.length : newline;
    const isReturn = end > start && bytes[end - 1] === RETURN;
    const text = withoutSpaces(bytes.subarray(start, isReturn ? end - 1 : end));
    if (text.length > 0 && text[0] !== HASH) lines.push({ text, number });
    start = end + 1;
  }
  return lines;
}

/** Spaces at the end go, unless a backslash holds them. */
function withoutSpaces(line: Uint8Array): Uint8Array {
  let end = 0;
  for (let index = 0; index < line.length; index++) {
    if (line[index] === BACKSLASH) {
      index++;
      // A lone backslash at the end keeps everything before it.
      if (index === line.length) return line;
      end = index + 1;
    } else if (line[index] !== SPACE) end = index + 1;
  }
  return line.subarray(0, end);
}

function parseTyped(text: Uint8Array, where: string, line?: number): GitPattern {
  const pattern = parseGitPattern(text, line);
  if (pattern) return pattern;
  const shown = JSON.stringify(Buffer.from(text).toString());
  throw new EngineError(
    'USAGE',
    `the exclude pattern ${shown} of ${where} matches nothing: it is empty, or a "[", a class or ` +
      'a "\\" in it has no end',
  );
}

async function readRules(file: string): Promise<Uint8Array> {
  let text: Uint8Array;
  try {
    text = await readFile(file);
  } catch (cause) {
    const why = systemCodeOf(cause) ?? 'unknown error';
    throw new EngineError('USAGE', `cannot read exclude patterns from ${file}: ${why}`, { cause });
  }
  checkIgnoreFileBytes(text, file);
  return text;
}

// The lines of an ignore file as kopia reads them (fs/ignorefs/ignorefs.go, bufio.Scanner).

import { EngineError } from '#engine/base/errors.ts';

import { isGoSpace } from './ignore-class.ts';
import { codePointsOf } from './source-name.ts';

/** kopia has no limit; this is many thousand rules, each of which is tried for each entry. */
export const IGNORE_FILE_BYTES_MAX = 1024 * 1024;
/** From a line as long as this on, its end not counted, kopia's scanner silently stops reading. */
const LINE_BYTES_MAX = 64 * 1024;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const HASH = 0x23;

/** @throws LIMIT_EXCEEDED */
export function checkIgnoreFileBytes({ length }: Uint8Array, name = 'the file'): void {
  if (length <= IGNORE_FILE_BYTES_MAX) return;
  // How many it has nobody knows: of a file in the source no more is read than shows that.
  const problem = `has more than ${IGNORE_FILE_BYTES_MAX} bytes; shorten it`;
  throw new EngineError('LIMIT_EXCEEDED', `${name} ${problem}`);
}

export interface IgnoreLine {
  readonly text: Uint8Array;
  /** From 1. */
  readonly number: number;
}

/**
 * The patterns in an ignore file, unparsed. `#` makes a comment in the first column only; a line of
 * spaces says nothing.
 * @throws LIMIT_EXCEEDED
 */
export function ignoreFileLines(text: Uint8Array): IgnoreLine[] {
  checkIgnoreFileBytes(text);
  const lines: IgnoreLine[] = [];
  for (let start = 0, number = 1; start < text.length; number++) {
    const newline = text.indexOf(NEWLINE, start);
    const end = newline === -1 ? text.length : newline;
    if (end - start >= LINE_BYTES_MAX) break;
    const line = text.subarray(start, end > start && text[end - 1] === RETURN ? end - 1 : end);
    if (line[0] !== HASH && !codePointsOf(line).every(isGoSpace)) {
      lines.push({ text: line, number });
    }
    start = end + 1;
  }
  return lines;
}

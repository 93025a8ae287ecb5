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

/**
 * The patterns in an ignore file, unparsed. `#` makes a comment in the first column only; a line of
 * spaces says nothing.
 * @throws LIMIT_EXCEEDED
 */
export function ignoreFileLines(text: Uint8Array): Uint8Array[] {
  if (text.length > IGNORE_FILE_BYTES_MAX) {
    throw new EngineError(
      'LIMIT_EXCEEDED',
      `an ignore file has ${text.length} bytes, more than ${IGNORE_FILE_BYTES_MAX}; shorten it`,
    );
  }
  const lines: Uint8Array[] = [];
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf(NEWLINE, start);
    const end = newline === -1 ? text.length : newline;
    if (end - start >= LINE_BYTES_MAX) break;
    const line = text.subarray(start, end > start && text[end - 1] === RETURN ? end - 1 : end);
    if (line[0] !== HASH && !codePointsOf(line).every(isGoSpace)) lines.push(line);
    start = end + 1;
  }
  return lines;
}

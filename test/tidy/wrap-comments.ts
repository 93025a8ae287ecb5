// `npm run format` runs this: comments that are too wide go on in the next line. Prettier leaves
// comments alone, and nobody counts columns.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSourceFiles, REPOSITORY_ROOT } from './source-files.ts';
import { COLUMNS_MAX } from './tidy-rules.ts';

const COMMENT_LINE = /^(\s*(?:\/\/|\*) )(.*)$/;
const ONE_LINE_BLOCK = /^(\s*)\/\*\* (.*) \*\/$/;
/** Lines that begin something of their own: lists, tags, tables, what is indented, nothing. */
const BEGINS = /^(-|@|\||\d+\.|\s|$)/;

/** `text` with every comment line within COLUMNS_MAX, as far as it has blanks to break at. */
export function wrapComments(text: string): string {
  const lines = text.split('\n');
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? '';
    if (line.length <= COLUMNS_MAX) continue;
    const block = ONE_LINE_BLOCK.exec(line);
    if (block) {
      const [, indent = '', body = ''] = block;
      lines.splice(index, 1, `${indent}/**`, `${indent} * ${body}`, `${indent} */`);
      continue;
    }
    const [, lead, body] = COMMENT_LINE.exec(line) ?? [];
    if (lead === undefined || body === undefined) continue;
    const at = line.lastIndexOf(' ', COLUMNS_MAX);
    if (at < lead.length) continue;
    lines[index] = line.slice(0, at);
    carryOver(lines, index + 1, { lead, rest: line.slice(at + 1), body });
  }
  return lines.join('\n');
}

/** Puts `rest` before the next line of the same paragraph, or into a line of its own. */
function carryOver(
  lines: string[],
  index: number,
  { lead, rest, body }: { lead: string; rest: string; body: string },
): void {
  const [, nextLead, nextBody = ''] = COMMENT_LINE.exec(lines[index] ?? '') ?? [];
  if (nextLead === lead && !BEGINS.test(nextBody)) {
    lines[index] = `${lead}${rest} ${nextBody}`;
    return;
  }
  const hanging =
    body.startsWith('- ') || body.startsWith('@') ? '  ' : (/^\s*/.exec(body)?.[0] ?? '');
  lines.splice(index, 0, `${lead}${hanging}${rest}`);
}

if (import.meta.main) {
  for (const { path, text } of readSourceFiles()) {
    const wrapped = wrapComments(text);
    if (wrapped !== text) writeFileSync(join(REPOSITORY_ROOT, path), wrapped);
  }
}

// The fenced blocks of the documentation, for the tests that run what they say.

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY_ROOT } from '#test/tidy/source-files.ts';

export interface PageBlock {
  /** From the repository's root: `docs/cli.md`. */
  readonly page: string;
  /** Of the fence; its first line of text is the next one. */
  readonly line: number;
  /** The heading that it stands below; of what is above all others, that of the page. */
  readonly section: string;
  /** The first word behind the fence. */
  readonly language: string;
  readonly text: string;
}

const FENCE = /^( *)```(\S*)/;
const HEADING = /^#+ (.+)$/;

/** Decisions (docs/adr) show what was true when they were taken. */
export function documentationPages(): string[] {
  return globSync(['*.md', 'docs/*.md', 'docs/runbooks/*.md'], { cwd: REPOSITORY_ROOT }).sort();
}

export function blocksOf(page: string): PageBlock[] {
  return blocksIn(page, readFileSync(join(REPOSITORY_ROOT, page), 'utf8'));
}

export function blocksIn(page: string, text: string): PageBlock[] {
  const blocks: PageBlock[] = [];
  let section = '';
  let open: (Omit<PageBlock, 'text'> & { readonly indent: number; lines: string[] }) | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const [fence, indent = '', language = ''] = FENCE.exec(line) ?? [];
    if (open !== undefined && fence !== undefined) {
      const { indent: _, lines, ...block } = open;
      blocks.push({ ...block, text: lines.join('\n') });
      open = undefined;
    } else if (open !== undefined) {
      open.lines.push(line.slice(open.indent));
    } else if (fence !== undefined) {
      open = { page, line: index + 1, section, language, indent: indent.length, lines: [] };
    } else {
      section = HEADING.exec(line)?.[1] ?? section;
    }
  }
  if (open !== undefined) throw new Error(`${page}:${open.line} a block has no end`);
  return blocks;
}

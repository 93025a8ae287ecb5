// Lists of what `verify` and `repo check` found to be wrong.

import { counted } from './quantity.ts';
import { safeText } from './terminal-text.ts';

export interface Problem {
  readonly path?: string;
  readonly contentId?: string;
  readonly code: string;
  readonly message: string;
}

const SHOWN_MAX = 100;

export function renderProblems(problems: readonly Problem[]): string {
  if (problems.length === 0) return '\nNo problems found.\n';
  const lines = problems.slice(0, SHOWN_MAX).map(({ path, contentId, code, message }) => {
    const where = path ?? contentId;
    return `  ${where === undefined ? '' : `${safeText(where)}: `}${safeText(message)} (${code})\n`;
  });
  const more = problems.length - lines.length;
  const rest = more > 0 ? `  and ${counted(more, 'other')}; -o json lists all\n` : '';
  return (
    `\n${counted(problems.length, 'problem')} found\n${lines.join('')}${rest}` +
    'What a code means and what to do: docs/errors.md\n'
  );
}

// Lists of what `verify` and `repo check` found to be wrong, and of what a backup could not store.

import { counted } from './quantity.ts';
import { safeText } from './terminal-text.ts';

export interface Problem {
  readonly path?: string;
  readonly contentId?: string;
  readonly packId?: string;
  readonly code: string;
  readonly message: string;
}

const SHOWN_MAX = 100;
const ENTRIES_SHOWN_MAX = 50;

/** `count` where there are more than are listed. */
export function renderProblems(problems: readonly Problem[], count = problems.length): string {
  if (count === 0) return '\nNo problems found.\n';
  const lines = problems.slice(0, SHOWN_MAX).map(({ path, contentId, packId, code, message }) => {
    const where = path ?? contentId ?? packId;
    const isNamed = where === undefined || message.includes(where);
    return `  ${isNamed ? '' : `${safeText(where)}: `}${safeText(message)} (${code})\n`;
  });
  const more = count - lines.length;
  const rest = more > 0 ? `  and ${counted(more, 'other')}; -o json lists more\n` : '';
  return (
    `\n${counted(count, 'problem')} found\n${lines.join('')}${rest}` +
    'What a code means and what to do: docs/errors.md\n'
  );
}

/** Entries of a source that something is to be said about; '' when there are none. */
export function renderEntries(
  title: string,
  entries: readonly (Problem & { readonly path: string })[],
  count: number,
): string {
  if (entries.length === 0) return '';
  const lines = entries.slice(0, ENTRIES_SHOWN_MAX).map(({ path, code, message }) => {
    const where = message.includes(path) ? '' : `${safeText(path)}: `;
    return `  ${where}${safeText(message)} (${code})\n`;
  });
  const more = count - lines.length;
  const rest = more > 0 ? `  and ${counted(more, 'other')}; -o json lists all\n` : '';
  return `\n${title}: ${counted(count, 'entry', 'entries')}\n${lines.join('')}${rest}`;
}

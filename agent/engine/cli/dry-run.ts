// What `backup --dry-run` shows.

import { counted, formatBytes, formatDuration } from './quantity.ts';
import { renderFields, renderTable, type Column } from './table.ts';
import { safeText } from './terminal-text.ts';
import type { Engine } from './verb.ts';

export type SurveyOutcome = Awaited<ReturnType<Engine['surveyBackup']>>;
type Excluded = SurveyOutcome['excluded'][number];

const UNREADABLE_SHOWN_MAX = 50;

const COLUMNS: Column<Excluded>[] = [
  { title: 'left out by', text: ({ by }) => LABELS[by] },
  { title: 'files', isRight: true, text: ({ files }) => String(files) },
  { title: 'directories', isRight: true, text: ({ directories }) => String(directories) },
  { title: 'size', isRight: true, text: ({ bytes }) => (bytes === 0 ? '' : formatBytes(bytes)) },
];

const LABELS: Readonly<Record<Excluded['by'], string>> = Object.freeze({
  'command line': 'patterns of the command line',
  policy: 'patterns of policies',
  'ignore file': 'ignore files',
  'cache directory': 'CACHEDIR.TAG',
  'too large': 'size',
  'other file system': 'file system',
});

export function renderSurvey(outcome: SurveyOutcome): string {
  const { files, excluded, bytesToUploadMax, durationMs } = outcome;
  const countOf = (count: SurveyOutcome['files']['new']) =>
    `${counted(count.files, 'file')}, ${formatBytes(count.bytes)}`;
  const fields: [string, string][] = [
    ['new', countOf(files.new)],
    ['changed', countOf(files.changed)],
    ['unchanged', countOf(files.unchanged)],
    [
      'besides',
      `${counted(outcome.directories, 'directory', 'directories')}, ` +
        counted(outcome.links, 'link') +
        (outcome.others > 0 ? `, ${counted(outcome.others, 'special file')}` : ''),
    ],
    ['to send', `at most ${formatBytes(bytesToUploadMax)}, and the directories`],
    ['took', formatDuration(durationMs)],
  ];
  const left = excluded.length === 0 ? '' : `\n${renderTable(COLUMNS, excluded)}${NOTE}`;
  const head = 'Nothing was stored. A backup would find:';
  return `${head}\n\n${renderFields(fields)}${left}${renderUnreadable(outcome)}`;
}

const NOTE = 'A directory that is left out counts as one; what is in it was not looked at.\n';

function renderUnreadable({ unreadable, unreadableCount }: SurveyOutcome): string {
  if (unreadableCount === 0) return '';
  const lines = unreadable.slice(0, UNREADABLE_SHOWN_MAX).map(({ path, code, message }) => {
    const where = message.includes(path) ? '' : `${safeText(path)}: `;
    return `  ${where}${safeText(message)} (${code})\n`;
  });
  const more = unreadableCount - lines.length;
  const rest = more > 0 ? `  and ${counted(more, 'other')}; -o json lists all\n` : '';
  const count = counted(unreadableCount, 'entry', 'entries');
  return `\nCannot be read: ${count}\n${lines.join('')}${rest}`;
}

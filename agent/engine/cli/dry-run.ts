// What `backup --dry-run` shows.

import { renderEntries } from './problems.ts';
import { counted, formatBytes, formatDuration } from './quantity.ts';
import { renderFields, renderTable, type Column } from './table.ts';
import type { Engine } from './verb.ts';

export type SurveyOutcome = Awaited<ReturnType<Engine['surveyBackup']>>;
type Excluded = SurveyOutcome['excluded'][number];

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
  const failed = renderEntries('Cannot be read', outcome.unreadable, outcome.unreadableCount);
  const head = 'Nothing was stored. A backup would find:';
  return `${head}\n\n${renderFields(fields)}${left}${failed}`;
}

const NOTE = 'A directory that is left out counts as one; what is in it was not looked at.\n';

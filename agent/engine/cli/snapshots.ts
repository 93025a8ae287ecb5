// stevedore snapshots

import { EXIT } from './exit-status.ts';
import { isSet, optionalText, parseTags, textList, type OptionValues } from './option-values.ts';
import { counted, formatAge, formatBytes, formatCount } from './quantity.ts';
import { type Column, renderUsedColumns } from './table.ts';
import { safeText } from './terminal-text.ts';
import type { Engine, Verb } from './verb.ts';

type Filter = NonNullable<Parameters<Engine['listSnapshots']>[1]>;
export type SnapshotSummary = Awaited<ReturnType<Engine['listSnapshots']>>[number];

/** Enough for a person; lengthened where two begin alike. */
const ID_DIGITS_MIN = 10;

export function snapshotFilter(options: OptionValues): Filter {
  const source = {
    user: optionalText(options, 'user'),
    host: optionalText(options, 'host'),
    path: optionalText(options, 'sourcePath'),
  };
  const given = Object.entries(source).filter(([, value]) => value !== undefined);
  const tags = parseTags(textList(options, 'tag'));
  return {
    source: given.length === 0 ? undefined : Object.fromEntries(given),
    tags: Object.keys(tags).length === 0 ? undefined : tags,
    includeIncomplete: isSet(options, 'incomplete'),
  };
}

/** A table for each source, the newest snapshot last, where the eye is. */
export function renderSnapshots(snapshots: readonly SnapshotSummary[], nowMs: number): string {
  if (snapshots.length === 0) return "No snapshots; 'stevedore backup PATH' makes one.\n";
  const digits = shortestUnique(snapshots.map(({ id }) => id));
  const columns = columnsOf(digits, nowMs);
  const groups = Map.groupBy(
    snapshots,
    ({ source }) => `${source.user}@${source.host}:${source.path}`,
  );
  const tables = [...groups].map(([source, rows]) => {
    const sorted = rows.toSorted((a, b) => Date.parse(a.startTime) - Date.parse(b.startTime));
    return `${safeText(source)}\n${indented(renderUsedColumns(columns, sorted))}`;
  });
  const sources = counted(groups.size, 'source');
  return `${tables.join('\n')}\n${counted(snapshots.length, 'snapshot')} of ${sources}\n`;
}

/** The number of digits with which no two of `ids` are mixed up. */
export function shortestUnique(ids: readonly string[]): number {
  const sorted = ids.toSorted();
  let digits = ID_DIGITS_MIN;
  for (let index = 1; index < sorted.length; index++) {
    const [a = '', b = ''] = [sorted[index - 1], sorted[index]];
    while (a !== b && digits < a.length && a.slice(0, digits) === b.slice(0, digits)) digits++;
  }
  return digits;
}

function columnsOf(digits: number, nowMs: number): Column<SnapshotSummary>[] {
  return [
    { title: 'id', text: ({ id }) => safeText(id.slice(0, digits)) },
    { title: 'taken', text: ({ startTime }) => localTime(startTime) },
    { title: '', text: ({ startTime }) => formatAge(Date.parse(startTime), nowMs) },
    { title: 'files', isRight: true, text: ({ files }) => formatCount(files) },
    { title: 'size', isRight: true, text: ({ bytes }) => formatBytes(bytes) },
    { title: 'tags', text: ({ tags }) => tagText(tags) },
    { title: 'description', text: ({ description }) => safeText(description ?? '') },
    { title: 'state', text: stateText },
  ];
}

/** Empty for a snapshot that is as it should be. */
function stateText({ incomplete, problem }: SnapshotSummary): string {
  if (problem !== undefined) return `damaged: ${safeText(problem.code)}`;
  return incomplete === '' ? '' : `incomplete: ${safeText(incomplete)}`;
}

function tagText(tags: SnapshotSummary['tags']): string {
  return Object.entries(tags ?? {})
    .map(([key, value]) => safeText(`${key}:${value}`))
    .join(' ');
}

/** `2026-11-20 17:21` where the reader is. */
export function localTime(timestamp: string): string {
  const date = new Date(timestamp);
  if (Number.isNaN(date.getTime())) return safeText(timestamp);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}

export const snapshots: Verb = Object.freeze({
  words: ['snapshots'],
  operands: '',
  summary: 'list what is stored',
  description:
    'Lists the snapshots of the repository by source. Any beginning of an id that is unique can ' +
    'be used in place of the id, and latest stands for the newest of all.',
  options: [
    { flags: '--user <name>', text: 'only sources of this user' },
    { flags: '--host <name>', text: 'only sources of this host' },
    { flags: '--source-path <path>', text: 'only sources with this path' },
    { flags: '--tag <key:value>', text: 'only snapshots with this label', isRepeatable: true },
    { flags: '--incomplete', text: 'also the checkpoints of backups that did not end' },
  ],
  examples: [
    { command: 'stevedore snapshots', text: 'everything' },
    { command: 'stevedore snapshots --source-path /srv/www', text: 'one directory' },
  ],
  prepare: (_operands, options) => {
    const filter = snapshotFilter(options);
    return session =>
      session.withRepository({ isReadOnly: true }, async repository => {
        const found = await session.engine.listSnapshots(repository, filter);
        await session.output.report(found, () => renderSnapshots(found, session.nowMs));
        return EXIT.done;
      });
  },
} satisfies Verb);

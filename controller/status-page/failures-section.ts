// The last moves that did not end as they should have, and what to do about each.

import { formatAge } from '#engine/cli/quantity.ts';
import { adviceOf } from './advice.ts';
import { html, type Html, name, type Part } from './html.ts';
import { volumeCell, wordsOf } from './moves-section.ts';
import { type PageQuery, shownOf } from './page-query.ts';
import type { ShownFailure, StatusView } from './status-view.ts';
import { type Column, section, table } from './table.ts';

export function failuresSection({ failures, nowMs }: StatusView, query: PageQuery): Html {
  const shown = shownOf(failures, query, failure => [
    ...[...wordsOf(failure), failure.node, failure.code, failure.message],
  ]);
  const content = table({
    ...{ id: 'failures', columns: columnsAt(nowMs), shown },
    caption: 'The last moves that failed, were cancelled or are not whole, the newest first',
    empty: 'None has failed since this controller started, nor as far as agents remember.',
  });
  return section({ id: 'failures', title: 'Last failures' }, content);
}

function columnsAt(nowMs: number): Column<ShownFailure>[] {
  return [
    { title: 'Volume', isHead: true, cell: failure => volumeCell(failure) },
    { title: 'When', cell: ({ endedAtMs }) => timeCell(endedAtMs, nowMs) },
    { title: 'Node', isWide: true, cell: ({ node }) => (node === '' ? '–' : name(node)) },
    { title: 'What happened', isWide: true, cell: happened },
    { title: 'What to do', isWide: true, cell: failure => adviceOf(failure) },
  ];
}

const PHASES: Readonly<Record<string, string>> = Object.freeze({
  Failed: 'Failed',
  Canceled: 'Cancelled',
  Completed: 'Not whole',
});

function happened({ phase, message }: ShownFailure): Part {
  return html`<b>${PHASES[phase] ?? name(phase)}:</b> ${message === '' ? 'no message' : message}`;
}

function timeCell(ms: number, nowMs: number): Part {
  const text = new Date(ms).toISOString();
  return html`<time datetime="${text}">${formatAge(ms, nowMs)}</time>`;
}

// The bandwidth of the cluster: what is used of what, and which rates hold when.

import { formatBytes } from '#engine/cli/quantity.ts';
import type { ClusterOverview, RateOverview } from '#proto/overview-messages.ts';
import { html, type Html, name, type Part } from './html.ts';
import type { RateView, StatusView, WindowView } from './status-view.ts';
import { type Column, section, table } from './table.ts';

export function ratesSection({ overview, rates }: StatusView): Html {
  const rows = rowsOf(rates);
  const shown = { items: rows, fitCount: rows.length, allCount: rows.length };
  const content = html`${usedTable(overview)}${table({
    ...{ id: 'windows', columns: WINDOWS, shown },
    caption: 'Windows in their order: the first that is open holds',
    empty: '',
    classOf: ({ now }) => (now === 'holds now' ? 'holds' : ''),
  })}`;
  return section({ id: 'bandwidth', title: 'Bandwidth' }, content);
}

/** Of the cluster, in one direction: what is used, and of what. */
export function rateTexts({ used, limit }: RateOverview): readonly [string, string] {
  const most = limit === undefined ? 'no limit' : `of at most ${formatBytes(limit)}/s`;
  return [`${formatBytes(used)}/s`, most];
}

function usedTable({ upload, download }: ClusterOverview): Html {
  const items: readonly Direction[] = [
    ['Uploads', upload],
    ['Downloads', download],
  ];
  const shown = { items, fitCount: 2, allCount: 2 };
  const caption = 'What all nodes use together';
  return table({ ...{ id: 'rates', caption, columns: DIRECTIONS, shown }, empty: '' });
}

type Direction = readonly [string, RateOverview];

const DIRECTIONS: readonly Column<Direction>[] = [
  { title: 'Direction', isHead: true, cell: ([title]) => title },
  { title: 'Used', isRight: true, cell: ([, { used }]) => perSecond(used) },
  { title: 'Given to nodes', isRight: true, cell: ([, { given }]) => perSecond(given) },
  { title: 'Limit', isRight: true, cell: ([, { limit }]) => perSecond(limit) },
  { title: 'Of the limit', cell: meterCell },
];

function meterCell([title, { used, limit }]: Direction): Part {
  if (limit === undefined || limit === 0) return '–';
  const label = `${title}: ${formatBytes(used)}/s of ${formatBytes(limit)}/s`;
  return html`<meter
    max="${limit}"
    value="${Math.min(used, limit)}"
    aria-label="${label}"
  ></meter>`;
}

interface Row {
  readonly title: string;
  readonly when: string;
  readonly upload: number | undefined;
  readonly download: number | undefined;
  readonly now: Part;
}

function rowsOf({ outside, windows }: RateView): Row[] {
  const isOutside = !windows.some(({ holds }) => holds);
  return [
    ...windows.map(window => ({
      ...{
        title: name(window.name),
        when: `${window.from} to ${window.until}, ${window.timeZone}`,
      },
      ...{ upload: window.uploadBytesPerSecond, download: window.downloadBytesPerSecond },
      now: nowText(window),
    })),
    {
      ...{ title: windows.length === 0 ? 'always' : 'otherwise', when: '–' },
      ...{ upload: outside.uploadBytesPerSecond, download: outside.downloadBytesPerSecond },
      now: isOutside ? 'holds now' : '–',
    },
  ];
}

const WINDOWS: readonly Column<Row>[] = [
  { title: 'Window', isHead: true, cell: ({ title }) => title },
  { title: 'From and until', cell: ({ when }) => when },
  { title: 'Uploads', isRight: true, cell: ({ upload }) => perSecond(upload) },
  { title: 'Downloads', isRight: true, cell: ({ download }) => perSecond(download) },
  { title: 'Now', cell: ({ now }) => now },
];

function nowText({ isOpen, holds, opensMs, closesMs }: WindowView): Part {
  if (holds) return 'holds now';
  if (isOpen) return html`open, behind another; closes ${timeCell(closesMs)}`;
  return opensMs === undefined ? 'never opens' : html`opens ${timeCell(opensMs)}`;
}

function timeCell(ms: number | undefined): Part {
  if (ms === undefined) return 'never';
  const text = new Date(ms).toISOString();
  return html`<time datetime="${text}">${text.slice(0, 16).replace('T', ' ')} UTC</time>`;
}

function perSecond(bytes: number | undefined): string {
  return bytes === undefined ? 'no limit' : `${formatBytes(bytes)}/s`;
}

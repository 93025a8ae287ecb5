// What moves and what waits for it, in the words of `stevedore queue`.

import { causeText } from '#agent/coordinator/wait-text.ts';
import { leftText, percentOf, rateText, storageText } from '#controller/commands/move-pace.ts';
import { reasonText } from '#controller/commands/queue-report.ts';
import { formatBytes, formatCount, formatDuration } from '#engine/cli/quantity.ts';
import type { ClusterOverview, RunningMove, WaitingMove } from '#proto/overview-messages.ts';
import type { SlotVolume } from '#proto/slot-messages.ts';
import { html, type Html, name, type Part } from './html.ts';
import { type PageQuery, shownOf } from './page-query.ts';
import { type Column, section, table } from './table.ts';

export function runningSection({ running }: ClusterOverview, query: PageQuery): Html {
  const standing = (move: RunningMove) => (isStanding(move) ? 0 : 1);
  // Both parts stay in their order: the one that runs longest first.
  const sorted = [...running].sort((one, other) => standing(one) - standing(other));
  const shown = shownOf(sorted, query, ({ volume, node }) => [...wordsOf(volume), node]);
  const content = table({
    ...{ id: 'moves', columns: RUNNING, shown },
    caption: 'Moves that run: those without progress first, then those that run longest',
    empty: 'Nothing moves.',
    classOf: move => (isStanding(move) ? 'warned' : ''),
  });
  return section({ id: 'moves', title: 'Running moves' }, content);
}

export function waitingSection({ waiting }: ClusterOverview, query: PageQuery): Html {
  const byId = new Map(waiting.map(({ volume }) => [volume.id, volume]));
  const because = ({ wait, keptFor }: WaitingMove) => {
    const first = byId.get(keptFor);
    return causeText(wait, first && volumeName(first));
  };
  const shown = shownOf(waiting, query, each => [
    ...[...wordsOf(each.volume), ...each.nodes, because(each)],
  ]);
  const content = table({
    ...{ id: 'queue', shown, columns: waitingColumns(because) },
    caption: 'Volumes that wait for a slot, in the order of the queue',
    empty: 'Nothing waits.',
  });
  return section({ id: 'queue', title: 'Queue' }, content);
}

const RUNNING: readonly Column<RunningMove>[] = [
  { title: 'Volume', isHead: true, cell: ({ volume }) => volumeCell(volume) },
  { title: 'Node', isWide: true, cell: ({ node }) => name(node) },
  { title: 'Progress', cell: progressCell },
  { title: 'Rate', isRight: true, cell: rateCell },
  { title: 'Time left', isRight: true, cell: ({ progress }) => leftText(progress) ?? '–' },
  { title: 'Storage', isRight: true, cell: ({ progress }) => storageText(progress) ?? '–' },
  { title: 'For', isRight: true, cell: ({ runningMs }) => formatDuration(runningMs) },
  { title: 'Why now', isWide: true, cell: ({ grant }) => reasonText(grant?.reason) },
];

function waitingColumns(because: (move: WaitingMove) => string): Column<WaitingMove>[] {
  return [
    { title: 'Place', isRight: true, cell: ({ wait }) => formatCount(wait.place) },
    { title: 'Volume', isHead: true, cell: ({ volume }) => volumeCell(volume) },
    { title: 'Priority', isRight: true, cell: ({ priority }) => priority },
    { title: 'For', isRight: true, cell: ({ waitedMs }) => formatDuration(waitedMs) },
    { title: 'Waits, because', isWide: true, cell: move => because(move) },
    { title: 'On', isWide: true, cell: ({ nodes }) => nodesText(nodes) },
  ];
}

export function volumeCell(volume: NamedVolume): Part {
  const { move, id } = volume;
  const words = move === undefined || move === '' ? id : move;
  return html`${volumeName(volume)}<span class="words">${name(words)}</span>`;
}

type NamedVolume = Pick<SlotVolume, 'id' | 'namespace' | 'pod' | 'move' | 'volumeName'>;

/** `shop/db-0 data` */
function volumeName({ namespace, pod, volumeName = '' }: NamedVolume): string {
  const of = pod === '' ? name(namespace) : `${name(namespace)}/${name(pod)}`;
  return `${of} ${name(volumeName)}`.trim();
}

export function wordsOf(volume: NamedVolume): string[] {
  return [volumeName(volume), `${volume.namespace}/${volume.pod}`, volume.move ?? '', volume.id];
}

function isStanding({ progress }: RunningMove): boolean {
  return progress?.doneBytesPerSecond === 0;
}

function progressCell({ progress, volume }: RunningMove): Part {
  if (progress === undefined) return '–';
  const { doneBytes, totalBytes } = progress;
  const percent = percentOf(progress);
  const done = formatBytes(doneBytes);
  if (totalBytes === undefined || percent === undefined) {
    return html`<span class="words">${done} of an unknown size</span>`;
  }
  const label = `Progress of ${volumeName(volume)}`;
  return html`<progress max="100" value="${percent}" aria-label="${label}"></progress
    ><span class="words">${done} of ${formatBytes(totalBytes)}, ${percent} %</span>`;
}

function rateCell(move: RunningMove): string {
  return isStanding(move) ? '! nothing' : (rateText(move.progress) ?? '–');
}

const NODES_SHOWN_MAX = 3;

function nodesText(nodes: readonly string[]): string {
  const named = nodes.slice(0, NODES_SHOWN_MAX).map(name).join(', ');
  const rest = nodes.length - NODES_SHOWN_MAX;
  return rest <= 0 ? named : `${named} and ${formatCount(rest)} more`;
}

// The nodes, those that are nearest to trouble first.

import { counted, formatBytes, formatCount, formatDuration } from '#engine/cli/quantity.ts';
import type { NodeOverview } from '#proto/overview-messages.ts';
import { cacheCell, lineMark } from './cache-bar.ts';
import { html, type Html, name, type Part } from './html.ts';
import { byTrouble, type NodeTrouble } from './node-trouble.ts';
import { type PageQuery, shownOf } from './page-query.ts';
import { type Column, section, table } from './table.ts';

type Row = readonly [NodeOverview, NodeTrouble];

export function nodesSection(nodes: readonly NodeOverview[], query: PageQuery): Html {
  const shown = shownOf(byTrouble(nodes), query, ([node, { text }]) => [node.name, text]);
  const content = table({
    ...{ id: 'nodes', columns: COLUMNS, shown },
    caption: 'Nodes that have an agent, those that are nearest to trouble first',
    empty: 'No agent has come yet.',
    classOf: ([, { level }]) => LEVELS[level],
  });
  return section({ id: 'nodes', title: 'Nodes', note: LEGEND }, content);
}

/** Nodes that hurt or will, of all. */
export function troubleText(nodes: readonly NodeOverview[]): string {
  const levels = byTrouble(nodes).map(([, { level }]) => level);
  const hurt = levels.filter(level => level === 2).length;
  const warned = levels.filter(level => level === 1).length;
  const parts = [`${counted(nodes.length, 'node')}`];
  if (hurt > 0) parts.push(`${formatCount(hurt)} in trouble`);
  if (warned > 0) parts.push(`${formatCount(warned)} to look at`);
  return parts.join(', ');
}

const LEVELS = ['well', 'warned', 'hurt'] as const;
const MARKS = ['', '! ', '!! '] as const;

const LEGEND = html`<p class="legend" aria-hidden="true">
  <span class="key used"></span>used <span class="key reserved"></span>reserved
  <span class="key limit"></span>limit
  <svg class="key" viewBox="0 0 10 14"><path class="line" d="${lineMark(5)}" /></svg>eviction line,
  where it is near
</p>`;

const COLUMNS: readonly Column<Row>[] = [
  { title: 'Node', isHead: true, cell: ([node]) => name(node.name) },
  { title: 'State', isWide: true, cell: stateCell },
  { title: 'Cache', cell: ([node]) => cacheCell(node) },
  {
    title: 'Slots',
    isRight: true,
    cell: ([{ slotsUsed, slotsMax }]) => `${slotsUsed} of ${slotsMax}`,
  },
  { title: 'Waiting', isRight: true, cell: ([{ waitingCount }]) => formatCount(waitingCount) },
  { title: 'Memory', isRight: true, cell: ([node]) => memoryText(node) },
  { title: 'Agent', cell: ([node]) => agentText(node) },
];

function stateCell([, { level, text }]: Row): Part {
  return html`<span class="state">${MARKS[level]}${text}</span>`;
}

function memoryText({ heartbeat }: NodeOverview): string {
  if (heartbeat === undefined) return '–';
  const { usedBytes, limitBytes } = heartbeat.memory;
  const used = formatBytes(usedBytes);
  return limitBytes === undefined ? used : `${used} of ${formatBytes(limitBytes)}`;
}

function agentText({ isConnected, version, connectedMs }: NodeOverview): string {
  return isConnected ? `${name(version)}, for ${formatDuration(connectedMs)}` : '–';
}

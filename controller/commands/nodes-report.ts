// `stevedore nodes`: how each node with an agent does, as a table and as a document.

import { counted, formatBytes, formatCount, formatDuration } from '#engine/cli/quantity.ts';
import { type Column, renderUsedColumns } from '#engine/cli/table.ts';
import { safeText } from '#engine/cli/terminal-text.ts';
import type { BandwidthShare } from '#proto/agent-saying.ts';
import type { ClusterOverview, NodeOverview, RateOverview } from '#proto/overview-messages.ts';

export function nodesText(overview: ClusterOverview): string {
  const { nodes } = overview;
  const table = nodes.length === 0 ? '' : renderUsedColumns(COLUMNS, nodes);
  return [`${headline(overview)}\n`, table].filter(part => part !== '').join('\n');
}

export function nodesDocument(overview: ClusterOverview): object {
  const { leader, epoch, upload, download, nodes } = overview;
  return {
    ...{ leader, epoch, upload, download },
    nodes: nodes.map(({ heartbeat, shares, ...node }) => ({
      ...node,
      cache: heartbeat?.cache,
      diskFreeBytes: heartbeat?.diskFreeBytes,
      memory: heartbeat?.memory,
      uploadShareBytesPerSecond: shares.upload?.bytesPerSecond,
      downloadShareBytesPerSecond: shares.download?.bytesPerSecond,
    })),
  };
}

function headline({ nodes, upload, download, leader }: ClusterOverview): string {
  const awayCount = nodes.filter(({ isConnected }) => !isConnected).length;
  const away = awayCount === 0 ? '' : `, ${formatCount(awayCount)} without a session`;
  const rates = `uploads ${rateText(upload)}, downloads ${rateText(download)}`;
  return `${counted(nodes.length, 'node')}${away}; ${rates} (${safeText(leader)} leads)`;
}

function rateText({ used, limit }: RateOverview): string {
  const most = limit === undefined ? 'without a limit' : `of at most ${formatBytes(limit)}/s`;
  return `${formatBytes(used)}/s ${most}`;
}

const COLUMNS: readonly Column<NodeOverview>[] = [
  { title: 'node', text: ({ name }) => safeText(name) },
  { title: 'session', text: sessionText },
  { title: 'version', text: ({ version }) => safeText(version) },
  {
    title: 'slots',
    isRight: true,
    text: ({ slotsUsed, slotsMax }) => `${slotsUsed} of ${slotsMax}`,
  },
  { title: 'wait', isRight: true, text: ({ waitingCount }) => formatCount(waitingCount) },
  { title: 'cache', isRight: true, text: cacheText },
  { title: 'disk free', isRight: true, text: diskText },
  { title: 'memory', isRight: true, text: memoryText },
  { title: 'upload share', isRight: true, text: ({ shares }) => shareText(shares.upload) },
  { title: 'download share', isRight: true, text: ({ shares }) => shareText(shares.download) },
];

function sessionText({ isConnected, connectedMs }: NodeOverview): string {
  return isConnected ? `for ${formatDuration(connectedMs)}` : 'none';
}

function cacheText({ heartbeat }: NodeOverview): string {
  const cache = heartbeat?.cache;
  if (cache === undefined) return '';
  return `${formatBytes(cache.usedBytes)} of ${formatBytes(cache.limitBytes)}`;
}

function diskText({ heartbeat }: NodeOverview): string {
  const bytes = heartbeat?.diskFreeBytes;
  return bytes === undefined ? '' : formatBytes(bytes);
}

function memoryText({ heartbeat }: NodeOverview): string {
  const memory = heartbeat?.memory;
  if (memory === undefined) return '';
  const used = formatBytes(memory.usedBytes);
  return memory.limitBytes === undefined ? used : `${used} of ${formatBytes(memory.limitBytes)}`;
}

/** Empty where nothing moves there. */
function shareText(share: BandwidthShare | undefined): string {
  if (share === undefined) return '';
  return share.bytesPerSecond === undefined ? 'no limit' : `${formatBytes(share.bytesPerSecond)}/s`;
}

// `stevedore queue`: what moves and what waits for it, as tables and as a document.

import { causeText } from '#agent/coordinator/wait-text.ts';
import { counted, formatBytes, formatCount, formatDuration } from '#engine/cli/quantity.ts';
import { type Column, renderUsedColumns } from '#engine/cli/table.ts';
import { safeText } from '#engine/cli/terminal-text.ts';
import type { MoveRate } from '#proto/agent-saying.ts';
import type { ClusterOverview, RunningMove, WaitingMove } from '#proto/overview-messages.ts';
import type { GrantReason, SlotVolume } from '#proto/slot-messages.ts';
import { moveText, podText, volumeText } from './move-columns.ts';
import { leftMsOf, leftText, percentOf, rateText, storageText } from './move-pace.ts';

export function queueText(overview: ClusterOverview): string {
  const { running, runningCount, waiting, waitingCount } = overview;
  const parts = [`${headline(overview)}\n`];
  if (running.length > 0) parts.push(renderUsedColumns(RUNNING, running));
  parts.push(more(runningCount - running.length));
  if (waiting.length > 0) parts.push(renderUsedColumns(waitingColumns(overview), waiting));
  parts.push(more(waitingCount - waiting.length));
  return parts.filter(part => part !== '').join('\n');
}

export function queueDocument(overview: ClusterOverview): object {
  const { leader, epoch, isStarting, slotsMax, running, runningCount } = overview;
  const { waiting, waitingCount } = overview;
  return {
    ...{ leader, epoch, isStarting, slotsMax, runningCount },
    running: running.map(({ volume, node, runningMs, grant, progress }) => ({
      ...volumeDocument(volume),
      ...{ node, runningMs, reason: grant?.reason, text: reasonText(grant?.reason) },
      ...(progress && progressDocument(progress)),
    })),
    waitingCount,
    waiting: waiting.map(({ volume, priority, waitedMs, wait, keptFor, nodes }) => ({
      ...volumeDocument(volume),
      ...{ place: wait.place, priority, waitedMs, nodes },
      ...{ cause: wait.cause, limit: wait.limit, text: causeText(wait) },
      keptFor: keptFor === '' ? undefined : keptFor,
    })),
  };
}

function volumeDocument(volume: SlotVolume): object {
  const { id, move, namespace, pod, volumeName, storageClass, location, gang } = volume;
  return { id, move, namespace, pod, volume: volumeName, storageClass, location, gang: gang?.key };
}

function progressDocument({ id: _id, ...progress }: MoveRate): object {
  return { ...progress, percent: percentOf(progress), leftMs: leftMsOf(progress) };
}

function headline(overview: ClusterOverview): string {
  const { leader, isStarting, slotsMax, runningCount, waitingCount } = overview;
  const moving = `${formatCount(runningCount)} of ${formatCount(slotsMax)} slots are used`;
  const wait = `${counted(waitingCount, 'volume')} ${waitingCount === 1 ? 'waits' : 'wait'}`;
  const starting = isStarting ? '; the controller has just started and grants nothing yet' : '';
  return `${moving}, ${wait} (${safeText(leader)} leads${starting})`;
}

function more(count: number): string {
  return count <= 0 ? '' : `and ${formatCount(count)} more\n`;
}

const RUNNING: readonly Column<RunningMove>[] = [
  { title: 'moves', text: ({ volume }) => podText(volume) },
  { title: 'volume', text: ({ volume }) => volumeText(volume) },
  { title: 'node', text: ({ node }) => safeText(node) },
  { title: 'for', isRight: true, text: ({ runningMs }) => formatDuration(runningMs) },
  { title: 'done', isRight: true, text: doneText },
  { title: 'rate', isRight: true, text: ({ progress }) => rateText(progress) ?? '' },
  { title: 'left', isRight: true, text: ({ progress }) => leftText(progress) ?? '' },
  { title: 'storage', isRight: true, text: ({ progress }) => storageText(progress) ?? '' },
  { title: 'why now', text: ({ grant }) => reasonText(grant?.reason) },
  { title: 'as', text: ({ volume }) => moveText(volume) },
];

function waitingColumns({ waiting }: ClusterOverview): Column<WaitingMove>[] {
  const byId = new Map(waiting.map(({ volume }) => [volume.id, volume]));
  const because = ({ wait, keptFor }: WaitingMove) => {
    const first = byId.get(keptFor);
    const named = first && `${podText(first)} ${volumeText(first)}`.trim();
    return causeText(wait, named);
  };
  return [
    { title: 'place', isRight: true, text: ({ wait }) => formatCount(wait.place) },
    { title: 'waits', text: ({ volume }) => podText(volume) },
    { title: 'volume', text: ({ volume }) => volumeText(volume) },
    { title: 'priority', isRight: true, text: ({ priority }) => `${priority}` },
    { title: 'for', isRight: true, text: ({ waitedMs }) => formatDuration(waitedMs) },
    { title: 'because', text: each => safeText(because(each)) },
    { title: 'as', text: ({ volume }) => moveText(volume) },
  ];
}

function doneText({ progress }: RunningMove): string {
  if (progress === undefined) return '';
  const { doneBytes, totalBytes } = progress;
  const [done, percent] = [formatBytes(doneBytes), percentOf(progress)];
  if (totalBytes === undefined || percent === undefined) return done;
  return `${done} of ${formatBytes(totalBytes)}, ${percent} %`;
}

export function reasonText(reason: GrantReason | undefined): string {
  switch (reason?.kind) {
    case undefined:
      return 'began without a controller';
    case 'turn':
      return `its turn at priority ${reason.priority}`;
    case 'overdue':
      return `overdue after ${formatDuration(reason.waitedMs)}`;
    case 'gang':
      return `together with its group of ${reason.count}`;
    case 'wave':
      return `wave ${reason.wave} of its group, ${reason.leftCount} left`;
    case 'later':
      return 'granted by an earlier controller';
  }
}

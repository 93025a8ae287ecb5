// Moves as a table for people. Names come from whoever made the objects.

import { counted, formatBytes, formatDuration, formatShare } from '#engine/cli/quantity.ts';
import { type Column, renderUsedColumns } from '#engine/cli/table.ts';
import { safeText } from '#engine/cli/terminal-text.ts';
import { leftText } from '#controller/commands/move-pace.ts';
import type { ListedMove } from './listed-moves.ts';

export function movesText(moves: readonly ListedMove[], hiddenCount: number): string {
  const count = (isOver: boolean) => moves.filter(move => move.isOver === isOver).length;
  const over = count(true) === 0 ? '' : `, ${count(true)} over`;
  const hidden = hiddenCount === 0 ? '' : ` (${hiddenCount} older with --all)`;
  const head = `${counted(count(false), 'move')} under way or waiting${over}${hidden}\n`;
  if (moves.length === 0) return head;
  const failed = moves.filter(({ message, phase }) => phase === 'Failed' && message !== '');
  const [first] = failed;
  const advice =
    first && `\nWhy: kubectl stevedore why ${safeText(`${first.kind}/${first.name}`)}\n`;
  return `${head}\n${renderUsedColumns(MOVE_COLUMNS, moves)}${advice ?? ''}`;
}

/** Kinds that the identity in use may not list. */
export function unseenText(unseen: readonly string[]): string {
  return unseen.length === 0 ? '' : `\nNot seen: ${unseen.join(', ')}, which you may not list.\n`;
}

export const MOVE_COLUMNS: readonly Column<ListedMove>[] = [
  { title: 'move', text: ({ kind, name }) => safeText(`${kind}/${name}`) },
  { title: 'volume', text: ({ namespace, volume }) => safeText(`${namespace}/${volume}`) },
  { title: 'node', text: ({ node }) => safeText(node) },
  { title: 'phase', text: phaseText },
  { title: 'done', isRight: true, text: doneText },
  { title: 'rate', isRight: true, text: rateText },
  { title: 'left', isRight: true, text: leftOf },
  { title: 'took', isRight: true, text: ({ tookMs }) => durationText(tookMs) },
  { title: 'age', isRight: true, text: ({ ageMs }) => durationText(ageMs) },
];

function phaseText({ phase, isCanceled, isOver }: ListedMove): string {
  return safeText(phase) + (isCanceled && !isOver ? ' (to be canceled)' : '');
}

function doneText({ bytesDone, bytesTotal, isOver }: ListedMove): string {
  if (bytesDone === undefined) return '';
  if (isOver || bytesTotal === undefined || bytesTotal <= 0) return formatBytes(bytesDone);
  return `${formatBytes(bytesDone)}, ${formatShare(bytesDone, bytesTotal)}`;
}

function rateText({ bytesPerSecond: rate }: ListedMove): string {
  return rate === undefined || rate === 0 ? '' : `${formatBytes(rate)}/s`;
}

/** If it goes on like that. */
function leftOf({ bytesDone, bytesTotal, bytesPerSecond, isOver }: ListedMove): string {
  const isKnown = bytesDone !== undefined && bytesTotal !== undefined && bytesTotal > 0;
  if (isOver || !isKnown) return '';
  const pace = { doneBytes: bytesDone, totalBytes: bytesTotal, doneBytesPerSecond: bytesPerSecond };
  return leftText(pace) ?? '';
}

export function durationText(ms: number | undefined): string {
  // The API has whole seconds.
  return ms === undefined ? '' : ms < 1000 ? '0 s' : formatDuration(Math.round(ms / 1000) * 1000);
}

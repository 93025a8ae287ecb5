// How a move is named in a table.

import { safeText } from '#engine/cli/terminal-text.ts';
import type { SlotVolume } from '#proto/slot-messages.ts';

/** `shop/db-0` */
export function podText({ namespace, pod }: SlotVolume): string {
  return safeText(pod === '' ? namespace : `${namespace}/${pod}`);
}

/** `PodVolumeBackup/daily-1`, or its uid where the agent does not name it. */
export function moveText({ move, id }: SlotVolume): string {
  return safeText(move === undefined || move === '' ? id : move);
}

export function volumeText({ volumeName }: SlotVolume): string {
  return safeText(volumeName ?? '');
}

// How a backup of a volume ends, whichever kind of object asked for it.

import assert from 'node:assert/strict';
import type { MoveAdapter, MoveSuccess, StockResult } from './move-adapter.ts';
import { backupMessage } from './move-message.ts';
import { cancelReasonOf } from './move-view.ts';
import type { MoveObject, MoveStatus } from './objects/move-object.ts';
import type { BackupOrder, BackupResult } from './volume-mover.ts';

export function successOfBackup({ moveUid }: BackupOrder, result: BackupResult): MoveSuccess {
  assert.ok(result.snapshotId !== '', 'a backup that ended has a snapshot');
  return {
    status: {
      // As a stock mover of 1.17 sees the volume; 1.16 has the path on the host here, and no server
      // acts by it.
      path: `/${moveUid}`,
      snapshotID: result.snapshotId,
      incrementalBytes: result.incrementalBytes,
    },
    totalBytes: result.totalBytes,
    message: backupMessage(result),
    warning: result.skippedCount > 0 ? 'FilesSkipped' : undefined,
  };
}

export function successOfStockBackup(result: StockResult): MoveSuccess | undefined {
  if (result.snapshotID === undefined || result.snapshotID === '') return undefined;
  return {
    status: {
      path: result.source?.byPath,
      snapshotID: result.snapshotID,
      incrementalBytes: result.incrementalBytes,
    },
    totalBytes: result.totalBytes ?? 0,
    message: result.emptySnapshot === true ? 'the volume was empty' : undefined,
  };
}

interface BackupObject extends MoveObject {
  readonly status?: MoveStatus & { readonly snapshotID?: string };
}

/**
 * Not before the end: when another run has been faster, the object names that one's snapshot. And
 * only where there may be another snapshot than the one that it names, or a state that nobody goes
 * on from: looking costs a repository.
 */
export function forgetsUnreported<Item extends BackupObject>(
  orderOf: (item: Item) => BackupOrder,
): NonNullable<MoveAdapter<Item>['afterEnd']> {
  return async (item, { success, mayHavePublished, isTakenOver }, mover, signal) => {
    const { phase, snapshotID = '' } = item.status ?? {};
    const reportedId = snapshotID === '' ? undefined : snapshotID;
    if (phase === 'Completed' && reportedId === undefined) return;
    const isNamed = success !== undefined && success.status['snapshotID'] === reportedId;
    const isLeft = success === undefined ? mayHavePublished : !isNamed;
    const isGivenUp = phase !== 'Completed' && isUnwanted(item);
    if (!isTakenOver && !isLeft && !isGivenUp) return;
    await mover.forgetUnreported(orderOf(item), { reportedId, isGivenUp }, signal);
  };
}

/**
 * Somebody has cancelled it, or deleted it. A server that was restarted cancels what it does not
 * know any more, and asks for the same volume again: that goes on from the last state.
 */
function isUnwanted(item: MoveObject): boolean {
  const reason = cancelReasonOf(item);
  return reason === 'requested' || reason === 'deletion';
}

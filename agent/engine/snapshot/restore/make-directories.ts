// Makes the directories of a section, in a worker thread: parents before children.

import { isEngineError } from '#engine/base/errors.ts';
import { isOfOneEntry } from '#engine/snapshot/target/target-error.ts';
import { TargetStat } from '#engine/snapshot/target/target-stat.ts';
import { DIRECTORY_STATE } from './plan-tables.ts';
import type { WorkOutcome } from './restore-tasks.ts';
import type { RestoreThread } from './restore-thread.ts';
import { directoryName } from './section-rows.ts';
import { WorkTally } from './work-tally.ts';

export function makeDirectories(thread: RestoreThread, rows: Uint32Array): WorkOutcome {
  const tally = new WorkTally({ isDirectory: true });
  const { parent, state } = thread.view.directories;
  for (const row of rows) {
    thread.throwIfStopped();
    try {
      state[row] = stateOf(thread, row);
    } catch (error) {
      if (!isOfOneEntry(error)) throw error;
      tally.failure(row, error);
      state[row] = DIRECTORY_STATE.failed;
    }
  }
  return tally.outcome();

  function stateOf({ run }: RestoreThread, row: number): number {
    const above = state[parent[row]];
    if (above === DIRECTORY_STATE.failed) return DIRECTORY_STATE.failed;
    if (run.isDryRun) return above === DIRECTORY_STATE.made ? above : stateOfExisting(thread, row);
    return make(thread, row) === 'made' ? DIRECTORY_STATE.made : DIRECTORY_STATE.kept;
  }
}

function stateOfExisting(thread: RestoreThread, row: number): number {
  const { view, fileSystem } = thread;
  const stat = new TargetStat();
  const parent = thread.directoryAt(view.directories.parent[row]);
  const isThere = fileSystem.statAt(parent, directoryName(view, row), stat);
  return isThere && stat.isDirectory ? DIRECTORY_STATE.kept : DIRECTORY_STATE.made;
}

/** Anything but a directory gives way where that was asked for. */
function make(thread: RestoreThread, row: number): 'made' | 'kept' | 'mounted' {
  const { view, fileSystem, run } = thread;
  const parent = thread.directoryAt(view.directories.parent[row]);
  const name = directoryName(view, row);
  try {
    const result = fileSystem.makeDirectory(parent, name);
    if (result === 'mounted') thread.noteMount(parent, name);
    return result;
  } catch (error) {
    const isReplacing = run.overwrite !== undefined && run.overwrite !== 'never';
    if (!isReplacing || !isEngineError(error, 'TARGET_NOT_EMPTY')) throw error;
    fileSystem.remove(parent, name);
    return fileSystem.makeDirectory(parent, name);
  }
}

// Makes the directories of a section, in a worker thread: parents before children.

import { isEngineError } from '#engine/base/errors.ts';
import { isOfOneEntry } from '#engine/snapshot/target/target-error.ts';
import type { MadeDirectory } from '#engine/snapshot/target/target-file-system.ts';
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
    if (run.isDryRun && above === DIRECTORY_STATE.made) return above;
    const result = run.isDryRun ? lookAt(thread, row) : make(thread, row);
    if (result === 'made') return DIRECTORY_STATE.made;
    if (state[row] === DIRECTORY_STATE.passing) return DIRECTORY_STATE.foreign;
    const isMounted = result === 'mounted' || above === DIRECTORY_STATE.mounted;
    return isMounted ? DIRECTORY_STATE.mounted : DIRECTORY_STATE.kept;
  }
}

/** What make() would say. */
function lookAt(thread: RestoreThread, row: number): MadeDirectory {
  const { view, fileSystem } = thread;
  const stat = new TargetStat();
  const parent = thread.directoryAt(view.directories.parent[row]);
  const isThere = fileSystem.statAt(parent, directoryName(view, row), stat);
  if (!isThere || !stat.isDirectory) return 'made';
  return stat.isMountRoot ? 'mounted' : 'kept';
}

/** Anything but a directory gives way where that was asked for. */
function make(thread: RestoreThread, row: number): MadeDirectory {
  const { view, fileSystem, run } = thread;
  const { parent: parents, state } = view.directories;
  const parent = thread.directoryAt(parents[row]);
  const name = directoryName(view, row);
  // What is not given the snapshot's attributes in the end keeps its own.
  const isLeft = run.overwrite === 'never' || state[row] === DIRECTORY_STATE.passing;
  try {
    const result = fileSystem.makeDirectory(parent, name, { isLeft });
    if (result === 'mounted') thread.noteMount(parent, name);
    return result;
  } catch (error) {
    const isReplacing = run.overwrite !== undefined && run.overwrite !== 'never';
    if (!isReplacing || !isEngineError(error, 'TARGET_NOT_EMPTY')) throw error;
    fileSystem.remove(parent, name);
    return fileSystem.makeDirectory(parent, name);
  }
}

// Opens a file of the target again that was begun, or looked at, before.

import { EngineError } from '#engine/base/errors.ts';
import type { TargetFile } from '#engine/snapshot/target/target-handle.ts';
import { TargetStat } from '#engine/snapshot/target/target-stat.ts';
import { isSameFile } from './entry-identity.ts';
import { DIRECTORY_STATE } from './plan-tables.ts';
import type { RestoreThread } from './restore-thread.ts';
import { entryName } from './section-rows.ts';

/** Scratch of this thread; nothing in here waits. */
const stat = new TargetStat();

/** @throws TARGET_NAME_UNSAFE when it is another one by now, or has other names */
export function openExisting(
  thread: RestoreThread,
  row: number,
  access: 'read' | 'write' = 'write',
): TargetFile {
  const { view, fileSystem } = thread;
  const parent = view.entries.directory[row];
  const name = entryName(view, row);
  const file = fileSystem.openFile(thread.directoryAt(parent), name, { access });
  if (file === undefined) throw fileGone(name);
  // A directory that we have made lets nobody else in until it is settled.
  if (view.directories.state[parent] === DIRECTORY_STATE.made) return file;
  fileSystem.statOpen(file, stat);
  if (isSameFile(view.entries, row, stat)) return file;
  file[Symbol.dispose]();
  throw fileGone(name);
}

/** Something else has taken the place of a file that was made or looked at. */
export function fileGone(name: Uint8Array): EngineError {
  const shown = JSON.stringify(Buffer.from(name).toString());
  return new EngineError(
    'TARGET_NAME_UNSAFE',
    `going on with ${shown} was refused: something else has taken its place`,
  );
}

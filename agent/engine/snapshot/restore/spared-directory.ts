// The directory of the repository, which a bind mount may have put into the target: paths and
// places (target-place.ts) do not say so, but the inode does. It stays with all that is in it.

import { TargetStat } from '#engine/snapshot/target/target-stat.ts';
import { NO_ROW } from './plan-tables.ts';
import type { RestoreThread } from './restore-thread.ts';

export class SparedDirectory {
  /** What tells it apart; undefined where the repository is no directory of this machine. */
  readonly stat: TargetStat | undefined;
  readonly #thread: RestoreThread;
  readonly #found = new TargetStat();
  /** By row of the directory. */
  readonly #known = new Map<number, boolean>();

  /** @throws TARGET_NOT_WRITABLE when it cannot be looked at */
  constructor(thread: RestoreThread) {
    this.#thread = thread;
    const { repositoryDirectory } = thread.run;
    if (repositoryDirectory === undefined) return;
    using directory = thread.fileSystem.openRoot(repositoryDirectory);
    this.stat = new TargetStat();
    thread.fileSystem.statOpen(directory, this.stat);
  }

  /** Whether the directory of a row is it, or lies in it. */
  holds(row: number): boolean {
    if (this.stat === undefined || row === NO_ROW) return false;
    let isHeld = this.#known.get(row);
    if (isHeld === undefined) {
      isHeld = this.#is(row, this.stat) || this.holds(this.#thread.view.directories.parent[row]);
      this.#known.set(row, isHeld);
    }
    return isHeld;
  }

  #is(row: number, stat: TargetStat): boolean {
    this.#thread.fileSystem.statOpen(this.#thread.directoryAt(row), this.#found);
    return this.#found.isSameInode(stat);
  }
}

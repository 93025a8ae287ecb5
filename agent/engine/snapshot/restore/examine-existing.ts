// What is to become of an entry for which the target has something of that name already, decided in
// a worker thread before anything is fetched. Sets actions in the section's tables; with a delta,
// marks the chunks that the target has, but of large files.

import { wrapEntryTime } from '#engine/format/entry-time.ts';
import { isOfOneEntry } from '#engine/snapshot/target/target-error.ts';
import type { TargetFile } from '#engine/snapshot/target/target-handle.ts';
import { TargetStat } from '#engine/snapshot/target/target-stat.ts';
import { matchesChunk, otherBytesAt } from './chunk-bytes.ts';
import { noteFile, noteOccupant } from './entry-identity.ts';
import {
  CHUNK_FLAG,
  DIRECTORY_STATE,
  ENTRY_ACTION,
  ENTRY_FLAG,
  ENTRY_KIND,
} from './plan-tables.ts';
import type { ExamineOutcome } from './restore-tasks.ts';
import type { RestoreThread } from './restore-thread.ts';
import { entryAttributes, entryName } from './section-rows.ts';
import { WorkTally } from './work-tally.ts';

/** Files of more bytes are compared by tasks of their own (compare-chunks.ts). */
export const COMPARED_AT_ONCE_BYTES_MAX = 1 << 20;

export function examineRows(thread: RestoreThread, rows: Uint32Array): ExamineOutcome {
  const tally = new WorkTally();
  const examination = new Examination(thread, tally);
  for (const row of rows) {
    thread.throwIfStopped();
    try {
      examination.examine(row);
    } catch (error) {
      if (!isOfOneEntry(error)) throw error;
      tally.failure(row, error);
      thread.view.entries.action[row] = ENTRY_ACTION.failed;
    }
  }
  const { kept, presentBytes } = examination;
  return { kept, presentBytes, problems: tally.outcome().problems };
}

class Examination {
  kept = 0;
  presentBytes = 0;
  readonly #thread: RestoreThread;
  readonly #tally: WorkTally;
  readonly #stat = new TargetStat();

  constructor(thread: RestoreThread, tally: WorkTally) {
    this.#thread = thread;
    this.#tally = tally;
  }

  examine(row: number): void {
    const { view, fileSystem, run } = this.#thread;
    const parent = view.entries.directory[row];
    if (view.directories.state[parent] === DIRECTORY_STATE.made) return;
    const name = entryName(view, row);
    if (!fileSystem.statAt(this.#thread.directoryAt(parent), name, this.#stat)) return;
    if (run.overwrite === undefined || run.overwrite === 'never') {
      const mayLead = view.entries.action[row] !== ENTRY_ACTION.link;
      view.entries.action[row] = ENTRY_ACTION.keep;
      if (this.#looksTheSame(row) && (!mayLead || this.#isBelieved(row)))
        view.entries.flags[row] |= ENTRY_FLAG.same;
      this.kept += 1;
    } else if (this.#stat.isDirectory) {
      // It is extra, and gone before anything is made.
      if (run.isRemovingExtra) return;
      view.entries.action[row] = ENTRY_ACTION.failed;
      const expected = 'something that is no directory';
      const found = 'TARGET_NOT_EMPTY: a directory is in the way, and directories are kept';
      this.#tally.differ(row, [{ attribute: 'entry', expected, found }]);
    } else {
      noteOccupant(view.entries, row, this.#stat);
      if (this.#isFileOverFile(row)) this.#examineFile(row, name);
    }
  }

  #isFileOverFile(row: number): boolean {
    const { kind, action } = this.#thread.view.entries;
    const isFile = kind[row] === ENTRY_KIND.file && action[row] !== ENTRY_ACTION.link;
    return isFile && this.#stat.isFile && this.#stat.linkCount === 1;
  }

  #examineFile(row: number, name: Uint8Array): void {
    const { entries } = this.#thread.view;
    const { overwrite, isDelta } = this.#thread.run;
    if (overwrite === 'if-different' && this.#looksTheSame(row)) {
      entries.action[row] = ENTRY_ACTION.settle;
      this.presentBytes += entries.bytes[row];
    } else if (isDelta && this.#thread.content !== undefined) {
      this.#compare(row, name);
    }
  }

  #looksTheSame(row: number): boolean {
    const { entries } = this.#thread.view;
    const isFile = entries.kind[row] === ENTRY_KIND.file;
    const { mtimeSeconds, mtimeNanoseconds } = this.#stat;
    const found = wrapEntryTime({ seconds: mtimeSeconds, nanoseconds: mtimeNanoseconds });
    return (
      this.#stat.isFile === isFile &&
      (!isFile || this.#stat.size === entries.bytes[row]) &&
      found.seconds === entries.mtimeSeconds[row] &&
      found.nanoseconds === entries.mtimeNanoseconds[row]
    );
  }

  /**
   * Whether other names of a kept file may become links to it. The outcome does not vouch for what
   * is kept, but for them: where it is to be sure, looking the same is not enough.
   */
  #isBelieved(row: number): boolean {
    const { view, run } = this.#thread;
    if (!run.isVerified || view.entries.kind[row] !== ENTRY_KIND.file) return true;
    try {
      if (entryAttributes(view, row).extras?.linkGroup === undefined) return true;
      return otherBytesAt(this.#thread, row) === undefined;
    } catch (error) {
      // It stays as it is, whoever may read it.
      if (!isOfOneEntry(error)) throw error;
      return false;
    }
  }

  /** Marks the chunks whose bytes are in the file already. */
  #compare(row: number, name: Uint8Array): void {
    const { view, fileSystem } = this.#thread;
    const directory = this.#thread.directoryAt(view.entries.directory[row]);
    // A file that cannot be written in place is replaced.
    // A plan changes nothing, not even what protects a file.
    const access = this.#thread.run.isDryRun ? 'read' : 'write';
    const file = fileSystem.openFile(directory, name, { access });
    if (file === undefined) return;
    using opened = file;
    fileSystem.statOpen(opened, this.#stat);
    noteFile(view.entries, row, this.#stat);
    view.entries.action[row] = ENTRY_ACTION.update;
    if (view.entries.bytes[row] > COMPARED_AT_ONCE_BYTES_MAX) return;
    const { firstChunk, chunkCount } = view.entries;
    for (let chunk = firstChunk[row]; chunk < firstChunk[row] + chunkCount[row]; chunk++) {
      this.presentBytes += markIfThere(this.#thread, opened, chunk);
    }
  }
}

/**
 * Marks a chunk that the file has already, so that it need not be written.
 * @returns how many bytes that spares
 */
export function markIfThere(thread: RestoreThread, file: TargetFile, chunk: number): number {
  const { entries, chunks } = thread.view;
  const isMarked = (chunks.flags[chunk] & CHUNK_FLAG.present) !== 0;
  if (isMarked || !matchesChunk(thread, file, chunk)) return 0;
  chunks.flags[chunk] |= CHUNK_FLAG.present;
  Atomics.sub(entries.chunksLeft, chunks.entry[chunk], 1);
  return chunks.bytes[chunk];
}

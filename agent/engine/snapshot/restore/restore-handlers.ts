// The restore's tasks in a worker thread, and which run each belongs to.

import { arenaOver, ownBuffer } from '#engine/base/arena.ts';
import { deserializeError, EngineError, serializeError } from '#engine/base/errors.ts';
import { releaseBuffer } from '#engine/base/release-buffer.ts';
import { directoryPolicy } from '#engine/snapshot/target/attribute-policy.ts';
import { settleDirectory } from '#engine/snapshot/target/settle-open.ts';
import { isOfOneEntry } from '#engine/snapshot/target/target-error.ts';
import type { TaskHandlers, TaskReply } from '#engine/workers/tasks.ts';
import { compareChunks } from './compare-chunks.ts';
import { decodeTask } from './decode-directories.ts';
import { removeOccupant } from './entry-identity.ts';
import { examineRows } from './examine-existing.ts';
import { removeExtra } from './extra-entries.ts';
import { FileMaking } from './file-making.ts';
import { makeDirectories } from './make-directories.ts';
import { writeOpened, writeRange } from './range-writing.ts';
import type {
  ContentInput,
  LinksInput,
  LinksOutcome,
  RowsInput,
  RestoreTasks,
  SectionAddress,
  WorkOutcome,
} from './restore-tasks.ts';
import { type ContentParts, RestoreThread } from './restore-thread.ts';
import { directoryAttributes } from './section-rows.ts';
import { verifyRows } from './verify-rows.ts';
import { WorkTally } from './work-tally.ts';

/** @param content how contents are opened; absent where they come opened */
export function restoreHandlers(content: ContentParts | undefined): TaskHandlers<RestoreTasks> {
  const runs = new Map<number, RestoreThread>();
  const threadOf = (runId: number): RestoreThread => {
    const known = runs.get(runId);
    if (known) return known;
    throw new EngineError('INTERNAL', 'a restore task came before its section');
  };
  const within = <Input extends SectionAddress, Output>(
    input: Input,
    work: (thread: RestoreThread, input: Input) => Output,
  ): TaskReply<Output> => ({ output: work(threadOf(input.runId), input) });
  return {
    restoreEnter: ({ run, section }) => {
      const thread = runs.get(run.runId) ?? new RestoreThread(run, content);
      runs.set(run.runId, thread);
      thread.enter(section);
      return { output: undefined };
    },
    restoreDecode: decodeTask,
    restoreDirectories: input => within(input, (thread, { rows }) => makeDirectories(thread, rows)),
    restoreExamine: input => within(input, (thread, { rows }) => examineRows(thread, rows)),
    restoreCompare: input => within(input, (thread, { chunks }) => compareChunks(thread, chunks)),
    restoreRange: input =>
      within(input, (thread, range) => {
        try {
          const tally = new WorkTally();
          const damaged = writeRange(thread, new FileMaking(thread, tally), range);
          return { ...tally.outcome(), damaged };
        } finally {
          // The next range comes sooner than a collection.
          if ('bytes' in range.source) releaseBuffer(range.source.bytes.buffer);
        }
      }),
    restoreContent: input => within(input, writeContent),
    restorePlain: input =>
      within(input, (thread, { rows }) =>
        tallied(thread, making => {
          for (const row of rows) making.makePlain(row);
        }),
      ),
    restoreWriteBack: input => within(input, writeBack),
    restoreFinish: input =>
      within(input, (thread, { rows }) =>
        tallied(thread, making => {
          for (const row of rows) making.finishWritten(row);
        }),
      ),
    restoreLinks: input => within(input, makeLinks),
    restoreExtra: input => within(input, removeExtra),
    restoreSettle: input => within(input, settleDirectories),
    restoreVerify: input => within(input, (thread, { rows }) => verifyRows(thread, rows)),
    endRestore: ({ runId }) => {
      runs.get(runId)?.[Symbol.dispose]();
      runs.delete(runId);
      return { output: undefined };
    },
  };
}

function tallied(thread: RestoreThread, work: (making: FileMaking) => void): WorkOutcome {
  const tally = new WorkTally();
  work(new FileMaking(thread, tally));
  return tally.outcome();
}

function writeContent(
  thread: RestoreThread,
  { chunks, bytes, failure }: ContentInput,
): WorkOutcome {
  return tallied(thread, making => {
    const error = failure && deserializeError(failure);
    const own = ownBuffer(bytes ?? new Uint8Array());
    const plain = { arena: arenaOver(own), offset: 0, length: own.length };
    for (const chunk of chunks) {
      if (error) making.giveUpChunk(chunk, error);
      else writeOpened(thread, making, chunk, plain);
    }
  });
}

function makeLinks(thread: RestoreThread, { links }: LinksInput): LinksOutcome {
  const { fileSystem } = thread;
  const failures: [number, ReturnType<typeof serializeError>][] = [];
  for (const [index, link] of links.entries()) {
    thread.throwIfStopped();
    try {
      removeOccupant(thread, link.row, link.toDirectory, link.toName);
      // What was used last is the last to be closed, so both are open.
      const from = thread.directoryAt(link.fromDirectory);
      const to = thread.directoryAt(link.toDirectory);
      fileSystem.makeHardLink(from, link.fromName, to, link.toName);
    } catch (error) {
      if (!isOfOneEntry(error)) throw error;
      failures.push([index, serializeError(error)]);
    }
  }
  return { failures };
}

function settleDirectories(thread: RestoreThread, input: RowsInput): WorkOutcome {
  const tally = new WorkTally({ isDirectory: true });
  const { view, fileSystem, run } = thread;
  const policy = directoryPolicy(run.policy);
  for (const row of input.rows) {
    thread.throwIfStopped();
    try {
      const directory = thread.directoryAt(row);
      const wanted = directoryAttributes(view, row);
      tally.differ(row, settleDirectory(fileSystem, directory, wanted, { policy }));
    } catch (error) {
      if (!isOfOneEntry(error)) throw error;
      tally.failure(row, error);
    }
  }
  return tally.outcome();
}

/** Late write errors, of network file systems say, show up here and not after the restore. */
function writeBack(thread: RestoreThread): { unseen: readonly string[] } {
  const { fileSystem } = thread;
  for (const directory of thread.fileSystems()) fileSystem.syncFileSystem(directory);
  return { unseen: fileSystem.unseen };
}

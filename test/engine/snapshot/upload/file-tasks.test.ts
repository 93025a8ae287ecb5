// Tasks of several threads that read one large file, while what leads to it is replaced.

import { renameSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { Arena } from '#engine/base/arena.ts';
import { createSplitter } from '#engine/chunk/splitters.ts';
import type { IndirectEntry } from '#engine/format/indirect.ts';
import { openSourceFileSystem } from '#engine/snapshot/source/open-source-file-system.ts';
import { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { ENTRY_TYPE, SourceStat } from '#engine/snapshot/source/source-stat.ts';
import { DirectoryHandles } from '#engine/snapshot/upload/directory-handles.ts';
import { largeFileOf } from '#engine/snapshot/upload/entry-metadata.ts';
import { finishFileTask, readFileTask } from '#engine/snapshot/upload/file-tasks.ts';
import { SharedReading } from '#engine/snapshot/upload/shared-reading.ts';
import type { ReadFileInput, UploadTasks } from '#engine/snapshot/upload/upload-tasks.ts';
import type { UploadThread } from '#engine/snapshot/upload/upload-thread.ts';
import type { TaskRunner } from '#engine/workers/tasks.ts';
import { uploadRun } from './upload-run.ts';

const CHUNK_BYTES = 128 * 1024;
const CHUNKS = 6;
const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const names = [bytes('a')];
const fileSystem = openSourceFileSystem({ native: true });

/** Two threads that take turns, a chunk at a time; content ids are the first byte of a chunk. */
function sceneOf(t: Test) {
  const root = t.testdir({ tree: { a: {} }, new: {} });
  writeFileSync(`${root}/tree/a/file`, 'O'.repeat(CHUNKS * CHUNK_BYTES));
  writeFileSync(`${root}/new/file`, 'N'.repeat(CHUNKS * CHUNK_BYTES));
  const run = uploadRun({ root: bytes(`${root}/tree`), taskMsMax: 0 });
  const stored = { text: '' };
  const threadOf = () => {
    let last = '';
    const write = (_prefix: number, { arena, offset }: { arena: Arena; offset: number }) => {
      last = String.fromCharCode(arena.bytes[offset]);
    };
    const writeList = (entries: readonly IndirectEntry[]) => {
      stored.text = entries.map(({ objectId }) => objectId).join('');
      return 'Iab';
    };
    const handles = new DirectoryHandles(fileSystem, run.root);
    t.teardown(() => handles[Symbol.dispose]());
    return {
      run,
      fileSystem,
      handles,
      splitter: createSplitter('FIXED-128K', 2 * CHUNK_BYTES, { native: false }),
      zeroCut: () => CHUNK_BYTES,
      isStopped: false,
      compression: { compressor: undefined, choose: () => false },
      thread: { counters: new Float64Array(32) },
      contents: { write },
      objects: { contentId: () => last, writeList },
      // Only what the tasks of files use.
    } as unknown as UploadThread;
  };
  const threads = [threadOf(), threadOf()];
  let turn = 0;
  const runner = {
    size: 2,
    run: async (_kind: 'readFile', input: ReadFileInput) =>
      (await readFileTask(threads[turn++ % 2], input)).output,
    // Only readFile is asked for.
  } as unknown as TaskRunner<UploadTasks>;
  const replace = () => {
    renameSync(`${root}/tree/a`, `${root}/old`);
    renameSync(`${root}/new`, `${root}/tree/a`);
  };
  return { root, run, threads, runner, stored, replace };
}

/** Found by the first thread, which has the directory open since. */
function list({ handles }: UploadThread) {
  const listing = new SourceListing();
  const stat = new SourceStat();
  const index = listing.add(bytes('file'), ENTRY_TYPE.file);
  fileSystem.statAt(handles.at(names), listing, index, stat);
  return largeFileOf(bytes('file'), stat, { extras: undefined, stampIndex: 0 });
}

t.test('a file whose directory is replaced while it is read is read once more', async t => {
  const { run, threads, runner, stored, replace } = sceneOf(t);
  const [first] = threads;
  const reading = new SharedReading({ run, names }, list(first));
  let shares = 0;
  await reading.read(runner, async () => {
    if (shares++ === 0) replace();
  });
  const { changed } = finishFileTask(first, reading.finished(1)).output;
  if (changed === undefined) return void t.fail(`${stored.text} is stored`);
  const again = new SharedReading({ run, names, isAfresh: true }, changed);
  await again.read(runner, async () => undefined);
  const { skipped } = finishFileTask(first, again.finished(2)).output;
  t.equal(skipped, undefined);
  t.equal(stored.text, 'N'.repeat(CHUNKS), 'and is the one that the name leads to');
});

t.test('one whose directory is replaced the second time, too, is named as changed', async t => {
  const { root, run, threads, runner, replace } = sceneOf(t);
  const reading = new SharedReading({ run, names, isAfresh: true }, list(threads[0]));
  let shares = 0;
  await reading.read(runner, async () => {
    if (shares++ === 0) replace();
  });
  const { output } = finishFileTask(threads[0], reading.finished(2));
  t.match(output.skipped, { code: 'SOURCE_CHANGED', path: `${root}/tree/a/file` });
});

t.test('one that is left alone is stored at once', async t => {
  const { run, threads, runner, stored } = sceneOf(t);
  const reading = new SharedReading({ run, names }, list(threads[0]));
  await reading.read(runner, async () => undefined);
  const { output } = finishFileTask(threads[1], reading.finished(1));
  t.match(output, { changed: undefined, skipped: undefined, bytes: CHUNKS * CHUNK_BYTES });
  t.equal(stored.text, 'O'.repeat(CHUNKS));
});

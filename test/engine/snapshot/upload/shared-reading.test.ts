import t from 'tap';
import type { TaskRunner } from '#engine/workers/tasks.ts';
import { EngineError } from '#engine/base/errors.ts';
import { ChunkToken } from '#engine/snapshot/upload/chunk-token.ts';
import type { FileIdentity } from '#engine/snapshot/upload/partial-file.ts';
import { SharedReading } from '#engine/snapshot/upload/shared-reading.ts';
import type {
  FileChunks,
  ReadFileOutput,
  UploadTasks,
} from '#engine/snapshot/upload/upload-tasks.ts';
import { largeFile, uploadRun } from './upload-run.ts';

const file = largeFile({ bytes: 300, ctimeSeconds: 5 });
const listed: FileIdentity = {
  inode: '7',
  device: '8:1',
  ctime: '5.000000000',
  isSettled: true,
};
const address = { run: uploadRun(), names: [] };
const nothing = async () => undefined;

const chunksOf = (start: number, length = 100): FileChunks => ({
  starts: Float64Array.of(start),
  lengths: Uint32Array.of(length),
  ids: Uint32Array.of(0),
  contentIds: [`id${start}`],
});

/** Each share is a chunk of 100 bytes of a file as `identities` say one after another. */
function runnerOf(identities: readonly FileIdentity[]): TaskRunner<UploadTasks> {
  let share = 0;
  const run = async (_kind: string, { token }: { token: SharedArrayBuffer }) => {
    const shared = ChunkToken.attach(token);
    const start = shared.nextOffset;
    shared.nextOffset = start + 100;
    if (shared.nextOffset >= 300) shared.finish();
    const output: ReadFileOutput = {
      chunks: chunksOf(start),
      identity: identities[share++] ?? listed,
    };
    return output;
  };
  // Only readFile is asked for.
  return { size: 1, run, broadcast: nothing } as unknown as TaskRunner<UploadTasks>;
}

t.test('a file is read share by share, and known as far as it goes in between', async t => {
  const reading = new SharedReading(address, file);
  t.equal(reading.partial, undefined);
  const seen: (number | undefined)[] = [];
  await reading.read(runnerOf([]), async () => {
    seen.push(reading.partial?.chunks.length);
    t.equal(reading.partial?.identity, listed);
  });
  t.strictSame(seen, [1, 2]);
  t.ok(reading.isDone);
  t.equal(reading.finished(1).chunks.length, 3);
  t.equal(reading.readBytes, 300);
});

t.test('it is gone on with from what an earlier run has read', async t => {
  const resumed = { ...file, resumed: { objectId: 'aa', bytes: 200 } };
  const reading = new SharedReading(address, resumed, chunksOf(0, 200));
  t.equal(reading.resumedBytes, 200);
  await reading.read(runnerOf([]), nothing);
  t.strictSame(
    reading.finished(1).chunks.map(({ starts }) => [...starts]),
    [[0], [200]],
  );
  t.equal(reading.readBytes, 100, 'which is not read by this one');
  t.equal(new SharedReading(address, resumed).resumedBytes, 0, 'or is not, when that is gone');
});

t.test('a file that is not steady is not gone on with', async t => {
  const others: FileIdentity[] = [
    { ...listed, isSettled: false },
    { ...listed, ctime: '6.000000000' },
    { ...listed, inode: '8' },
  ];
  for (const other of others) {
    const reading = new SharedReading(address, file);
    await reading.read(runnerOf([listed, other, listed]), nothing);
    t.match(reading.partial, { identity: undefined }, JSON.stringify(other));
  }
  const replaced = { ...listed, ctime: '6.000000000' };
  const reading = new SharedReading(address, file);
  await reading.read(runnerOf([replaced, replaced, replaced]), nothing);
  t.match(reading.partial, { identity: undefined }, 'nor one that has changed since it was listed');
});

t.test('a file is one where every share is of the inode and change time listed', async t => {
  const isOneFile = async (other: FileIdentity, ignoreInode = false) => {
    const changes = { forceHash: false, ignoreCtime: false, ignoreInode };
    const reading = new SharedReading({ run: uploadRun({ changes }), names: [] }, file);
    await reading.read(runnerOf([listed, other, listed]), nothing);
    return reading.finished(1).isOneFile;
  };
  const otherInode = { ...listed, inode: '8' };
  t.ok(await isOneFile(listed));
  t.ok(await isOneFile({ ...listed, isSettled: false }), 'young as it may be');
  t.notOk(await isOneFile(otherInode));
  t.notOk(await isOneFile({ ...listed, device: '8:2' }));
  t.notOk(await isOneFile({ ...listed, ctime: '6.000000000' }));
  t.ok(await isOneFile(otherInode, true), 'where inodes are made up');
});

t.test('an error of the source is kept, any other thrown', async t => {
  const failing = (error: Error) => {
    const run = () => Promise.reject(error);
    return { size: 1, run, broadcast: nothing } as unknown as TaskRunner<UploadTasks>;
  };
  const reading = new SharedReading(address, file);
  await reading.read(failing(new EngineError('SOURCE_UNREADABLE', 'no')), nothing);
  t.match(reading.failure, { code: 'SOURCE_UNREADABLE' });
  t.equal(reading.readers, 0);
  const other = new SharedReading(address, file);
  await t.rejects(other.read(failing(new Error('bad luck')), nothing), { message: 'bad luck' });
});

t.test('two who hear of a failure at the same time end the file once', async t => {
  const reading = new SharedReading(address, file);
  const between = Promise.withResolvers<void>();
  let shares = 0;
  const run = (kind: string, input: { token: SharedArrayBuffer }) => {
    shares += 1;
    if (shares < 3) return runnerOf([]).run(kind as 'readFile', input as never);
    return Promise.reject(new EngineError('SOURCE_VANISHED', 'gone'));
  };
  const runner = { size: 3, run, broadcast: nothing } as unknown as TaskRunner<UploadTasks>;
  let ends = 0;
  const join = async () => {
    await reading.read(runner, () => between.promise);
    if (reading.takeEnd()) ends += 1;
  };
  const waiting = [join(), join()];
  await join();
  t.equal(ends, 0, 'not by the one that fails, while others read');
  between.resolve();
  await Promise.all(waiting);
  t.equal(ends, 1);
});

import { closeSync, constants, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import t, { type Test } from 'tap';
import { backup, listTree, type Repository, restore, restoreDevice } from '#engine/index.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { garbling } from '#test/engine/cache/garbling-storage.ts';
import { scratchCache, through } from '#test/engine/cache/scratch-cache.ts';
import { emptyStorage, MiB, repositoryFor, source } from './backup-scene.ts';
import {
  allocatedBytes,
  imageBytes,
  lacksLoopDevices,
  loopDevice,
  type LoopDevice,
} from '#test/support/loop-device.ts';
import { SeededRandom } from '#test/support/random.ts';

const directory = fastDirectory(t);
const skip = lacksLoopDevices(directory);
if (skip) t.comment(`skipped: ${skip}`);

/** What splitters of these repositories make of zeros that go on, and more than that. */
const ZEROS = 3 * MiB;

interface Patch {
  readonly at: number;
  readonly length: number;
}

const PATCHES: readonly Patch[] = [
  { at: 1 * MiB, length: 700_001 },
  { at: 5 * MiB + 12_345, length: 10 },
  { at: 9 * MiB, length: MiB },
  { at: 9 * MiB + 1_500_000, length: 300_000 },
];

function contentOf(bytes: number, patches = PATCHES, seed = 1): Uint8Array {
  const random = new SeededRandom(seed);
  const content = new Uint8Array(bytes);
  for (const { at, length } of patches) content.set(random.bytes(length), at);
  return content;
}

let images = 0;
const nextImage = (): string => `${directory}/image-${images++}`;

function sourceDevice(t: Test, content: Uint8Array): LoopDevice {
  return loopDevice(t, { image: nextImage(), content });
}

function targetDevice(t: Test, bytes: number): LoopDevice {
  return loopDevice(t, { image: nextImage(), bytes });
}

async function backUp(repository: Repository, { path }: LoopDevice) {
  return await backup(repository, { path, source });
}

function bringBack(repository: Repository, target: LoopDevice) {
  return restoreDevice(repository, { snapshot: 'latest', target: target.path });
}

function isSame(t: Test, target: LoopDevice, content: Uint8Array): void {
  t.equal(Buffer.compare(imageBytes(target), content), 0, 'it has the bytes of the source');
}

t.test('a device is a directory with one file that is called by its path', { skip }, async t => {
  const repository = await repositoryFor(t);
  const content = contentOf(12 * MiB);
  const device = sourceDevice(t, content);
  const outcome = await backUp(repository, device);
  t.match(outcome, { files: 1, directories: 1, bytes: content.length, skippedCount: 0 });
  t.equal(outcome.bytesRead, content.length);
  t.ok(outcome.bytesUploaded < 2.5 * MiB, `${outcome.bytesUploaded} bytes were stored`);
  const entries = await Array.fromAsync(listTree(repository, outcome.snapshotId));
  t.match(entries, [{ path: device.path, type: 'file', mode: 0o777, uid: 0, gid: 0 }]);
  t.equal(entries.length, 1);
});

for (const isNativeAllowed of [true, false]) {
  const name = isNativeAllowed ? 'by system calls' : 'by node:fs alone';
  t.test(`a device comes back as it was, ${name}`, { skip }, async t => {
    const repository = await repositoryFor(t, { isNativeAllowed });
    const content = contentOf(12 * MiB + 4608);
    await backUp(repository, sourceDevice(t, content));
    const target = targetDevice(t, content.length);
    const outcome = await bringBack(repository, target);
    t.match(outcome, { status: 'Completed', files: 1, bytes: content.length });
    isSame(t, target, content);
    if (!isNativeAllowed) return;
    t.ok(allocatedBytes(target) < 3 * MiB, `${allocatedBytes(target)} bytes have blocks`);
    t.ok(outcome.bytesFetched < 2.5 * MiB, `${outcome.bytesFetched} bytes were fetched`);
  });
}

t.test('a content that was garbled on its way is read once more', { skip }, async t => {
  const memory = await emptyStorage();
  const content = contentOf(12 * MiB);
  await backUp(await repositoryFor(t, { storage: memory }), sourceDevice(t, content));
  const { cache } = await scratchCache(t);
  const inner = garbling(memory);
  const repository = await repositoryFor(t, { storage: through(cache, inner) });
  inner.garble('p', 1);
  const target = targetDevice(t, content.length);
  await bringBack(repository, target);
  t.equal(inner.left(), 0);
  isSame(t, target, content);
  inner.garble('p', 1000);
  await cache.forgetRepository('one');
  const other = targetDevice(t, content.length);
  await t.rejects(bringBack(repository, other), { code: 'CONTENT_DAMAGED' });
});

t.test('what a device had before is gone where the image has zeros', { skip }, async t => {
  const repository = await repositoryFor(t);
  const content = contentOf(12 * MiB);
  await backUp(repository, sourceDevice(t, content));
  const before = new SeededRandom(2).bytes(content.length + MiB);
  const target = loopDevice(t, { image: nextImage(), content: before });
  await t.rejects(bringBack(repository, target), { code: 'TARGET_NOT_EMPTY' });
  isSame(t, target, before);
  const request = { snapshot: 'latest', target: target.path, isOverwriting: true };
  await restoreDevice(repository, request);
  const after = Buffer.concat([content, before.subarray(content.length)]);
  isSame(t, target, after);
});

t.test('a device with large sectors, and one with nothing but zeros', { skip }, async t => {
  for (const patches of [PATCHES, []]) {
    const repository = await repositoryFor(t);
    const content = contentOf(12 * MiB + 4096, patches);
    await backUp(repository, sourceDevice(t, content));
    const bytes = content.length;
    const target = loopDevice(t, { image: nextImage(), bytes, sectorBytes: 4096 });
    await bringBack(repository, target);
    isSame(t, target, content);
  }
});

t.test('a device that is too small is left alone', { skip }, async t => {
  const repository = await repositoryFor(t);
  await backUp(repository, sourceDevice(t, contentOf(12 * MiB)));
  const target = targetDevice(t, 12 * MiB - 512);
  await t.rejects(bringBack(repository, target), {
    code: 'TARGET_TOO_SMALL',
    message: /cannot restore 12582912 bytes to device .*: it has 12582400; make it larger/,
  });
  t.equal(allocatedBytes(target), 0, 'nothing was written');
});

t.test('a device that is in use is left alone', { skip }, async t => {
  const repository = await repositoryFor(t);
  await backUp(repository, sourceDevice(t, contentOf(12 * MiB)));
  const target = targetDevice(t, 12 * MiB);
  const user = openSync(target.path, constants.O_RDONLY | constants.O_EXCL);
  const refused = { code: 'TARGET_NOT_WRITABLE', message: /is mounted, or part of another/ };
  await t.rejects(bringBack(repository, target), refused);
  closeSync(user);
  await bringBack(repository, target);
});

t.test(
  'only a block device is a target, and only an image is restored to one',
  { skip },
  async t => {
    const repository = await repositoryFor(t);
    const files = t.testdir({ one: 'a', two: 'b' });
    await backup(repository, { path: files, source });
    const target = targetDevice(t, 2 * MiB);
    await t.rejects(bringBack(repository, target), { code: 'SNAPSHOT_PATH_NOT_FOUND' });
    await restoreDevice(repository, { snapshot: 'latest:/two', target: target.path });
    t.equal(imageBytes(target).subarray(0, 2).toString(), 'b\0');
    for (const path of [`${files}/one`, files, '/dev/null', `${files}/none`]) {
      const request = { snapshot: 'latest:/two', target: path };
      await t.rejects(restoreDevice(repository, request), { code: 'TARGET_NOT_WRITABLE' }, path);
    }
    t.equal(readFileSync(`${files}/one`, 'utf8'), 'a');
  },
);

t.test('a device is not restored to a directory: its name leads elsewhere', { skip }, async t => {
  const repository = await repositoryFor(t);
  await backUp(repository, sourceDevice(t, contentOf(2 * MiB, [])));
  const outcome = await restore(repository, { snapshot: 'latest', target: t.testdir({}) });
  t.match(outcome, { status: 'CompletedWithDifferences', files: 0, missingCount: 1 });
});

t.test('the next backup stores what has changed', { skip }, async t => {
  const repository = await repositoryFor(t);
  const content = contentOf(12 * MiB);
  const device = sourceDevice(t, content);
  await backUp(repository, device);
  const unchanged = await backUp(repository, device);
  t.ok(unchanged.bytesUploaded < 4096, 'nothing has');
  const changed = new SeededRandom(3).bytes(4096);
  const descriptor = openSync(device.path, 'r+');
  writeSync(descriptor, changed, 0, changed.length, 9 * MiB + 200_000);
  closeSync(descriptor);
  const second = await backUp(repository, device);
  t.ok(second.bytesUploaded < 600_000, `${second.bytesUploaded} bytes were stored`);
  const target = targetDevice(t, content.length);
  await bringBack(repository, target);
  content.set(changed, 9 * MiB + 200_000);
  isSame(t, target, content);
});

t.test('a device that cannot be read is no snapshot', { skip }, async t => {
  const repository = await repositoryFor(t);
  const device = sourceDevice(t, contentOf(12 * MiB));
  // The device keeps its length, and what it wants to read behind the end of the file fails.
  truncateSync(device.image, 4 * MiB);
  const unreadable = { code: 'SOURCE_UNREADABLE', message: /EIO/ };
  await t.rejects(backUp(repository, device), unreadable);
  t.same(await repository.manifests.find({ type: 'snapshot' }), [], 'none was stored');
});

t.test('a cancelled backup leaves no snapshot, a cancelled restore says so', { skip }, async t => {
  const storage = await emptyStorage();
  const repository = await repositoryFor(t, { storage });
  const content = new SeededRandom(4).bytes(64 * MiB);
  const device = sourceDevice(t, content);
  const first = new AbortController();
  const put = storage.put.bind(storage);
  // The first pack is full when a third of the device has been read.
  storage.put = (id, ...rest) => {
    if (id.startsWith('p')) first.abort();
    return put(id, ...rest);
  };
  const { signal } = first;
  const cancelled = backup(repository, { path: device.path, source }, { signal });
  await t.rejects(cancelled, { code: 'ABORTED' });
  t.ok(signal.aborted);
  t.same(await repository.manifests.find({ type: 'snapshot' }), []);
  await backUp(repository, device);
  const target = targetDevice(t, content.length);
  const second = new AbortController();
  const request = { snapshot: 'latest', target: target.path };
  const restoring = restoreDevice(repository, request, {
    signal: second.signal,
    onProgress: ({ bytes }) => bytes > MiB && second.abort(),
  });
  await t.rejects(restoring, { code: 'ABORTED' });
  t.not(Buffer.compare(imageBytes(target), content), 0, 'not all was written');
  // Nobody has it open any more.
  await restoreDevice(repository, { ...request, isOverwriting: true });
  isSame(t, target, content);
});

t.test('zeros that are longer than any chunk are one content', { skip }, async t => {
  const repository = await repositoryFor(t);
  const outcome = await backUp(repository, sourceDevice(t, new Uint8Array(ZEROS)));
  // The content, the list of chunks, the directory, the manifest.
  t.equal(outcome.contentsNew, 4);
  t.ok(outcome.bytesUploaded < 8192);
});

t.test('where somebody knows what has changed only that is read', { skip }, async t => {
  const repository = await repositoryFor(t);
  const random = new SeededRandom(5);
  const content = contentOf(24 * MiB);
  content.set(random.bytes(8 * MiB), 14 * MiB);
  const device = sourceDevice(t, content);
  const { path } = device;
  const first = await backUp(repository, device);
  const ranges = [MiB + 300_000, 4096, 9 * MiB - 100, 200, 17 * MiB, 65_536, 24 * MiB - 512, 512];
  const descriptor = openSync(path, 'r+');
  for (let index = 0; index < ranges.length; index += 2) {
    const bytes = random.bytes(ranges[index + 1]);
    writeSync(descriptor, bytes, 0, bytes.length, ranges[index]);
    content.set(bytes, ranges[index]);
  }
  closeSync(descriptor);
  const asked: string[] = [];
  const since = (parentId: string): Promise<number[]> => {
    asked.push(parentId);
    return Promise.resolve(ranges);
  };
  const known = await backup(repository, { path, source }, { changedBlocks: { since } });
  t.same(asked, [first.snapshotId]);
  t.ok(known.bytesRead < 4 * MiB, `${known.bytesRead} bytes were read`);
  t.equal(known.bytesRead + known.bytesTakenOver, content.length);
  const target = targetDevice(t, content.length);
  await bringBack(repository, target);
  isSame(t, target, content);
  const [{ objectId }] = await Array.fromAsync(listTree(repository, known.snapshotId));
  const whole = await backUp(repository, device);
  const [{ objectId: wholeId }] = await Array.fromAsync(listTree(repository, whole.snapshotId));
  t.equal(objectId, wholeId, 'it is the object that reading everything gives');
  t.equal(whole.bytesRead, content.length);
});

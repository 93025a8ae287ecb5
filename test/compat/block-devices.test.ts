// A block device as the real kopia sees it. What Velero's uploader makes of one in block mode is a
// static directory with a streaming file (velero 1.18.1 pkg/uploader/kopia/block_backup.go), and so
// is what `kopia snapshot create --stdin-file` makes of its standard input.

import { cp, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import t from 'tap';
import {
  backup,
  openRepository,
  type Repository,
  resolveSnapshot,
  restoreDevice,
} from '#engine/index.ts';
import { TreeReader } from '#engine/snapshot/tree.ts';
import { findKopia, Kopia, KOPIA_OWNER } from '#test/support/kopia.ts';
import { imageBytes, lacksLoopDevices, loopDevice } from '#test/support/loop-device.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';
import { ScratchDirectory } from '#test/support/scratch-directory.ts';

const PASSWORD = 'a password';
const MiB = 1 << 20;
const scratch = await ScratchDirectory.make();
t.teardown(() => scratch[Symbol.asyncDispose]());
const { program, reason } = findKopia();
const skip = program === undefined ? reason : lacksLoopDevices(scratch.path);
if (skip) t.comment(`skipped: ${skip}`);

/** Stretches of data between zeros, at any byte. */
function contentOf(random: SeededRandom, bytes: number): Uint8Array {
  const content = new Uint8Array(bytes);
  for (let at = random.below(8 * MiB); at < bytes; at += random.below(24 * MiB)) {
    content.set(random.bytes(Math.min(bytes - at, random.below(6 * MiB))), at);
  }
  return content;
}

/** Root entry and directory of the last snapshot, as they are stored but for the time of making. */
async function shapeOf(repository: Repository): Promise<{ root: unknown; entries: unknown }> {
  const { rootEntry } = await resolveSnapshot(repository, 'latest');
  if (rootEntry === undefined) throw new Error('the snapshot has no root');
  const reader = new TreeReader(repository.contents);
  const entries = await reader.readDirectory(rootEntry.objectId);
  const { summary } = rootEntry;
  return {
    root: {
      ...rootEntry,
      name: '',
      objectId: '',
      summary: { ...summary, maxTimeSeconds: 0, maxTimeNanoseconds: 0 },
    },
    entries: entries.map(entry => ({ ...entry, mtimeSeconds: 0, mtimeNanoseconds: 0 })),
  };
}

for (const splitter of ['DYNAMIC-4M-BUZHASH', 'DYNAMIC-128K-RABINKARP', 'FIXED-1M']) {
  t.test(`a device cut by ${splitter} goes from us to kopia and back`, { skip }, async t => {
    const seed = newSeed();
    t.comment(`seed ${seed}`);
    const random = new SeededRandom(seed);
    const bytes = 48 * MiB + 512 * random.below(9000);
    const content = contentOf(random, bytes);
    const image = scratch.join(`${splitter}.image`);
    const device = loopDevice(t, { image, content });
    const kopia = new Kopia({ directory: scratch.join(`${splitter}.client`), password: PASSWORD });
    const theirs = scratch.join(`${splitter}.theirs`);
    const ours = scratch.join(`${splitter}.ours`);
    await kopia.create(theirs, `--object-splitter=${splitter}`);
    await cp(theirs, ours, { recursive: true });
    const create = ['snapshot', 'create', '--stdin-file', device.path, '/device'];
    await kopia.runOn(image, ...create);

    const options = { password: PASSWORD, threads: 2 };
    await using repository = await openRepository({ url: `file://${ours}`, ...options });
    await using stock = await openRepository({ url: `file://${theirs}`, ...options });
    const source = { ...KOPIA_OWNER, path: '/device' };
    const { snapshotId, rootObjectId } = await backup(repository, { path: device.path, source });
    t.same(await shapeOf(repository), await shapeOf(stock), 'both have the same shape and object');

    const target = loopDevice(t, { image: `${image}.back`, bytes });
    await restoreDevice(stock, { snapshot: 'latest', target: target.path });
    t.equal(Buffer.compare(imageBytes(target), content), 0, 'we restore what kopia has stored');

    await kopia.connect(ours);
    await kopia.verify([snapshotId]);
    // Its path is its name, and kopia makes none of the directories in it.
    const file = scratch.join(`${splitter}.directory`, device.path);
    await mkdir(dirname(file), { recursive: true });
    await kopia.run('restore', rootObjectId, scratch.join(`${splitter}.directory`));
    const restored = await readFile(file);
    t.equal(Buffer.compare(restored, content), 0, 'kopia restores what we have stored');

    await kopia.runOn(image, ...create);
    await repository.refresh();
    t.same(await shapeOf(repository), await shapeOf(stock), 'kopia goes on from our snapshot');
    const again = await backup(repository, { path: device.path, source });
    t.ok(again.bytesUploaded < 4096, 'and we from that of kopia');
  });
}

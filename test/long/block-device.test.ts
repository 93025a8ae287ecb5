// What a block device costs: 10 GiB with 200 MiB of data, and the same data as a file and as a
// device in turns. Prints what it has measured.

import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import t, { type Test } from 'tap';
import {
  backup,
  createRepository,
  openRepository,
  openStorage,
  type Repository,
  restore,
  restoreDevice,
} from '#engine/index.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { metered } from '#engine/storage/metered.ts';
import { wrap } from '#engine/storage/wrap.ts';
import {
  allocatedBytes,
  lacksLoopDevices,
  loopDevice,
  type LoopDevice,
} from '#test/support/loop-device.ts';
import { cpuSecondsOf } from '#test/support/process-cpu.ts';
import { SeededRandom } from '#test/support/random.ts';
import { ScratchDirectory } from '#test/support/scratch-directory.ts';

const MiB = 2 ** 20;
const DEVICE_BYTES = 10 * 2 ** 30;
const DATA_BYTES = 200 * MiB;
/** One per cent, in whole MiB. */
const CHANGED_BYTES = 102 * MiB;
const DENSE_BYTES = 384 * MiB;
const ROUNDS = 2;
/** Runs of the same differ by as much where others are at work. */
const MORE_MAX = 1.3;
const source = { user: 'user', host: 'host', path: '/device' };
const owner = { user: 'user', host: 'host' };

const scratch = await ScratchDirectory.make();
t.teardown(() => scratch[Symbol.asyncDispose]());
const skip = lacksLoopDevices(scratch.path);
if (skip) t.comment(`skipped: ${skip}`);

interface Measured {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly bytesGot: number;
  readonly bytesPut: number;
}

interface Place {
  readonly repository: Repository;
  readonly measure: (work: () => Promise<unknown>) => Promise<Measured>;
}

interface PlaceOptions {
  /** Threads read packs by themselves then, and nobody counts what they read. */
  readonly isLocal: boolean;
}

/** A repository of stock's settings in a directory, and what its storage is asked for. */
async function placeFor(t: Test, name: string, { isLocal }: PlaceOptions): Promise<Place> {
  const directory = scratch.join(name);
  mkdirSync(directory);
  const url = `file://${directory}`;
  await createRepository({ url, password: 'p', owner });
  const bytes = { get: 0, put: 0 };
  const operationEnded = (sample: { operation: string; bytes: number }): void => {
    if (sample.operation === 'get' || sample.operation === 'put') {
      bytes[sample.operation] += sample.bytes;
    }
  };
  const counted = metered(await openStorage(url), { operationEnded });
  const storage = isLocal ? counted : wrap(counted, { localPath: undefined });
  const options = { storage, isStorageOwned: true, password: 'p', owner, threads: 2 };
  const repository = await openRepository({ ...options, isPressureHeeded: false });
  t.teardown(() => repository.close());
  const measure: Place['measure'] = async work => {
    Object.assign(bytes, { get: 0, put: 0 });
    const [startMs, cpu] = [performance.now(), cpuSecondsOf('self')];
    await work();
    const seconds = (performance.now() - startMs) / 1000;
    const cpuSeconds = cpuSecondsOf('self') - cpu;
    return { seconds, cpuSeconds, bytesGot: bytes.get, bytesPut: bytes.put };
  };
  return { repository, measure };
}

function say(t: Test, what: string, bytes: number, measured: Measured): void {
  const rate = bytes / MiB / measured.seconds;
  const mib = (count: number): string => `${(count / MiB).toFixed(1)} MiB`;
  t.comment(
    `${what}: ${rate.toFixed(0)} MiB/s, ${measured.seconds.toFixed(2)} s, ` +
      `${measured.cpuSeconds.toFixed(2)} s of processors; ` +
      `${mib(measured.bytesGot)} got, ${mib(measured.bytesPut)} put`,
  );
}

/** Data that does not compress, in stretches that are evenly spread. */
function fill(
  { path }: LoopDevice,
  random: SeededRandom,
  { bytes, stretches, at }: { bytes: number; stretches: number; at: number },
): void {
  const descriptor = openSync(path, 'r+');
  const length = bytes / stretches;
  for (let index = 0; index < stretches; index++) {
    const position = at + Math.floor((index * DEVICE_BYTES) / stretches);
    writeSync(descriptor, random.bytes(length), 0, length, position);
  }
  closeSync(descriptor);
}

t.test('10 GiB with 200 MiB of data', { skip }, async t => {
  const { repository, measure } = await placeFor(t, 'sparse', { isLocal: false });
  const random = new SeededRandom(1);
  // In memory where there is some: what a loop device has on a disk fills as much of it.
  const fast = fastDirectory(t);
  const device = loopDevice(t, { image: `${fast}/image`, bytes: DEVICE_BYTES });
  fill(device, random, { bytes: DATA_BYTES, stretches: 25, at: 12_345 });
  const store = () => backup(repository, { path: device.path, source });
  say(t, 'first backup', DEVICE_BYTES, await measure(store));
  const target = loopDevice(t, { image: `${fast}/back`, bytes: DEVICE_BYTES });
  const request = { snapshot: 'latest', target: target.path };
  const restored = await measure(() => restoreDevice(repository, request));
  say(t, 'restore', DEVICE_BYTES, restored);
  t.ok(restored.bytesGot <= 220 * MiB, 'the restore reads what there is and little more');
  t.ok(allocatedBytes(target) <= 1.05 * DATA_BYTES, 'and what is thin stays thin');
  const unchanged = await measure(store);
  say(t, 'backup of what has not changed', DEVICE_BYTES, unchanged);
  t.ok(unchanged.bytesPut < MiB, 'what has not changed is not stored again');
  // Each stretch costs some chunks at its edges, 4 MiB on average: the fewer the better.
  fill(device, random, { bytes: CHANGED_BYTES, stretches: 2, at: DEVICE_BYTES / 8 });
  const changed = await measure(store);
  say(t, 'backup of 1 % that has changed', DEVICE_BYTES, changed);
  t.ok(changed.bytesPut <= 0.013 * DEVICE_BYTES, 'and little more than what has changed');
});

t.test('a device takes no more than a large file', { skip }, async t => {
  const random = new SeededRandom(2);
  const file = scratch.join('dense.file');
  for (let at = 0; at < DENSE_BYTES; at += 64 * MiB) {
    writeFileSync(file, random.bytes(64 * MiB), { flag: 'a' });
  }
  const image = scratch.join('dense.image');
  const device = loopDevice(t, { image, bytes: DENSE_BYTES });
  execFileSync('dd', [`if=${file}`, `of=${device.path}`, 'bs=4M', 'conv=fsync', 'status=none']);
  const target = loopDevice(t, { image: scratch.join('dense.back'), bytes: DENSE_BYTES });
  const least = { file: [Infinity, Infinity], device: [Infinity, Infinity] };
  for (let round = 1; round <= ROUNDS; round++) {
    for (const kind of ['file', 'device'] as const) {
      const { repository, measure } = await placeFor(t, `${kind}-${round}`, { isLocal: true });
      const path = kind === 'file' ? file : device.path;
      const stored = await measure(() => backup(repository, { path, source }));
      say(t, `round ${round}, backup of a ${kind}`, DENSE_BYTES, stored);
      const back = scratch.join(`back-${round}`);
      const restored = await measure(() =>
        kind === 'file'
          ? restore(repository, { snapshot: 'latest', target: back })
          : restoreDevice(repository, {
              snapshot: 'latest',
              target: target.path,
              isOverwriting: true,
            }),
      );
      say(t, `round ${round}, restore of a ${kind}`, DENSE_BYTES, restored);
      rmSync(back, { force: true });
      const [store, bringBack] = least[kind];
      least[kind] = [Math.min(store, stored.cpuSeconds), Math.min(bringBack, restored.cpuSeconds)];
    }
  }
  const [store, bringBack] = least.device.map((seconds, index) => seconds / least.file[index]);
  t.comment(
    `processors: ${store.toFixed(2)} of a file's backup, ${bringBack.toFixed(2)} of its restore`,
  );
  t.ok(store <= MORE_MAX, 'storing it takes no more of the processors');
  t.ok(bringBack <= MORE_MAX, 'nor does bringing it back');
});

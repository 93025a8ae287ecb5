import { constants } from 'node:fs';
import { constants as osConstants } from 'node:os';
import t, { type Test } from 'tap';
import { allocateArena, type Arena } from '#engine/base/arena.ts';
import { OpenBlockDevice } from '#engine/snapshot/source/block-device.ts';
import { DeviceContent } from '#engine/snapshot/target/device-content.ts';
import { openNativeCalls } from '#engine/snapshot/target/native-calls.ts';
import type { TargetCalls } from '#engine/snapshot/target/target-calls.ts';
import { TargetFileSystem } from '#engine/snapshot/target/target-file-system.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import {
  allocatedBytes,
  imageBytes,
  lacksLoopDevices,
  type LoopDevice,
  loopDevice,
} from '#test/support/loop-device.ts';
import { SeededRandom } from '#test/support/random.ts';

const { EBUSY, EIO, ENOSPC, ENOTTY, EOPNOTSUPP } = osConstants.errno;
const MiB = 1 << 20;
const directory = fastDirectory(t);
const calls = openNativeCalls();
const skip = lacksLoopDevices(directory) ?? (calls ? undefined : 'no native calls');
if (skip) t.comment(`skipped: ${skip}`);

/** The calls of this machine, some of them replaced. */
function callsWith(replaced: Partial<TargetCalls>): TargetCalls {
  if (calls === undefined) throw new Error(skip);
  return new Proxy(calls, {
    get: (sound, name) => {
      const own = Reflect.get(replaced, name) as unknown;
      const value = own ?? (Reflect.get(sound, name, sound) as unknown);
      return typeof value === 'function' && own === undefined
        ? (value.bind(sound) as unknown)
        : value;
    },
  });
}

let images = 0;

/** A device full of old bytes, and what `work` does to it. */
async function changed(
  t: Test,
  { replaced = {}, bytes = 4 * MiB }: { replaced?: Partial<TargetCalls>; bytes?: number },
  work: (content: DeviceContent) => void,
): Promise<{ before: Uint8Array; target: LoopDevice }> {
  const before = new SeededRandom(1).bytes(bytes);
  const target = loopDevice(t, { image: `${directory}/image-${images++}`, content: before });
  const device = await OpenBlockDevice.open(target.path, constants.O_RDWR);
  if (device === undefined) throw new Error(`${target.path} is no device`);
  try {
    using content = new DeviceContent(new TargetFileSystem(callsWith(replaced)), device.plain);
    work(content);
    await device.sync();
  } finally {
    await device[Symbol.asyncDispose]();
  }
  return { before, target };
}

interface Refusal {
  readonly name: string;
  readonly punch?: number;
  readonly zeroOut?: number;
  /** How often each of them is asked for three ranges. */
  readonly asked: readonly [punch: number, zeroOut: number];
}

const REFUSALS: readonly Refusal[] = [
  { name: 'gives blocks back', asked: [3, 0] },
  { name: 'does not give blocks back', punch: EOPNOTSUPP, asked: [1, 3] },
  { name: 'does neither', punch: EOPNOTSUPP, zeroOut: ENOTTY, asked: [1, 1] },
  { name: 'has bytes that are not written yet', punch: EBUSY, asked: [3, 0] },
];

for (const { name, punch, zeroOut, asked } of REFUSALS) {
  t.test(`zeros are zeros on a device that ${name}`, { skip }, async t => {
    const counts = { punch: 0, zeroOut: 0 };
    const way = (kind: 'punch' | 'zeroOut', errno: number | undefined) => {
      return (...range: [number, number, number]): number => {
        counts[kind]++;
        return errno === undefined ? (calls?.[kind](...range) ?? -EIO) : -errno;
      };
    };
    const replaced = { punch: way('punch', punch), zeroOut: way('zeroOut', zeroOut) };
    const ranges = [
      [100_001, MiB],
      [2 * MiB, 64 << 10],
      [3 * MiB + 1, MiB - 1],
    ] as const;
    const { before, target } = await changed(t, { replaced }, content => {
      for (const [position, length] of ranges) content.zero(position, length);
      content.zero(2_000_000, 100);
    });
    for (const [position, length] of ranges) before.fill(0, position, position + length);
    before.fill(0, 2_000_000, 2_000_100);
    t.equal(Buffer.compare(imageBytes(target), before), 0, 'and the rest is as it was');
    t.same([counts.punch, counts.zeroOut], asked);
    if (punch === undefined) t.ok(allocatedBytes(target) < 2.5 * MiB, 'blocks were given back');
  });
}

t.test('data is written with its zeros, wherever it begins', { skip }, async t => {
  const random = new SeededRandom(2);
  const arena: Arena = allocateArena(3 * MiB);
  const pieces = [
    { position: 0, length: 2 * MiB },
    { position: 2 * MiB + 77, length: 1_700_003 },
    { position: 2 * MiB + 77 + 1_700_003, length: 9 },
  ];
  let expected = new Uint8Array(0);
  const { before, target } = await changed(t, {}, content => {
    for (const { position, length } of pieces) {
      const offset = 1 + random.below(100_000);
      const data = random.bytes(length);
      for (let at = 0; at < length; at += 1 + random.below(600_000)) {
        data.fill(0, at, at + random.below(500_000));
      }
      arena.bytes.set(data, offset);
      content.write(arena, { offset, length, position });
      expected = Buffer.concat([expected, new Uint8Array(position - expected.length), data]);
    }
  });
  const [{ length: first }, { position: second }] = pieces;
  expected.set(before.subarray(first, second), first);
  expected = Buffer.concat([expected, before.subarray(expected.length)]);
  t.equal(Buffer.compare(imageBytes(target), expected), 0);
});

t.test('a device that takes no more says so', { skip }, async t => {
  const arena = allocateArena(2 * MiB);
  arena.bytes.fill(7);
  const range = { offset: 0, length: arena.bytes.length, position: 0 };
  const failing = (errno: number) => ({ replaced: { write: () => -errno } });
  const write = (content: DeviceContent): void => content.write(arena, range);
  await t.rejects(changed(t, failing(ENOSPC), write), { code: 'TARGET_FULL' });
  await t.rejects(changed(t, failing(EIO), write), { code: 'TARGET_NOT_WRITABLE' });
  const zeroing = { replaced: { write: () => -ENOSPC, punch: () => -EIO, zeroOut: () => -EIO } };
  const zero = (content: DeviceContent): void => content.zero(0, MiB);
  await t.rejects(changed(t, zeroing, zero), { code: 'TARGET_FULL' });
});

t.test('a descriptor that stands for something else is not written to', { skip }, async t => {
  const options = { image: `${directory}/image-${images++}`, bytes: MiB };
  const { path } = loopDevice(t, options);
  const device = await OpenBlockDevice.open(path, constants.O_RDWR);
  if (device === undefined) throw new Error(`${path} is no device`);
  const other = { ...device.plain, minor: device.minor + 1 };
  const fileSystem = new TargetFileSystem(callsWith({}));
  t.throws(() => new DeviceContent(fileSystem, other), { code: 'TARGET_NOT_WRITABLE' });
  await device[Symbol.asyncDispose]();
});

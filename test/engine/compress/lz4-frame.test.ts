import t, { type Test } from 'tap';
import { decodeLz4Frames } from '#engine/compress/lz4-frame.ts';
import { xxhash32 } from '#engine/compress/xxhash32.ts';
import { sha256Of, streamOf } from './vectors.ts';

const LIMIT = 2 ** 20;
const MAGIC = [0x04, 0x22, 0x4d, 0x18];
const END = [0, 0, 0, 0];
const INDEPENDENT = 0x60;
const LINKED = 0x40;
const BLOCK_64K = 0x40;

function word(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
}

function checksum(bytes: readonly number[]): number {
  return xxhash32(Uint8Array.from(bytes), 0, bytes.length);
}

function head(flags: number, descriptor = BLOCK_64K, extra: readonly number[] = []): number[] {
  const fields = [flags, descriptor, ...extra];
  return [...MAGIC, ...fields, (checksum(fields) >>> 8) & 0xff];
}

function block(bytes: readonly number[]): number[] {
  return [...word(bytes.length), ...bytes];
}

function plainBlock(text: string): number[] {
  return [...word(0x80000000 + text.length), ...Buffer.from(text)];
}

function decoded(bytes: readonly number[], limit = LIMIT): string {
  return Buffer.from(decodeLz4Frames(Uint8Array.from(bytes), limit)).toString();
}

function refuses(t: Test, message: RegExp, bytes: readonly number[]): void {
  t.throws(() => decoded(bytes), { code: 'CONTENT_DAMAGED', message });
}

t.test('every form of sequences is decoded', async t => {
  const cases: [number[], string][] = [
    [[0x00], ''],
    [[0x20, 97, 98], 'ab'],
    [[0x20, 97, 98, 2, 0, 0x10, 99], 'ababab' + 'c'],
    [[0x2f, 97, 98, 2, 0, 0, 0x10, 99], 'ab' + 'ab'.repeat(9) + 'a' + 'c'],
    [[0x2f, 97, 98, 2, 0, 255, 10, 0x10, 99], 'ab' + 'ab'.repeat(142) + 'c'],
    [[0xf0, 2, ...Buffer.from('seventeen letters')], 'seventeen letters'],
    [[0x1f, 97, 1, 0, 200, 0x10, 98], 'a'.repeat(220) + 'b'],
  ];
  for (const [bytes, plain] of cases) {
    t.equal(decoded([...head(INDEPENDENT), ...block(bytes), ...END]), plain);
  }
});

t.test('sequences that reach out of their block are CONTENT_DAMAGED', async t => {
  const cases: [RegExp, number[]][] = [
    [/within literals/, [0x30, 97, 98]],
    [/within a length/, [0xf0]],
    [/within a length/, [0xf0, 255]],
    [/without last literals/, [0x20, 97, 98, 2, 0]],
    [/within an offset/, [0x20, 97, 98, 2]],
    [/begins before/, [0x20, 97, 98, 3, 0, 0x00]],
    [/begins before/, [0x20, 97, 98, 0, 0, 0x00]],
    [/too many bytes/, [0x1f, 97, 1, 0, ...Array<number>(257).fill(255), 0, 0x10, 98]],
    [
      /too many bytes/,
      [...[0x1f, 97, 1, 0, ...Array<number>(256).fill(255), 200], 0xf0, 85, ...Buffer.alloc(100)],
    ],
  ];
  for (const [message, bytes] of cases) {
    refuses(t, message, [...head(INDEPENDENT), ...block(bytes), ...END]);
  }
});

t.test('linked blocks refer to earlier ones, independent blocks cannot', async t => {
  const blocks = [...plainBlock('abcd'), ...block([0x00, 4, 0, 0x10, 101]), ...END];
  t.equal(decoded([...head(LINKED), ...blocks]), 'abcdabcde');
  refuses(t, /begins before/, [...head(INDEPENDENT), ...blocks]);
  // A frame never refers to the frame before.
  refuses(t, /begins before/, [
    ...head(LINKED),
    ...plainBlock('abcd'),
    ...END,
    ...head(LINKED),
    ...block([0x00, 4, 0, 0x10, 101]),
    ...END,
  ]);
});

t.test('the recorded stream with linked blocks really has them', async t => {
  const stream = streamOf('linked.lz4');
  const whole = decodeLz4Frames(stream, LIMIT);
  t.equal(sha256Of(whole), '97b1562c821081b5c5551715815841c9de22ef2fc33601fbaeb0113a81616c4d');
  const asIndependent = stream.slice();
  asIndependent[4] |= 0x20;
  asIndependent[14] = (xxhash32(asIndependent, 4, 14) >>> 8) & 0xff;
  t.throws(() => decodeLz4Frames(asIndependent, LIMIT), { message: /begins before/ });
});

t.test('frames follow frames, skippable ones are skipped', async t => {
  const frame = [...head(INDEPENDENT), ...plainBlock('hello'), ...END];
  const skippable = [0x5f, 0x2a, 0x4d, 0x18, ...word(3), 1, 2, 3];
  const stream = [...skippable, ...frame, ...skippable, ...frame];
  t.equal(decoded(stream), 'hellohello');
  t.equal(decoded(stream, 10), 'hellohello');
  t.throws(() => decoded(stream, 9), { code: 'LIMIT_EXCEEDED' });
  t.equal(decoded([]), '');
  refuses(t, /is cut/, [0x50, 0x2a, 0x4d, 0x18, ...word(4), 1, 2, 3]);
});

t.test('sizes and checksums are compared where they are there', async t => {
  const hello = [...Buffer.from('hello')];
  const stored = plainBlock('hello');
  const right = word(checksum(hello));
  const wrong = word(checksum(hello) ^ 1);
  const size = (bytes: number) => [...word(bytes), ...word(0)];
  t.equal(decoded([...head(INDEPENDENT | 0x10), ...stored, ...right, ...END]), 'hello');
  refuses(t, /checksum of a block/, [...head(INDEPENDENT | 0x10), ...stored, ...wrong, ...END]);
  t.equal(decoded([...head(INDEPENDENT | 0x04), ...stored, ...END, ...right]), 'hello');
  refuses(t, /checksum of a frame/, [...head(INDEPENDENT | 0x04), ...stored, ...END, ...wrong]);
  t.equal(decoded([...head(INDEPENDENT | 0x08, BLOCK_64K, size(5)), ...stored, ...END]), 'hello');
  refuses(t, /number of bytes/, [
    ...head(INDEPENDENT | 0x08, BLOCK_64K, size(6)),
    ...stored,
    ...END,
  ]);
  t.throws(() => decoded([...head(INDEPENDENT | 0x08, BLOCK_64K, size(LIMIT + 1)), ...END]), {
    code: 'LIMIT_EXCEEDED',
  });
});

t.test('faults of a frame are CONTENT_DAMAGED', async t => {
  const good = head(INDEPENDENT);
  refuses(t, /magic number/, [1, 2, 3, 4]);
  refuses(t, /is cut/, [1, 2, 3]);
  refuses(t, /head of a frame/, MAGIC);
  refuses(t, /head of a frame/, [...MAGIC, INDEPENDENT, BLOCK_64K]);
  refuses(t, /checksum of a frame head/, [...good.slice(0, -1), 1 ^ (good.at(-1) ?? 0), ...END]);
  refuses(t, /unknown version/, [...head(0xa0), ...END]);
  refuses(t, /unknown version/, [...head(INDEPENDENT | 0x02), ...END]);
  refuses(t, /dictionary/, [...head(INDEPENDENT | 0x01, BLOCK_64K, [1, 2, 3, 4]), ...END]);
  refuses(t, /block size/, [...head(INDEPENDENT, 0x30), ...END]);
  refuses(t, /block size/, [...head(INDEPENDENT, 0x80), ...END]);
  refuses(t, /block size/, [...head(INDEPENDENT, 0x41), ...END]);
  refuses(t, /too large/, [...good, ...word(2 ** 16 + 1), ...END]);
  refuses(t, /is cut/, [...good, ...word(5), 1, 2, 3]);
  refuses(t, /is cut/, [...good, ...plainBlock('hello')]);
});

t.test('a frame that holds more than the limit is given up after one block', async t => {
  const bomb = block([0x1f, 97, 1, 0, ...Array<number>(250).fill(255), 0, 0x10, 98]);
  const blocks = Array.from({ length: 1000 }, () => bomb).flat();
  t.throws(() => decoded([...head(INDEPENDENT), ...blocks, ...END], 100_000), {
    code: 'LIMIT_EXCEEDED',
  });
});

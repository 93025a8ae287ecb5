import t, { type Test } from 'tap';
import { crc32c } from '#engine/compress/crc32c.ts';
import { decodeS2Stream } from '#engine/compress/s2-stream.ts';
import { streamOf } from './vectors.ts';

const S2 = [...Buffer.from('S2sTwO')];
const SNAPPY = [...Buffer.from('sNaPpY')];
const LIMIT = 2 ** 20;
const COMPRESSED = 0x00;
const PLAIN = 0x01;

function chunk(type: number, body: readonly number[]): number[] {
  return [type, body.length & 0xff, (body.length >> 8) & 0xff, body.length >> 16, ...body];
}

function checksumOf(plain: Uint8Array): number[] {
  const crc = crc32c(plain, 0, plain.length);
  const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
  return [...Buffer.from(Uint32Array.of(masked).buffer)];
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

/** A stream of one block that says it decodes to `plain`. */
function blockStream(elements: readonly number[], plain: Uint8Array): Uint8Array {
  const body = [...checksumOf(plain), ...varint(plain.length), ...elements];
  return new Uint8Array([...chunk(0xff, S2), ...chunk(COMPRESSED, body)]);
}

function literal(text: string): number[] {
  return [(text.length - 1) << 2, ...Buffer.from(text)];
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function refuses(t: Test, elements: readonly number[], plain: string, message: RegExp): void {
  t.throws(() => decodeS2Stream(blockStream(elements, ascii(plain)), LIMIT), {
    code: 'CONTENT_DAMAGED',
    message,
  });
}

t.test('every form of literals is decoded', async t => {
  for (const [length, head] of [
    [1, [0]],
    [60, [59 << 2]],
    [61, [60 << 2, 60]],
    [256, [60 << 2, 255]],
    [700, [61 << 2, 0xbb, 0x02]],
    [70_000, [62 << 2, 0x6f, 0x11, 0x01]],
    [70_001, [63 << 2, 0x70, 0x11, 0x01, 0x00]],
  ] as const) {
    const plain = Uint8Array.from({ length }, (_, i) => (i * 31) & 0xff);
    t.same(decodeS2Stream(blockStream([...head, ...plain], plain), LIMIT), plain, `${length}`);
  }
});

t.test('every form of copies and repeats is decoded', async t => {
  const ab = literal('ab');
  const cases: [number[], string][] = [
    // Copies with offsets of 11, 16 and 32 bits.
    [[...ab, 0x01 | (3 << 2), 2], 'ab' + 'abababa'],
    [[...ab, 0x02 | (63 << 2), 2, 0], 'ab'.repeat(33)],
    [[...ab, 0x03 | (0 << 2), 2, 0, 0, 0], 'aba'],
    [[...ab, 0x01 | (0 << 2), 1], 'abbbbb'],
    // Repeats: 4 to 8 bytes, then lengths of 1, 2 and 3 bytes.
    [[...ab, 0x02, 2, 0, 0x01, 0], 'aba' + 'baba'],
    [[...ab, 0x02, 2, 0, 0x01 | (4 << 2), 0], 'aba' + 'babababa'],
    [[...ab, 0x02, 2, 0, 0x01 | (5 << 2), 0, 1], 'aba' + 'babababab'],
    [[...ab, 0x02, 2, 0, 0x01 | (6 << 2), 0, 0, 1], 'aba' + 'ba'.repeat(258)],
    [[...ab, 0x02, 2, 0, 0x01 | (7 << 2), 0, 2, 0, 0], 'aba' + 'ba'.repeat(32_771)],
    // A literal in between does not make the offset forgotten.
    [[...ab, 0x02, 2, 0, ...literal('xy'), 0x01, 0], 'abaxy' + 'xyxy'],
    [
      [...literal('0123456789abcdef'.repeat(3)), 0x02 | (39 << 2), 48, 0],
      '0123456789abcdef'.repeat(3) + '0123456789abcdef'.repeat(3).slice(0, 40),
    ],
  ];
  for (const [elements, plain] of cases) {
    t.equal(
      Buffer.from(decodeS2Stream(blockStream(elements, ascii(plain)), LIMIT)).toString(),
      plain,
    );
  }
  // An offset beyond 2 KiB in the short form: its upper three bits lie in the tag.
  const far = 'x'
    .repeat(1800)
    .split('')
    .map((_, i) => String.fromCharCode(97 + (i % 23)))
    .join('');
  const head = [61 << 2, 0x07, 0x07, ...Buffer.from(far)];
  t.equal(
    Buffer.from(
      decodeS2Stream(
        blockStream([...head, 0x01 | (7 << 5), 0x08], ascii(far + far.slice(0, 4))),
        LIMIT,
      ),
    ).toString(),
    far + far.slice(0, 4),
  );
});

t.test('elements that reach out of their block are CONTENT_DAMAGED', async t => {
  const ab = literal('ab');
  refuses(t, [...ab, 0x02, 3, 0], 'abc', /begins before/);
  refuses(t, [...ab, 0x02, 0, 0], 'abc', /begins before/);
  refuses(t, [0x01, 0], 'abcd', /begins before/);
  refuses(t, [...ab, 0x02 | (1 << 2), 2, 0], 'aba', /more bytes than it says/);
  refuses(t, literal('abcd'), 'abc', /more bytes than it says/);
  refuses(t, ab, 'abc', /fewer bytes than it says/);
  refuses(t, [2 << 2, 97, 98], 'abc', /ends within literals/);
  refuses(t, [63 << 2, 0xff, 0xff, 0xff, 0xff, 97], 'abc', /ends within literals/);
  for (const cut of [
    [60 << 2],
    [63 << 2, 1, 0, 0],
    [0x01],
    [0x02, 1],
    [0x03, 1, 0, 0],
    [0x01 | (7 << 2), 0, 1, 1],
  ]) {
    refuses(t, [...ab, ...cut], 'abc', /is cut/);
  }
});

t.test('a copy does not reach into the block before', async t => {
  const plain = ascii('ab');
  const first = blockStream(literal('ab'), plain);
  const second = chunk(COMPRESSED, [...checksumOf(plain), 2, 0x02 | (1 << 2), 2, 0]);
  t.throws(() => decodeS2Stream(new Uint8Array([...first, ...second]), LIMIT), {
    code: 'CONTENT_DAMAGED',
  });
});

t.test(
  'padding, index and other skippable chunks are skipped, and streams follow streams',
  async t => {
    const plain = ascii('hello');
    const stored = chunk(PLAIN, [...checksumOf(plain), ...plain]);
    const skippable = [0x80, 0x99, 0xfd, 0xfe].flatMap(type => chunk(type, [1, 2, 3]));
    const one = [...chunk(0xff, S2), ...skippable, ...stored, ...skippable];
    const other = [...chunk(0xff, SNAPPY), ...stored, ...chunk(0xfe, [])];
    t.equal(
      Buffer.from(decodeS2Stream(new Uint8Array([...one, ...other]), 10)).toString(),
      'hellohello',
    );
    t.throws(() => decodeS2Stream(new Uint8Array([...one, ...other]), 9), {
      code: 'LIMIT_EXCEEDED',
    });
    t.equal(decodeS2Stream(new Uint8Array(0), 0).length, 0);
    t.equal(decodeS2Stream(new Uint8Array(chunk(0xff, S2)), 0).length, 0);
  },
);

t.test('faults of the framing are CONTENT_DAMAGED', async t => {
  const plain = ascii('hello');
  const id = chunk(0xff, S2);
  const stored = chunk(PLAIN, [...checksumOf(plain), ...plain]);
  const large = new Uint8Array(2 ** 16 + 1);
  const faults: [string, number[]][] = [
    ['its identifier', stored],
    ['its identifier', [...chunk(0xfe, []), ...id, ...stored]],
    ['identifier is another', chunk(0xff, [...Buffer.from('S2sTw0')])],
    ['identifier is another', chunk(0xff, [])],
    ['reserved type 2', [...id, ...chunk(0x02, [])]],
    ['reserved type 127', [...id, ...chunk(0x7f, [1])]],
    ['shorter than its checksum', [...id, ...chunk(PLAIN, [1, 2, 3])]],
    ['within a chunk', [...id, ...stored.slice(0, -1)]],
    ['head of a chunk', [...id, 0x00, 0x01]],
    ['checksum of a chunk', [...id, ...chunk(PLAIN, [...checksumOf(plain), ...ascii('hallo')])]],
    ['length of a block', [...id, ...chunk(COMPRESSED, [0, 0, 0, 0])]],
    [
      'length of a block',
      [...id, ...chunk(COMPRESSED, [0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x7f])],
    ],
    ['too large', [...id, ...chunk(COMPRESSED, [0, 0, 0, 0, ...varint(4 * 2 ** 20 + 1)])]],
    ['too large', [...chunk(0xff, SNAPPY), ...chunk(PLAIN, [...checksumOf(large), ...large])]],
  ];
  for (const [message, bytes] of faults) {
    t.throws(() => decodeS2Stream(new Uint8Array(bytes), 2 ** 30), {
      code: 'CONTENT_DAMAGED',
      message: new RegExp(message),
    });
  }
});

t.test('a changed checksum of any data chunk is noticed', async t => {
  const stream = streamOf('parallel.s2');
  let chunks = 0;
  for (let at = 10; at < stream.length;) {
    const length = stream[at + 1] | (stream[at + 2] << 8) | (stream[at + 3] << 16);
    if (stream[at] <= PLAIN) {
      chunks++;
      const changed = stream.slice();
      changed[at + 5] ^= 0x10;
      t.throws(() => decodeS2Stream(changed, LIMIT), { message: /checksum of a chunk/ });
    }
    at += 4 + length;
  }
  t.ok(chunks > 5);
});

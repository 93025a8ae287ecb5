import t from 'tap';
import { compareBytes } from '#engine/base/bytes.ts';
import { compareUtf8, goNameText, goNameTextWithin } from '#engine/format/go-name.ts';
import { newSeed, seededByteSource, seededRandom } from '#test/support/seeded.ts';
import { bytesOf, hex } from './text-bytes.ts';

t.test('names are written as Go writes them', async t => {
  const cases: [Uint8Array, string][] = [
    [bytesOf('plain.txt'), '"plain.txt"'],
    [bytesOf('é中😀 name & <tag>.txt'), '"é中😀 name \\u0026 \\u003ctag\\u003e.txt"'],
    [bytesOf('quote " back \\ slash'), '"quote \\" back \\\\ slash"'],
    [bytesOf('\b\f\n\r\t\u0001\u001f\u007f'), '"\\b\\f\\n\\r\\t\\u0001\\u001f\u007f"'],
    [bytesOf('\u2028\u2029\ufffd'), '"\\u2028\\u2029\ufffd"'],
    [bytesOf(''), '""'],
    [hex('ff'), '"\\ufffd"'],
    [hex('61ff62'), '"a\\ufffdb"'],
    [hex('e4b8'), '"\\ufffd\\ufffd"'],
    [hex('e4b8ad e4b8'), '"中\\ufffd\\ufffd"'],
    [hex('f09f98'), '"\\ufffd\\ufffd\\ufffd"'],
    [hex('eda080'), '"\\ufffd\\ufffd\\ufffd"'],
    [hex('c080'), '"\\ufffd\\ufffd"'],
    [hex('f4908080'), '"\\ufffd\\ufffd\\ufffd\\ufffd"'],
    [hex('efbfbd ff'), '"\ufffd\\ufffd"'],
    [hex('3c ff 26'), '"\\u003c\\ufffd\\u0026"'],
  ];
  for (const [name, text] of cases) {
    t.equal(goNameText(name), text);
    const within = Buffer.concat([Buffer.from('a"'), name, Buffer.from('"b')]);
    t.equal(goNameTextWithin(within, 2, 2 + name.length), text);
  }
});

t.test('a name parses to what is left of it', async t => {
  const seed = newSeed();
  const random = seededRandom(seed);
  const bytes = seededByteSource(random);
  for (let round = 0; round < 500; round++) {
    const name = bytes(random(20));
    const parsed: unknown = JSON.parse(goNameText(name));
    t.type(parsed, 'string', `seed ${seed}`);
    const valid = Buffer.from(name).toString('utf8');
    if (!valid.includes('\ufffd')) t.equal(parsed, valid);
  }
});

t.test('texts compare as their UTF-8 bytes do', async t => {
  const seed = newSeed();
  const random = seededRandom(seed);
  const points = [0x20, 0x7f, 0xe9, 0x7ff, 0xd7ff, 0xe000, 0xfffd, 0xffff, 0x10000, 0x10ffff];
  const text = () =>
    String.fromCodePoint(...Array.from({ length: random(5) }, () => points[random(points.length)]));
  for (let round = 0; round < 3000; round++) {
    const [a, b] = [text(), text()];
    const expected = Math.sign(compareBytes(bytesOf(a), bytesOf(b)));
    t.equal(Math.sign(compareUtf8(a, b)), expected, `seed ${seed}: ${a} ${b}`);
  }
});

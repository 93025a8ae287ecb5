import t from 'tap';
import { decodeIndirect, encodeIndirect, indirectLength } from '#engine/format/indirect.ts';
import { bytesOf, textOf } from './text-bytes.ts';

const A = '99e27c140618ef071d3eb04a0926cd2e';
const B = '61979243d7efeff0c262d8dc999649ca';
// What kopia writes for a file of 9 MiB (kopia-format.md 8.2, 16.7).
const TEXT =
  `{"stream":"kopia:indirect","entries":[{"l":7423781,"o":"${A}"},` +
  `{"s":7423781,"l":2013403,"o":"${B}"}]}\n`;
const ENTRIES = [
  { start: 0, length: 7423781, objectId: A },
  { start: 7423781, length: 2013403, objectId: B },
];

const listText = (entries: string, stream = 'kopia:indirect') =>
  bytesOf(`{"stream":"${stream}","entries":${entries}}`);

t.test('a list is written as kopia writes it', async t => {
  t.equal(textOf(encodeIndirect(ENTRIES)), TEXT);
});

t.test('a list is read', async t => {
  t.same(decodeIndirect(bytesOf(TEXT)), ENTRIES);
  t.equal(indirectLength(ENTRIES), 9 * 2 ** 20);
  t.equal(indirectLength([]), 0);
});

t.test('entries may be lists and may be empty', async t => {
  const entries = [
    { start: 0, length: 0, objectId: A },
    { start: 0, length: 5, objectId: `Ix${B}` },
  ];
  t.same(decodeIndirect(encodeIndirect(entries)), entries);
});

t.test('a damaged list is refused', async t => {
  const cases: [string, Uint8Array][] = [
    ['not JSON', bytesOf('{"stream"')],
    ['another stream', listText(`[{"l":1,"o":"${A}"}]`, 'kopia:directory')],
    ['no entries', bytesOf('{"stream":"kopia:indirect"}')],
    ['null entries', listText('null')],
    ['empty entries', listText('[]')],
    ['an entry that is no object', listText('[null]')],
    ['a gap', listText(`[{"l":1,"o":"${A}"},{"s":2,"l":1,"o":"${B}"}]`)],
    ['an overlap', listText(`[{"l":2,"o":"${A}"},{"s":1,"l":1,"o":"${B}"}]`)],
    ['a start behind 0', listText(`[{"s":1,"l":1,"o":"${A}"}]`)],
    ['a negative length', listText(`[{"l":-1,"o":"${A}"}]`)],
    ['a fraction', listText(`[{"l":1.5,"o":"${A}"}]`)],
    ['a length as text', listText(`[{"l":"1","o":"${A}"}]`)],
    ['a huge length', listText(`[{"l":9223372036854775807,"o":"${A}"}]`)],
    [
      'lengths that overflow',
      listText(`[{"l":9007199254740991,"o":"${A}"},{"s":9007199254740991,"l":9,"o":"${B}"}]`),
    ],
    ['no object', listText('[{"l":1}]')],
    ['an id that is none', listText('[{"l":1,"o":"I"}]')],
  ];
  for (const [what, bytes] of cases) {
    t.throws(
      () => decodeIndirect(bytes, 'list x1'),
      { code: 'OBJECT_DAMAGED', message: /list x1/ },
      what,
    );
  }
});

t.test('a list that could not be read again is not written', async t => {
  t.throws(() => encodeIndirect([]), { code: 'OBJECT_DAMAGED' });
  t.throws(() => encodeIndirect([{ start: 1, length: 1, objectId: A }]), {
    code: 'OBJECT_DAMAGED',
  });
  t.throws(() => encodeIndirect([{ start: 0, length: 1, objectId: '' }]), {
    code: 'OBJECT_DAMAGED',
  });
});

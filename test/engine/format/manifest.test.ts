import { gunzipSync, gzipSync } from 'node:zlib';
import t from 'tap';
import {
  decodeManifests,
  deletionOf,
  encodeManifests,
  liveManifests,
  matchesLabels,
  newManifestEntry,
  newManifestId,
  type ManifestEntry,
} from '#engine/format/manifest.ts';
import { newSeed, seededRandom } from '#test/support/seeded.ts';
import { bytesOf, sequence, textOf } from './text-bytes.ts';

const zip = (text: string) => new Uint8Array(gzipSync(bytesOf(text)));
const ID = '000102030405060708090a0b0c0d0e0f';

const entryOf = (id: string, modifiedNs: bigint, data = '{}'): ManifestEntry => ({
  id,
  labels: { type: 'test' },
  modifiedNs,
  isDeleted: false,
  data,
});

t.test('a batch is written as kopia writes it', async t => {
  const entry = newManifestEntry(
    { type: 'snapshot', hostname: 'h', path: '/<a>' },
    '{"x":1.0}',
    1767323045_678900000n,
    sequenceOf,
  );
  const text = textOf(new Uint8Array(gunzipSync(encodeManifests([entry, deletionOf('ab', 1n)]))));
  t.equal(
    text,
    `{"entries":[{"id":"${ID}","labels":{"hostname":"h","path":"/\\u003ca\\u003e",` +
      '"type":"snapshot"},"modified":"2026-01-02T03:04:05.6789Z","data":{"x":1.0}},' +
      '{"id":"ab","labels":null,"modified":"1970-01-01T00:00:00.000000001Z","deleted":true,' +
      '"data":null}]}\n',
  );
});

t.test('a batch is read, documents are left as they stand', async t => {
  const text =
    `{"entries":[ {"id":"${ID}","labels":{"type":"x"},` +
    '"modified":"2026-01-02T03:04:05.6789+00:00","data": ' +
    '{"a" : [1.50, 9223372036854775807], "b":"]}"} , "later":1e2}, ' +
    '{"id":"cd","modified":"2026-01-02T03:04:05Z","deleted":true} ]}';
  const [first, second] = decodeManifests(zip(text), 'm1');
  t.equal(first.data, '{"a" : [1.50, 9223372036854775807], "b":"]}"}');
  t.same(first.labels, { type: 'x' });
  t.equal(first.modifiedNs, 1767323045_678900000n);
  t.match(second, { id: 'cd', isDeleted: true, labels: {}, data: 'null', extra: undefined });
  const rewritten = textOf(new Uint8Array(gunzipSync(encodeManifests([first]))));
  t.ok(rewritten.includes('"data":{"a" : [1.50, 9223372036854775807], "b":"]}"},"later":1e2}'));
});

t.test('a batch can be empty', async t => {
  for (const text of ['{}', '{"entries":[]}', '{"Entries":[ ]}\n'])
    t.same(decodeManifests(zip(text), 'm1'), []);
});

t.test('a damaged batch is refused', async t => {
  const entry = `{"id":"${ID}","modified":"2026-01-02T03:04:05Z","data":{}}`;
  const texts = [
    '',
    '[]',
    'null',
    '{"entries":null}',
    '{"entries":{}}',
    '{"entries":[]',
    '{"entries":[],"entries":[]}',
    '{"entries":[],"more":1}',
    '{"more":[]}',
    '{"entries":[null]}',
    '{"entries":["x"]}',
    `{"entries":[${entry.replace(ID, '')}]}`,
    `{"entries":[${entry.replace('"modified"', '"when"')}]}`,
    `{"entries":[${entry.replace('2026-', '')}]}`,
    `{"entries":[${entry.replace('{}', '{}}')}]}`,
    `{"entries":[${entry.replace('"data"', '"labels":{"type":7},"data"')}]}`,
    `{"entries":[${entry.replace('"data"', '"deleted":1,"data"')}]}`,
  ];
  const expected = { code: 'MANIFEST_DAMAGED', message: /manifest content m1/ };
  for (const text of texts) t.throws(() => decodeManifests(zip(text), 'm1'), expected, text);
  t.throws(() => decodeManifests(bytesOf('{"entries":[]}'), 'm1'), expected);
  t.throws(() => decodeManifests(zip('{}').subarray(0, -3), 'm1'), expected);
  t.throws(() => decodeManifests(new Uint8Array(0), 'm1'), expected);
});

t.test('the latest entry of an id counts, deletions remove it', async t => {
  const live = liveManifests([
    [entryOf('a', 1n, '"old"'), entryOf('b', 5n)],
    [entryOf('a', 2n, '"new"'), deletionOf('b', 6n), deletionOf('c', 1n)],
    [deletionOf('a', 1n), entryOf('c', 2n, '"again"')],
  ]);
  t.same([...live.keys()].sort(), ['a', 'c']);
  t.equal(live.get('a')?.data, '"new"');
  t.equal(live.get('c')?.data, '"again"');
});

t.test('the outcome does not depend on the order of batches', async t => {
  const seed = newSeed();
  const random = seededRandom(seed);
  for (let round = 0; round < 100; round++) {
    const batches = Array.from({ length: 12 }, (_, i) => {
      const id = String(random(4));
      const time = BigInt(i);
      return [random(3) === 0 ? deletionOf(id, time) : entryOf(id, time, String(i))];
    });
    const expected = [...liveManifests(batches).values()].map(entry => entry.data).sort();
    const reversed = [...liveManifests(batches.reverse()).values()].map(entry => entry.data).sort();
    t.same(reversed, expected, `seed ${seed}`);
  }
});

t.test('of two entries with the same time what is there wins', async t => {
  for (const batch of [
    [entryOf('a', 1n), deletionOf('a', 1n)],
    [deletionOf('a', 1n), entryOf('a', 1n)],
  ]) {
    t.equal(liveManifests([batch]).size, 1);
  }
  const live = liveManifests([[entryOf('a', 1n, '1'), entryOf('a', 1n, '2')]]);
  t.equal(live.get('a')?.data, '1');
});

t.test('labels match when all that are asked for are there', async t => {
  const labels = { type: 'snapshot', path: '/' };
  t.ok(matchesLabels(labels, {}));
  t.ok(matchesLabels(labels, { type: 'snapshot' }));
  t.notOk(matchesLabels(labels, { type: 'policy' }));
  t.notOk(matchesLabels(labels, { type: 'snapshot', host: 'x' }));
  t.notOk(matchesLabels(labels, { toString: 'x' }));
});

t.test('a manifest needs a type', async t => {
  t.throws(() => newManifestEntry({ path: '/' }, '{}', 1n, sequenceOf), { code: 'USAGE' });
  t.equal(newManifestId(sequenceOf), ID);
});

function sequenceOf(count: number): Uint8Array {
  return sequence(0, count);
}

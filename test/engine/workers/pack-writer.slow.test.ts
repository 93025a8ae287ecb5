import { readdirSync } from 'node:fs';
import t from 'tap';
import { toHex } from '#engine/base/bytes.ts';
import { contentIv } from '#engine/format/content-id.ts';
import { PACK_PADDING_UNIT, PACK_PREAMBLE_BYTES } from '#engine/format/pack.ts';
import { PACK_CONTENTS_MAX, PACK_TAIL_BYTES_MAX, PackWriter } from '#engine/workers/pack-writer.ts';
import { SeededRandom } from '#test/support/random.ts';
import {
  entriesOf,
  FakeTickets,
  keyOf,
  localEntries,
  newCipher,
  newHash,
  openAll,
  regionOf,
} from './pack-scene.ts';

const MiB = 1024 * 1024;
const buffers = () => new FakeTickets(() => ({ buffer: new ArrayBuffer(16 * MiB) }));

function writerOver(tickets: FakeTickets, packBytesMax = 8 * MiB): PackWriter {
  return new PackWriter(tickets, newHash(), newCipher(), { packBytesMax, formatVersion: 3 });
}

function append(packs: PackWriter, bytes: Uint8Array, prefix = 0): number {
  const key = keyOf(bytes, prefix);
  return packs.append(prefix === 0 ? 'p' : 'q', regionOf(bytes), bytes.length, {
    key,
    iv: contentIv(key),
    timestampSeconds: 1_700_000_000,
    originalBytes: bytes.length,
    compressionId: 0,
  });
}

/** Lengths on both sides of what is gathered and what is written at once. */
const LENGTHS = [0, 1, 100, 128 * 1024 - 28, 128 * 1024 - 27, 5000, 600_000, 1, 900_000, 70_000];

t.test('packs in files and in buffers hold the same contents and their own index', async t => {
  const directory = t.testdir({});
  const random = new SeededRandom(11);
  const pieces = LENGTHS.map(length => random.bytes(length));
  const staged = new FakeTickets(index => ({ stagedPath: `${directory}/${index}` }));
  const results = [staged, buffers()].map(tickets => {
    const packs = writerOver(tickets);
    for (const piece of pieces) t.equal(append(packs, piece.slice()), piece.length + 28);
    packs.finishAll();
    t.equal(tickets.packs.length, 1);
    const [pack] = tickets.packs;
    t.strictSame(localEntries(pack), entriesOf(pack.rows), 'the local index says the same');
    const opened = openAll(pack);
    for (const piece of pieces) t.strictSame(opened.get(toHex(keyOf(piece))), piece);
    return pack;
  });
  t.equal(results[0].bytes.length, results[1].bytes.length);
  t.strictSame(entriesOf(results[0].rows), entriesOf(results[1].rows));
  t.notSame(results[0].bytes.slice(0, 32), results[1].bytes.slice(0, 32), 'random preambles');
});

t.test('contents begin behind the preamble and stand one after the other', async t => {
  const tickets = buffers();
  const packs = writerOver(tickets);
  for (const length of [10, 20, 30]) append(packs, new Uint8Array(length).fill(length));
  packs.finishAll();
  const offsets = tickets.packs[0].rows;
  t.strictSame(
    [0, 1, 2].map(row => offsets.offsetAt(row)),
    [PACK_PREAMBLE_BYTES, PACK_PREAMBLE_BYTES + 38, PACK_PREAMBLE_BYTES + 38 + 48],
  );
});

t.test('a pack ends when it is full, and kinds are kept apart', async t => {
  const tickets = buffers();
  const packs = writerOver(tickets, MiB);
  const random = new SeededRandom(12);
  for (let index = 0; index < 5; index++) {
    append(packs, random.bytes(600_000));
    append(packs, random.bytes(1000), 'k'.charCodeAt(0));
  }
  t.strictSame(
    tickets.packs.map(({ packId }) => packId[0]),
    ['p', 'p'],
    'two full ones',
  );
  packs.finishAll();
  packs.finishAll();
  t.strictSame(tickets.packs.map(({ packId }) => packId[0]).sort(), ['p', 'p', 'p', 'q']);
});

t.test('a pack that was prepared and not used is given back', async t => {
  const directory = t.testdir({});
  const before = readdirSync('/proc/self/fd').length;
  for (const tickets of [buffers(), new FakeTickets(() => ({ stagedPath: `${directory}/a` }))]) {
    const packs = writerOver(tickets);
    packs.prepare('p');
    packs.prepare('p');
    t.equal(tickets.taken.length, 1);
    packs.finishAll();
    t.strictSame(tickets.unused, [tickets.taken[0].packId]);
    t.strictSame(tickets.packs, []);
  }
  t.equal(readdirSync('/proc/self/fd').length, before);
});

t.test('the index of a pack full of tiny contents fits behind it', async t => {
  const packBytesMax = 21 * MiB;
  const room = () => ({ buffer: new ArrayBuffer(packBytesMax + PACK_TAIL_BYTES_MAX) });
  const tickets = new FakeTickets(room);
  const packs = writerOver(tickets, packBytesMax);
  const bytes = new Uint8Array(4);
  const key = new Uint8Array(17);
  const region = regionOf(bytes);
  for (let index = 0; index < PACK_CONTENTS_MAX + 1; index++) {
    new DataView(key.buffer).setUint32(1, Math.imul(index, 0x9e3779b1));
    const content = { timestampSeconds: 1, originalBytes: 4, compressionId: 0 };
    packs.append('p', region, 4, { key, iv: key.subarray(1), ...content });
  }
  t.equal(tickets.packs.length, 1);
  const [{ rows, bytes: pack }] = tickets.packs;
  t.equal(rows.count, PACK_CONTENTS_MAX);
  const contentBytes = PACK_PREAMBLE_BYTES + PACK_CONTENTS_MAX * 32;
  // Twice as much: hashes may be twice as long.
  t.ok(2 * (pack.length - contentBytes) + PACK_PADDING_UNIT < PACK_TAIL_BYTES_MAX);
});

t.test('a full disk is named, and nothing is finished afterwards', async t => {
  const tickets = new FakeTickets(() => ({ stagedPath: '/dev/full' }));
  const packs = writerOver(tickets);
  t.throws(() => append(packs, new Uint8Array(200_000)), { code: 'STORAGE_FULL' });
  const failure = new Error('as the content writer says');
  packs.fail(failure);
  t.strictSame(tickets.failures, [failure]);
  t.throws(() => packs.prepare('q'), failure);
  t.throws(() => packs.finishAll(), failure);
  t.strictSame(tickets.packs, []);
});

t.test('a pack that outgrows its buffer is refused and writes nowhere else', async t => {
  const packs = writerOver(new FakeTickets(() => ({ buffer: new ArrayBuffer(1000) })));
  t.throws(() => append(packs, new Uint8Array(990)), { code: 'LIMIT_EXCEEDED' });
});

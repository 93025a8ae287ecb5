import { zstdCompressSync } from 'node:zlib';
import t from 'tap';
import { openObject, type ObjectReader } from '#engine/object/object-reader.ts';
import { encodeIndirect, type IndirectEntry } from '#engine/format/indirect.ts';
import { MemoryContents } from '#test/support/memory-contents.ts';

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function count(items: AsyncIterable<unknown>): Promise<number> {
  let counted = 0;
  for await (const item of items) counted += item === undefined ? 0 : 1;
  return counted;
}

/** A list over chunks of the given objects, stored as contents of prefix x; returns I + its id. */
function addList(contents: MemoryContents, chunks: [objectId: string, length: number][]): string {
  let start = 0;
  const entries = chunks.map(([objectId, length]): IndirectEntry => {
    start += length;
    return { start: start - length, length, objectId };
  });
  return `I${contents.add(encodeIndirect(entries), 'x')}`;
}

function addChunks(contents: MemoryContents, data: Buffer, size: number): [string, number][] {
  const chunks: [string, number][] = [];
  for (let i = 0; i < data.length; i += size) {
    const piece = data.subarray(i, i + size);
    chunks.push([contents.add(piece), piece.length]);
  }
  return chunks;
}

function sample(bytes: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: bytes }, (_, i) => (i * 2654435761) >>> 13));
}

async function checkReads(t: Tap, reader: ObjectReader, data: Buffer): Promise<void> {
  t.equal(reader.bytes, data.length);
  t.ok(data.equals(await collect(reader.stream())), 'streams everything');
  for (const [offset, length] of [
    [0, 1],
    [0, data.length],
    [data.length - 1, 10],
    [data.length, 5],
    [999, 1002],
    [1000, 1000],
  ]) {
    const expected = data.subarray(offset, offset + length);
    t.ok(expected.equals(await reader.read(offset, length)), `reads ${offset}+${length}`);
  }
}

type Tap = typeof t;

t.test('an object of one content reads as the content', async t => {
  const contents = new MemoryContents();
  const data = sample(5000);
  const reader = await openObject(contents, contents.add(data));
  t.same(contents.reads, [], 'opening reads nothing');
  await checkReads(t as Tap, reader, data);
});

t.test('an empty object has no bytes', async t => {
  const contents = new MemoryContents();
  const reader = await openObject(contents, contents.add(''));
  t.equal(reader.bytes, 0);
  t.equal((await collect(reader.stream())).length, 0);
  t.equal((await reader.read(0, 10)).length, 0);
});

t.test('an object of chunks reads at every offset', async t => {
  const contents = new MemoryContents();
  const data = sample(10_500);
  const objectId = addList(contents, addChunks(contents, data, 1000));
  await checkReads(t as Tap, await openObject(contents, objectId), data);
});

t.test('joined lists of parts read as one object', async t => {
  const contents = new MemoryContents();
  const data = sample(9000);
  const head = addList(contents, addChunks(contents, data.subarray(0, 4000), 700));
  const tail = addList(contents, addChunks(contents, data.subarray(5000), 900));
  const middle = contents.add(data.subarray(4000, 5000));
  const objectId = addList(contents, [
    [head, 4000],
    [middle, 1000],
    [tail, 4000],
  ]);
  await checkReads(t as Tap, await openObject(contents, objectId), data);
});

t.test('a list that is itself a list of chunks is followed', async t => {
  const contents = new MemoryContents();
  const data = sample(50_000);
  const entries = addChunks(contents, data, 1000).map(
    ([objectId, length], index): IndirectEntry => ({ start: index * 1000, length, objectId }),
  );
  const list = Buffer.from(encodeIndirect(entries));
  const objectId = `I${addList(contents, addChunks(contents, list, 300))}`;
  await checkReads(t as Tap, await openObject(contents, objectId), data);
});

t.test('a list too large to keep is read in pages', async t => {
  const contents = new MemoryContents();
  const chunks = [contents.add(Buffer.alloc(3, 'a')), contents.add(Buffer.alloc(3, 'b'))];
  const count = 100_000;
  const entries = Array.from({ length: count }, (_, index): IndirectEntry => {
    return { start: index * 3, length: 3, objectId: chunks[index % 7 === 0 ? 0 : 1] };
  });
  const list = Buffer.from(encodeIndirect(entries));
  t.ok(list.length > 4 << 20, 'the list is beyond what is kept whole');
  const objectId = `I${addList(contents, addChunks(contents, list, 100_001))}`;
  const reader = await openObject(contents, objectId);
  t.equal(reader.bytes, count * 3);
  t.ok(contents.reads.length < 5, 'opening reads its two ends only');
  t.equal(Buffer.from(await reader.read(210_000, 6)).toString(), 'aaabbb');
  let seen = 0;
  for await (const chunk of reader.chunks()) {
    if (chunk.offset !== seen * 3) t.fail(`chunk ${seen} is at ${chunk.offset}`);
    seen++;
  }
  t.equal(seen, count);
  contents.reads.length = 0;
  t.equal(Buffer.from(await reader.read(294_000, 6)).toString(), 'aaabbb');
  t.ok(contents.reads.length < 25, 'a second look starts near the place');
});

t.test('the contents of an object include those of its lists', async t => {
  const contents = new MemoryContents();
  const chunks = addChunks(contents, sample(2500), 1000);
  const objectId = addList(contents, chunks);
  const ids: string[] = [];
  for await (const id of (await openObject(contents, objectId)).contentIds()) ids.push(id);
  t.same(ids, [objectId.slice(1), ...chunks.map(([id]) => id)]);
});

t.test('a chunk of another length than its list says is damage', async t => {
  const contents = new MemoryContents();
  const short = contents.add(sample(99));
  const objectId = addList(contents, [
    [contents.add(sample(100)), 100],
    [short, 100],
  ]);
  const reader = await openObject(contents, objectId);
  await t.rejects(collect(reader.stream()), {
    code: 'OBJECT_DAMAGED',
    message: new RegExp(`${objectId} at 100 .*chunk ${short}.* 99 bytes instead of 100`),
  });
});

t.test('a nested list of another length than its parent says is damage', async t => {
  const contents = new MemoryContents();
  const nested = addList(contents, addChunks(contents, sample(300), 100));
  const objectId = addList(contents, [
    [nested, 299],
    [contents.add('x'), 1],
  ]);
  const reader = await openObject(contents, objectId);
  await t.rejects(collect(reader.stream()), { code: 'OBJECT_DAMAGED' });
  await t.rejects(collect(reader.stream({ offset: 1 })), { code: 'OBJECT_DAMAGED' });
});

t.test('what is no list of chunks is damage', async t => {
  const contents = new MemoryContents();
  for (const text of [
    '',
    '{}',
    '[]',
    '{"stream":"kopia:indirect","entries":[]}',
    'x'.repeat(5e6),
  ]) {
    const objectId = `I${contents.add(text, 'x')}`;
    await t.rejects(openObject(contents, objectId), { code: 'OBJECT_DAMAGED' });
  }
});

t.test('a large list with a gap, a torn entry or a cut end is damage', async t => {
  const contents = new MemoryContents();
  const chunk = contents.add('abc');
  const entries = Array.from({ length: 80_000 }, (_, index) => ({
    start: index * 3,
    length: 3,
    objectId: chunk,
  }));
  const list = Buffer.from(encodeIndirect(entries)).toString();
  const spoilt = {
    gap: list.replace('"s":150000,', '"s":150001,'),
    torn: list.replace('{"s":150000,', '"s":150000,'),
    cut: list.slice(0, -3),
  };
  for (const [name, text] of Object.entries(spoilt)) {
    const reader = await openObject(contents, `I${contents.add(text, 'x')}`);
    await t.rejects(count(reader.chunks()), { code: 'OBJECT_DAMAGED' }, name);
  }
});

t.test('contents that hold a compressed stream are read, alone and in lists', async t => {
  const contents = new MemoryContents();
  const data = sample(2000);
  const compressed = (plain: Uint8Array) => {
    const zstd = Buffer.from([0, 0, 0x11, 0]);
    return `Z${contents.add(Buffer.concat([zstd, zstdCompressSync(plain)]))}`;
  };
  await checkReads(t as Tap, await openObject(contents, compressed(data)), data);
  const chunks = [data.subarray(0, 700), data.subarray(700)];
  const objectId = addList(
    contents,
    chunks.map(chunk => [compressed(chunk), chunk.length]),
  );
  await checkReads(t as Tap, await openObject(contents, objectId), data);
  const longer = addList(contents, [[compressed(data), 1999]]);
  const reader = await openObject(contents, longer);
  await t.rejects(collect(reader.stream()), { code: 'OBJECT_DAMAGED' });
});

t.test('lists nested too deep are refused', async t => {
  const contents = new MemoryContents();
  let objectId = contents.add('x');
  for (let i = 0; i < 12; i++) objectId = addList(contents, [[objectId, 1]]);
  const reader = openObject(contents, objectId).then(reader => collect(reader.stream()));
  await t.rejects(reader, { code: 'OBJECT_DAMAGED' });
});

t.test('a missing content is an error and not an end', async t => {
  const contents = new MemoryContents();
  const chunks = addChunks(contents, sample(3000), 1000);
  const objectId = addList(contents, chunks);
  contents.spoil(chunks[1][0], 'CONTENT_NOT_FOUND');
  const reader = await openObject(contents, objectId);
  await t.rejects(collect(reader.stream()), { code: 'CONTENT_NOT_FOUND' });
});

t.test('an abort ends a stream', async t => {
  const contents = new MemoryContents();
  const objectId = addList(contents, addChunks(contents, sample(30_000), 100));
  const abort = new AbortController();
  const reader = await openObject(contents, objectId);
  const reading = (async () => {
    for await (const piece of reader.stream({ signal: abort.signal })) {
      t.equal(piece.length, 100);
      abort.abort();
    }
  })();
  await t.rejects(reading, { code: 'ABORTED' });
});

t.test('whoever stops early leaves nothing behind', async t => {
  const contents = new MemoryContents();
  const chunks = addChunks(contents, sample(3000), 100);
  contents.spoil(chunks[5][0], 'CONTENT_DAMAGED');
  const reader = await openObject(contents, addList(contents, chunks));
  for await (const piece of reader.stream()) {
    t.equal(piece.length, 100);
    break;
  }
});

import t, { type Test } from 'tap';
import { arenaOver, ownBuffer } from '#engine/base/arena.ts';
import { createCipher } from '#engine/cipher/ciphers.ts';
import type { ContentSource } from '#engine/content/content-source.ts';
import { createHash } from '#engine/hash/hashes.ts';
import type { BlobRange } from '#engine/storage/storage.ts';
import { wrap } from '#engine/storage/wrap.ts';
import { ContentOpener } from '#engine/workers/content-opener.ts';
import { SeededRandom } from '#test/support/random.ts';
import {
  commitRows,
  contentScene,
  idsOf,
  inventedRows,
  TestClock,
  write,
} from './content-scene.ts';

interface Fetch {
  readonly id: string;
  readonly range: BlobRange | undefined;
}

/** A repository with `pieces` in it, and a second look at it that counts what it fetches. */
async function readerScene(t: Test, pieces: readonly Uint8Array[]) {
  const scene = await contentScene(t);
  const writer = await scene.open();
  const ids: string[] = [];
  for (const piece of pieces) ids.push(await write(writer, piece));
  await writer.writing.flush();
  const fetches: Fetch[] = [];
  const storage = wrap(scene.memory, {
    get: (id, options) => {
      if (/^[pq]/.test(id)) fetches.push({ id, range: options?.range });
      return scene.memory.get(id, options);
    },
  });
  const clock = new TestClock();
  const { reader, index } = await scene.open({ storage, clock, isReadOnly: true });
  return { ...scene, writer, ids, fetches, reader, index, clock };
}

async function readAll(reader: ContentSource, ids: Iterable<string>) {
  const read = new Map<string, string>();
  for await (const { contentId, bytes } of reader.readMany(ids)) {
    read.set(contentId, Buffer.from(bytes).toString('hex'));
  }
  return read;
}

const random = new SeededRandom(21);
const small = Array.from({ length: 50 }, () => random.bytes(1 + random.below(3000)));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

t.test('neighbours are fetched with one request, in any order asked', async t => {
  const { reader, ids, fetches } = await readerScene(t, small);
  const read = await readAll(reader, ids.toReversed());
  t.equal(fetches.length, 1);
  t.strictSame(
    new Map([...read].sort()),
    new Map(ids.map((id, i): [string, string] => [id, hex(small[i])]).sort()),
  );
});

t.test('lent contents are there until the next is asked for, and given back then', async t => {
  const large = [random.bytes(200_000), random.bytes(200_000)];
  const { reader, ids } = await readerScene(t, [...small, ...large]);
  const read = new Map<string, string>();
  const lent: Uint8Array[] = [];
  for await (const { contentId, bytes } of reader.readMany(ids, { areLent: true })) {
    read.set(contentId, hex(bytes));
    lent.push(bytes);
  }
  t.strictSame(read, new Map(ids.map((id, i) => [id, hex([...small, ...large][i])])));
  t.strictSame(new Set(lent.map(bytes => bytes.length)), new Set([0]));
});

t.test('one content is fetched by itself', async t => {
  const { reader, ids, fetches } = await readerScene(t, small);
  t.strictSame(new Uint8Array(await reader.read(ids[7])), small[7]);
  t.match(fetches, [{ range: { length: small[7].length + 28 } }]);
});

t.test('contents are had sealed by whoever opens them', async t => {
  const { reader, ids, fetches, format } = await readerScene(t, small);
  const { config, cipherSecret } = format;
  const hash = createHash(config.hash, config.secret);
  const cipher = createCipher(config.encryption, cipherSecret);
  const opener = new ContentOpener(hash, cipher, { eccOverheadPercent: 0, isNativeAllowed: true });
  const opened = new Map<string, string>();
  for await (const { contentId, bytes, ...sealed } of reader.readManySealed(ids.toReversed())) {
    const content = { ...sealed, offset: 0, length: bytes.length };
    opened.set(contentId, hex(opener.open(arenaOver(ownBuffer(bytes)), content)));
  }
  t.equal(fetches.length, 1);
  t.strictSame(
    ids.map(id => opened.get(id)),
    small.map(hex),
  );
  t.match(await reader.readSealed(ids[7]), { contentId: ids[7], originalBytes: small[7].length });
  await t.rejects(reader.readSealed('ab'.repeat(16)), { code: 'CONTENT_NOT_FOUND' });
});

t.test('large contents are opened by a worker, small ones here', async t => {
  const large = [random.bytes(900_000), random.bytes(700_000)];
  const { reader, ids } = await readerScene(t, [...small.slice(0, 3), ...large]);
  const read = await readAll(reader, ids);
  t.equal(read.get(ids[3]), hex(large[0]));
  t.equal(read.get(ids[4]), hex(large[1]));
  t.equal(read.get(ids[0]), hex(small[0]));
});

t.test('a content that is asked for twice comes once', async t => {
  const { reader, ids, fetches } = await readerScene(t, small.slice(0, 2));
  t.equal((await readAll(reader, [ids[0], ids[1], ids[0]])).size, 2);
  t.equal(fetches.length, 1);
});

t.test('what others have written since is found after one refresh', async t => {
  const { reader, writer, ids, clock } = await readerScene(t, small.slice(0, 1));
  const later = await write(writer, 'later');
  t.equal(reader.find(later), undefined);
  await writer.writing.flush();
  t.equal(Buffer.from(await reader.read(later)).toString(), 'later');
  const latest = await write(writer, 'latest');
  await writer.writing.flush();
  await t.rejects(reader.read(latest), { code: 'CONTENT_NOT_FOUND' }, 'not at once again');
  clock.advance(5000);
  t.equal((await readAll(reader, [ids[0], latest])).size, 2);
});

t.test('a pack that maintenance has replaced is looked for again', async t => {
  const { reader, writer, ids, memory, fetches, clock } = await readerScene(t, small.slice(0, 3));
  const old = writer.reader.find(ids[1]);
  const packId = old?.packId ?? '';
  const moved = `p${'f'.repeat(32)}-s2`;
  await memory.put(moved, [await memory.get(packId)]);
  await memory.delete(packId);
  await t.rejects(reader.read(ids[1]), { code: 'PACK_MISSING', details: { packId } });
  const rows = inventedRows(0, 0);
  const packIndex = rows.addPack(moved);
  for (const id of ids) {
    const entry = writer.reader.find(id);
    if (!entry) throw new Error('the content is there');
    const timestampSeconds = entry.timestampSeconds + 10;
    const key = Buffer.from(`00${id}`, 'hex');
    rows.add(new Uint8Array(key), 0, { ...entry, packIndex, timestampSeconds });
  }
  await commitRows({ memory, format: writer.format }, rows);
  fetches.length = 0;
  clock.advance(5000);
  const read = await readAll(reader, ids);
  t.equal(read.get(ids[1]), hex(small[1]));
  t.strictSame(
    fetches.map(({ id }) => id),
    [packId, moved],
  );
});

t.test('what is nowhere is an error that names it', async t => {
  const { reader, ids } = await readerScene(t, small.slice(0, 1));
  const missing = 'ab'.repeat(16);
  const notFound = { code: 'CONTENT_NOT_FOUND', details: { contentId: missing } };
  await t.rejects(reader.read(missing), notFound);
  await t.rejects(readAll(reader, [ids[0], missing]), notFound);
  await t.rejects(reader.read('nonsense'), { code: 'CONTENT_ID_INVALID' });
});

t.test('damage and a pack that was cut short are told apart', async t => {
  const { reader, ids, memory } = await readerScene(t, small.slice(0, 2));
  const [packId] = await idsOf(memory, 'p');
  const pack = await memory.get(packId);
  const damaged = pack.slice();
  damaged[50] ^= 1;
  await memory.put(packId, [damaged]);
  await t.rejects(reader.read(ids[0]), { code: 'CONTENT_DAMAGED' });
  await memory.put(packId, [pack.subarray(0, 40)]);
  await t.rejects(reader.read(ids[0]), { code: 'PACK_DAMAGED' });
});

t.test('no more is looked ahead than a window, and an abort ends the reading', async t => {
  const pieces = Array.from({ length: 20 }, () => random.bytes(2_000_000));
  const { reader, ids } = await readerScene(t, pieces);
  let asked = 0;
  function* source(): Generator<string> {
    for (const id of ids) {
      asked += 1;
      yield id;
    }
  }
  const abort = new AbortController();
  let read = 0;
  const reading = async () => {
    for await (const { bytes } of reader.readMany(source(), { signal: abort.signal })) {
      if (read++ === 0) t.equal(asked, 17, '32 MiB and a little');
      if (bytes.length > 0) abort.abort();
    }
  };
  await t.rejects(reading(), { code: 'ABORTED' });
  t.ok(read < 17);
});

t.test('entries come by prefix and in the order of keys', async t => {
  const scene = await contentScene(t);
  const writer = await scene.open();
  const data = [await write(writer, 'a'), await write(writer, 'b')].sort();
  const meta = [await write(writer, 'a', 'k'), await write(writer, 'b', 'm')];
  await writer.writing.flush();
  const idsOfPrefix = (prefix?: string) =>
    [...writer.reader.entries(prefix)].map(({ contentId }) => contentId);
  t.strictSame(idsOfPrefix(), [...data, ...meta]);
  t.strictSame(idsOfPrefix('k'), [meta[0]]);
  t.strictSame(idsOfPrefix('x'), []);
});

t.test('much that is missing makes the index be read once in a while', async t => {
  const scene = await contentScene(t);
  const { memory } = scene;
  let listings = 0;
  const storage = wrap(memory, {
    list: (prefix, options) => {
      listings++;
      return memory.list(prefix, options);
    },
  });
  const clock = new TestClock();
  const { reader } = await scene.open({ storage, clock, isReadOnly: true });
  const before = listings;
  const missing = Array.from({ length: 20 }, (_, i) => String(i).padStart(32, 'a'));
  for (const id of missing) await t.rejects(reader.read(id), { code: 'CONTENT_NOT_FOUND' });
  const once = listings - before;
  t.ok(once > 0 && once < 20, `${once} listings`);
  clock.advance(5000);
  await t.rejects(reader.read(missing[0]), { code: 'CONTENT_NOT_FOUND' });
  t.equal(listings - before, 2 * once);
});

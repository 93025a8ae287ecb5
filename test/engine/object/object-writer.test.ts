import t from 'tap';
import { createSplitter, splitterAlgorithm } from '#engine/chunk/splitters.ts';
import { decodeIndirect } from '#engine/format/indirect.ts';
import type { Region } from '#engine/cipher/content-cipher.ts';
import { CHUNK_MARGIN_BYTES, ObjectWriter } from '#engine/object/object-writer.ts';
import type { ContentWriter } from '#engine/workers/content-writer.ts';
import { SeededRandom } from '#test/support/random.ts';

const SPLITTER = 'DYNAMIC-128K-BUZHASH';
const K = 'k'.charCodeAt(0);

/** Contents in memory; numbered keys. Spoils what it was given, as sealing in place does. */
class MemoryContentWriter {
  readonly key = new Uint8Array(17);
  readonly stored = new Map<string, Uint8Array>();

  write(prefix: number, { arena, offset }: Region, length: number): void {
    const bytes = arena.bytes.slice(offset, offset + length);
    arena.bytes.fill(0xcc, offset - 12, offset + length + 16);
    this.key[0] = prefix;
    new DataView(this.key.buffer).setUint32(13, this.stored.size + 1);
    const hash = Buffer.from(this.key.subarray(1)).toString('hex');
    this.stored.set(prefix === 0 ? hash : String.fromCharCode(prefix) + hash, bytes);
  }
}

function scene(splitterName = SPLITTER) {
  const contents = new MemoryContentWriter();
  const arenaBytes = splitterAlgorithm(splitterName).maxBytes + CHUNK_MARGIN_BYTES;
  const splitter = createSplitter(splitterName, arenaBytes);
  // Only key and write() are used of it.
  const objects = new ObjectWriter(contents as unknown as ContentWriter, splitter, undefined);
  return { contents, objects };
}

/** The bytes of an object, through as many lists as there are. */
function read({ stored }: MemoryContentWriter, objectId: string): Buffer {
  if (!objectId.startsWith('I')) return Buffer.from(stored.get(objectId) ?? Buffer.from('missing'));
  const entries = decodeIndirect(
    new Uint8Array(read({ stored } as MemoryContentWriter, objectId.slice(1))),
  );
  return Buffer.concat(
    entries.map(entry => read({ stored } as MemoryContentWriter, entry.objectId)),
  );
}

const random = new SeededRandom(31);

t.test('an object of one chunk is that content', async t => {
  const { contents, objects } = scene();
  for (const bytes of [new Uint8Array(), random.bytes(1), random.bytes(60_000)]) {
    const id = objects.write(bytes, { prefix: K });
    t.match(id, /^k/);
    t.ok(read(contents, id).equals(bytes));
  }
  t.equal(contents.stored.size, 3);
});

t.test('an object of several chunks is a list of them', async t => {
  const { contents, objects } = scene();
  const bytes = random.bytes(1_500_000);
  const data = objects.write(bytes, { prefix: 0 });
  t.match(data, /^Ix/, 'lists of file chunks have a prefix of their own');
  t.ok(read(contents, data).equals(bytes));
  const directory = objects.write(bytes, { prefix: K });
  t.match(directory, /^Ik/, 'others have that of their object');
  t.ok(read(contents, directory).equals(bytes));
});

t.test('a list that is long becomes a list of lists', async t => {
  const { contents, objects } = scene('FIXED-128K');
  const chunk = objects.write(random.bytes(10), { prefix: 0 });
  const chunks = Array.from({ length: 3000 }, (_, index) => {
    return { start: index * 10, length: 10, objectId: chunk };
  });
  const id = objects.writeList(chunks, 0);
  t.match(id, /^IIx/);
  t.equal(read(contents, id).length, 30_000);
});

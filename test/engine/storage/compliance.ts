// The suite that every storage and every wrapper passes: what agent/engine/storage/storage.ts
// promises, one test per promise. To enrol a storage, call this with a function that opens a new,
// empty one.

import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import type { Test } from 'tap';
import { EngineError } from '#engine/base/errors.ts';
import { mapBounded } from '#engine/base/map-bounded.ts';
import type { Storage } from '#engine/storage/storage.ts';
import { bytes, failsWith, hexOf, ids, read } from './storage-asserts.ts';

type Open = () => Promise<Storage>;
type Body = (t: Test, storage: Storage) => Promise<void>;

const ODD_IDS = [
  'a',
  'kopia.repository',
  '.hidden',
  'with space',
  'plus+and%25percent',
  'a..b',
  "tilde~quote'amp&hash#question?semicolon;",
  'brackets[]{}()<>',
  'at@colon:comma,equals=dollar$',
  'star*pipe|caret^backquote`',
  `p${'0123456789abcdef'.repeat(8)}-s0123456789abcdef1`,
];
const BAD_IDS = ['', '.', '..', 'a/b', '/', 'nul\0', 'umlautä', 'newline\n', 'x'.repeat(256)];

/**
 * @param broken promises that the program behind the storage is known not to keep, with what was
 *   seen; they are skipped and the reason is printed
 */
export function storageCompliance(
  t: Test,
  name: string,
  open: Open,
  broken: Readonly<Record<string, string>> = {},
): void {
  t.test(`${name} keeps the contract of a storage`, async t => {
    for (const [title, body] of Object.entries(PROMISES)) {
      await t.test(title, { skip: broken[title] ?? false }, async t => {
        const storage = await open();
        try {
          await body(t, storage);
        } finally {
          await storage.close();
        }
      });
    }
    await t.test('closing gives everything back', t => closesClean(t, open));
  });
}

const PROMISES: Readonly<Record<string, Body>> = {
  'what was put is there for get, head and list': async (t, storage) => {
    await storage.put('kopia.repository', [bytes('hello')]);
    t.equal(await read(storage, 'kopia.repository'), 'hello');
    const head = await storage.head('kopia.repository');
    t.match(head, { id: 'kopia.repository', bytes: 5 });
    t.ok(Number.isInteger(head.modifiedMs), 'times are whole milliseconds');
    t.ok(Math.abs(head.modifiedMs - Date.now()) < 600_000, 'the time is about now');
    const [listed] = await Array.fromAsync(storage.list(''));
    t.match(listed, { id: 'kopia.repository', bytes: 5 });
    t.ok(Math.abs((listed?.modifiedMs ?? 0) - head.modifiedMs) < 1000, 'the same time in the list');
  },

  'pieces are put one after the other and left as they were': async (t, storage) => {
    const pieces = [bytes('one'), bytes(''), bytes('two'), bytes('three')];
    await storage.put('pieces', pieces);
    t.equal(await read(storage, 'pieces'), 'onetwothree');
    t.equal(pieces.map(piece => Buffer.from(piece).toString()).join(), 'one,,two,three');
    await storage.put('none', []);
    t.equal(await read(storage, 'none'), '');
  },

  'a put replaces what was there, by longer and by shorter': async (t, storage) => {
    for (const text of ['first', 'second and longer', 'third']) {
      await storage.put('blob', [bytes(text)]);
      t.equal(await read(storage, 'blob'), text);
      t.equal((await storage.head('blob')).bytes, text.length);
    }
    t.same(await ids(storage, ''), ['blob']);
  },

  'an empty blob is a blob': async (t, storage) => {
    await storage.put('empty', [bytes('')]);
    t.equal((await storage.get('empty')).length, 0);
    t.equal((await storage.head('empty')).bytes, 0);
    t.same(await ids(storage, 'em'), ['empty']);
    await failsWith(t, 'STORAGE_RANGE_INVALID', () => range(storage, 'empty', 0, 1));
  },

  '24 MiB come back as they went, in one piece and in several': async (t, storage) => {
    const blob = randomBytes(24 * 1024 * 1024);
    await storage.put('large-1', [blob]);
    t.ok(blob.equals(await storage.get('large-1')), 'one piece');
    const cuts = [0, 17, 1_000_000, 9_999_999, blob.length];
    const pieces = cuts.slice(1).map((end, index) => blob.subarray(cuts[index], end));
    await storage.put('large-5', pieces);
    t.ok(blob.equals(await storage.get('large-5')), 'several pieces');
    const tail = await range(storage, 'large-5', blob.length - 100_000, 100_000);
    t.ok(blob.subarray(-100_000).equals(tail), 'the end of it');
  },

  'a range gives exactly its bytes, and one beyond the blob is refused': async (t, storage) => {
    await storage.put('digits', [bytes('0123456789')]);
    for (const [offset, length, text] of RANGES) {
      const found = Buffer.from(await range(storage, 'digits', offset, length)).toString();
      t.equal(found, text, `${length} bytes at ${offset}`);
    }
    for (const [offset, length] of BAD_RANGES) {
      await failsWith(t, 'STORAGE_RANGE_INVALID', () => range(storage, 'digits', offset, length));
    }
    await failsWith(t, 'STORAGE_BLOB_NOT_FOUND', () => range(storage, 'absent', 0, 1));
  },

  'what is absent is said to be, and deleting it is a success': async (t, storage) => {
    await failsWith(t, 'STORAGE_BLOB_NOT_FOUND', () => storage.get('absent'));
    await failsWith(t, 'STORAGE_BLOB_NOT_FOUND', () => storage.head('absent'));
    await storage.delete('absent');
    t.same(await ids(storage, ''), []);
  },

  'what was deleted is gone for get, head and list': async (t, storage) => {
    await storage.put('gone', [bytes('x')]);
    await storage.put('stays', [bytes('y')]);
    await storage.delete('gone');
    await storage.delete('gone');
    await failsWith(t, 'STORAGE_BLOB_NOT_FOUND', () => storage.get('gone'));
    await failsWith(t, 'STORAGE_BLOB_NOT_FOUND', () => storage.head('gone'));
    t.same(await ids(storage, ''), ['stays']);
  },

  'a listing names each blob with the prefix once, over many pages': async (t, storage) => {
    const names = Array.from({ length: 1100 }, (_, index) => `p${index % 7}${hexOf(index)}`);
    const others = ['q', 'p', 'x', `xn0_${hexOf(1)}`, `xn1_${hexOf(2)}`, `_log_${hexOf(3)}`];
    await mapBounded([...names, ...others], { parallelism: 16 }, id =>
      storage.put(id, [bytes(id)]),
    );
    t.same(await ids(storage, ''), [...names, ...others].sort());
    t.same(await ids(storage, 'p'), [...names, 'p'].sort());
    t.same(await ids(storage, 'p3'), names.filter(id => id.startsWith('p3')).sort());
    t.same(await ids(storage, 'xn0_'), [`xn0_${hexOf(1)}`]);
    t.same(await ids(storage, 'xn'), [`xn0_${hexOf(1)}`, `xn1_${hexOf(2)}`]);
    t.same(await ids(storage, names[5] ?? ''), [names[5]], 'a whole id is a prefix of itself');
    t.same(await ids(storage, 'zz'), []);
    for await (const blob of storage.list('p')) {
      t.equal(blob.bytes, blob.id.length);
      break;
    }
    t.equal(await read(storage, 'q'), 'q', 'a listing that was left early harms nothing');
  },

  'odd but legal ids work everywhere': async (t, storage) => {
    for (const id of ODD_IDS) await storage.put(id, [bytes(`in ${id}`)]);
    t.same(await ids(storage, ''), [...ODD_IDS].sort());
    for (const id of ODD_IDS) {
      t.equal(await read(storage, id), `in ${id}`);
      t.equal((await storage.head(id)).bytes, id.length + 3);
      t.same((await ids(storage, id)).includes(id), true, `listed by its own name: ${id}`);
    }
    for (const id of ODD_IDS) await storage.delete(id);
    t.same(await ids(storage, ''), []);
  },

  'what cannot be an id is refused at every door': async (t, storage) => {
    for (const id of BAD_IDS) {
      const code = 'STORAGE_BLOB_ID_INVALID';
      await failsWith(t, code, () => storage.get(id));
      await failsWith(t, code, () => storage.put(id, [bytes('x')]));
      await failsWith(t, code, () => storage.head(id));
      await failsWith(t, code, () => storage.delete(id));
    }
    await failsWith(t, 'STORAGE_BLOB_ID_INVALID', () => ids(storage, '../'));
  },

  'readers beside a writer see one version or another, never a mixture': async (t, storage) => {
    const version = (index: number): Uint8Array => new Uint8Array(200_000 + index).fill(index);
    await storage.put('torn', [version(0)]);
    let isWriting = true;
    const reader = async (): Promise<number> => {
      let reads = 0;
      while (isWriting || reads === 0) {
        const found = await storage.get('torn');
        const value = found[0] ?? -1;
        if (found.length !== 200_000 + value || !found.every(byte => byte === value)) {
          throw new Error(`a mixture of ${found.length} bytes`);
        }
        reads++;
      }
      return reads;
    };
    const readers = Promise.all([reader(), reader(), reader()]);
    for (let index = 1; index <= 20; index++) {
      const whole = version(index);
      await storage.put('torn', [whole.subarray(0, 70_000), whole.subarray(70_000)]);
    }
    isWriting = false;
    const reads = await readers;
    t.ok(reads.every(count => count > 0));
    t.equal((await storage.head('torn')).bytes, 200_020);
  },

  'ifAbsent never replaces': async (t, storage) => {
    await storage.put('lock', [bytes('mine')], { ifAbsent: true });
    const code = 'STORAGE_BLOB_EXISTS';
    await failsWith(t, code, () => storage.put('lock', [bytes('yours')], { ifAbsent: true }));
    t.equal(await read(storage, 'lock'), 'mine');
    await storage.delete('lock');
    await storage.put('lock', [bytes('theirs')], { ifAbsent: true });
    t.equal(await read(storage, 'lock'), 'theirs');
  },

  'of twenty racing writers with ifAbsent one wins': async (t, storage) => {
    const writers = Array.from({ length: 20 }, (_, index) => `writer ${index}`);
    const results = await Promise.allSettled(
      writers.map(text => storage.put('race', [bytes(text)], { ifAbsent: true })),
    );
    const winners = writers.filter((_, index) => results[index]?.status === 'fulfilled');
    const found = await read(storage, 'race');
    t.ok(winners.includes(found), `${found} is one of the winners`);
    if (storage.canPutIfAbsent) t.equal(winners.length, 1);
    for (const result of results) {
      if (result.status === 'fulfilled') continue;
      t.equal((result.reason as EngineError).code, 'STORAGE_BLOB_EXISTS');
    }
  },

  'after an abort nothing begins': async (t, storage) => {
    await storage.put('kept', [bytes('kept')]);
    const signal = AbortSignal.abort();
    await failsWith(t, 'ABORTED', () => storage.get('kept', { signal }));
    await failsWith(t, 'ABORTED', () => storage.put('kept', [bytes('new')], { signal }));
    await failsWith(t, 'ABORTED', () => storage.put('other', [bytes('new')], { signal }));
    await failsWith(t, 'ABORTED', () => storage.head('kept', { signal }));
    await failsWith(t, 'ABORTED', () => storage.delete('kept', { signal }));
    await failsWith(t, 'ABORTED', () => Array.fromAsync(storage.list('', { signal })));
    t.equal(await read(storage, 'kept'), 'kept');
    t.same(await ids(storage, ''), ['kept']);
  },

  'a put that is aborted on the way leaves all or nothing': async (t, storage) => {
    const blob = new Uint8Array(4_000_000).fill(7);
    await storage.put('aborted', [bytes('before')]);
    for (const turns of [0, 1, 2, 4, 8, 16, 32]) {
      const controller = new AbortController();
      const put = storage.put('aborted', [blob], { signal: controller.signal }).then(
        () => 'done',
        (error: unknown) => (error instanceof EngineError ? error.code : String(error)),
      );
      for (let index = 0; index < turns; index++) await turn();
      controller.abort();
      t.match(await put, /^(done|ABORTED)$/);
      const { length } = await storage.get('aborted');
      t.ok(length === blob.length || length === 6, `whole after ${turns} turns: ${length}`);
    }
    t.same(await ids(storage, ''), ['aborted']);
  },

  'a get that is aborted on the way ends with ABORTED or the blob': async (t, storage) => {
    const blob = new Uint8Array(4_000_000).fill(7);
    await storage.put('read', [blob]);
    for (const turns of [0, 1, 4, 16]) {
      const controller = new AbortController();
      const get = storage.get('read', { signal: controller.signal }).then(
        found => found.length,
        (error: unknown) => (error instanceof EngineError ? error.code : String(error)),
      );
      for (let index = 0; index < turns; index++) await turn();
      controller.abort();
      t.match(String(await get), /^(4000000|ABORTED)$/);
    }
  },

  'many operations at once all come through': async (t, storage) => {
    const names = Array.from({ length: 150 }, (_, index) => `many-${hexOf(index)}`);
    await Promise.all(names.map(id => storage.put(id, [bytes(id)])));
    const found = await Promise.all(names.map(id => read(storage, id)));
    t.same(found, names);
  },

  "what get returns is the caller's own": async (t, storage) => {
    await storage.put('mine', [bytes('abc')]);
    const first = await storage.get('mine');
    first.fill(0);
    t.equal(await read(storage, 'mine'), 'abc');
    // The contract says memory of its own, so it is no SharedArrayBuffer.
    const second = (await storage.get('mine')) as Uint8Array<ArrayBuffer>;
    t.doesNotThrow(
      () => structuredClone(second, { transfer: [second.buffer] }),
      'can be given away',
    );
  },

  'a staged file becomes the blob on commit and nothing on discard': async (t, storage) => {
    if (!storage.stage) {
      t.pass('the storage has no files');
      return;
    }
    t.ok(storage.localPath?.('x'), 'localPath is wherever stage is');
    const id = `p${hexOf(99)}`;
    const staged = await storage.stage(id);
    t.same(await ids(storage, ''), [], 'not listed before the commit');
    await writeFile(staged.path, 'from elsewhere');
    await staged.commit();
    await staged.discard();
    t.equal(await read(storage, id), 'from elsewhere');
    t.match(await storage.head(id), { bytes: 14 });
    const given = await storage.stage(`q${hexOf(98)}`);
    await given.discard();
    await given.discard();
    t.same(await ids(storage, ''), [id]);
    const second = storage.stage(id, { ifAbsent: true });
    await failsWith(t, 'STORAGE_BLOB_EXISTS', () => second);
  },
};

const RANGES: readonly (readonly [number, number, string])[] = [
  [0, 1, '0'],
  [0, 10, '0123456789'],
  [9, 1, '9'],
  [3, 4, '3456'],
  [1, 9, '123456789'],
];
const BAD_RANGES: readonly (readonly [number, number])[] = [
  [0, 11],
  [9, 2],
  [10, 1],
  [11, 1],
  [1_000_000, 5],
  [0, 0],
  [-1, 2],
  [0, -1],
  [0.5, 1],
  [0, Number.NaN],
  [Number.MAX_SAFE_INTEGER, 2],
];

async function closesClean(t: Test, open: Open): Promise<void> {
  const before = handles();
  const storage = await open();
  await Promise.all(
    ['a', 'b', 'c', 'd'].map(async id => {
      await storage.put(id, [bytes('some text')]);
      await storage.get(id);
    }),
  );
  for await (const blob of storage.list('')) {
    t.ok(blob.id);
    break;
  }
  const staged = await storage.stage?.('left-behind');
  t.ok(staged !== undefined || storage.stage === undefined);
  await storage.close();
  await storage.close();
  // A socket needs some turns of the event loop to go.
  for (let index = 0; index < 5000 && handles() > before; index++) await turn();
  t.ok(handles() <= before, `${handles()} descriptors after, ${before} before`);
  await failsWith(t, 'INTERNAL', () => storage.get('a'));
}

/** Open descriptors where the system tells, else sockets. */
function handles(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return process.getActiveResourcesInfo().filter(type => type === 'TCPSocketWrap').length;
  }
}

function range(storage: Storage, id: string, offset: number, length: number): Promise<Uint8Array> {
  return storage.get(id, { range: { offset, length } });
}

import t from 'tap';

import { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { nameText, printablePath } from '#engine/snapshot/source/source-name.ts';
import { ENTRY_TYPE } from '#engine/snapshot/source/source-stat.ts';

/** A small generator, so that a seed repeats a failure. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return below => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function namesOf(listing: SourceListing): string[] {
  return [...listing.order].map(at => Buffer.from(listing.nameAt(at)).toString('hex'));
}

t.test('random names are sorted as Buffer.compare sorts them, each once', async t => {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  t.comment(`seed ${seed}`);
  const random = randomFrom(seed);
  for (let round = 0; round < 120; round++) {
    const listing = new SourceListing();
    const prefix = Buffer.alloc(random(3) * 5, 'p');
    const alphabet = 1 + random(random(2) === 0 ? 3 : 255);
    const names = new Map<string, Buffer>();
    const count = random(round % 10 === 0 ? 3000 : 60);
    for (let i = 0; i < count; i++) {
      const tail = Buffer.from(Array.from({ length: 1 + random(14) }, () => 1 + random(alphabet)));
      const name = Buffer.concat([prefix, tail]);
      const isNew = !names.has(name.toString('hex'));
      if (isNew) names.set(name.toString('hex'), name);
      listing.add(name, ENTRY_TYPE.file);
    }
    listing.sort();
    const expected = [...names.values()]
      .sort((a, b) => Buffer.compare(a, b))
      .map(name => name.toString('hex'));
    t.ok(namesOf(listing).join() === expected.join(), `round ${round}`);
    for (const name of [...names.values()].slice(0, 20)) {
      t.same(Buffer.from(listing.nameAt(listing.findFile(name))), name);
    }
    t.equal(listing.findFile(Buffer.from('\x00')), -1);
  }
});

t.test('more than 65,536 names are sorted, too', async t => {
  const listing = new SourceListing();
  for (let i = 0; i < 70_000; i++) {
    listing.add(Buffer.from(`f${(i * 7919) % 70_000}`), ENTRY_TYPE.file);
  }
  listing.sort();
  const found = [...listing.order].map(at => listing.textAt(at));
  t.ok(found.join() === [...found].sort().join());
  t.equal(new Set(found).size, 70_000);
});

t.test('a name that occurs many times is there once, among directories as among files', async t => {
  const listing = new SourceListing();
  for (let i = 0; i < 40; i++) {
    listing.add(Buffer.from('same'), ENTRY_TYPE.directory);
    listing.add(Buffer.from('same'), ENTRY_TYPE.file);
  }
  listing.add(Buffer.from('zz'), ENTRY_TYPE.directory);
  listing.sort();
  t.same(
    [...listing.order].map(at => listing.textAt(at)),
    ['same', 'zz', 'same'],
  );
  t.equal(listing.directoryCount, 2);
});

t.test('text of a name is what Go makes of it, printable text is for people', async t => {
  const cases: [number[], string, string][] = [
    [[0x61], 'a', 'a'],
    [[0xc3, 0xa9], 'é', 'é'],
    [[0x61, 0xe2, 0x82], 'a\ufffd\ufffd', 'a\\xe2\\x82'],
    [[0xed, 0xa0, 0x80], '\ufffd\ufffd\ufffd', '\\xed\\xa0\\x80'],
    [[0xf0, 0x9f, 0x98, 0x80], '\u{1f600}', '\u{1f600}'],
    [[0xc0, 0x80, 0x0a], '\ufffd\ufffd\n', '\\xc0\\x80\\x0a'],
    [[0xc2, 0x85], '\u0085', '\\xc2\\x85'],
    [[0xf4, 0x90, 0x80, 0x80], '\ufffd'.repeat(4), '\\xf4\\x90\\x80\\x80'],
  ];
  for (const [bytes, text, printable] of cases) {
    t.equal(nameText(Uint8Array.from(bytes)), text);
    t.equal(printablePath(Uint8Array.from(bytes)), printable);
  }
});

// A rate split among moves: nobody gets more than it can use while another could use it.

import t from 'tap';
import { demandOf, shareRate, type MoveDemand } from '#controller/bandwidth/share-rate.ts';
import { ShareBook, type ShareNotice } from '#controller/bandwidth/share-book.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';

function moves(...wanted: (number | undefined)[]): MoveDemand[] {
  return wanted.map((wantedBytesPerSecond, index) => ({ id: `m${index}`, wantedBytesPerSecond }));
}

t.test('who needs less leaves the rest to the others', async t => {
  const cases = [
    { total: 100, wanted: [undefined, undefined], shares: [50, 50] },
    { total: 100, wanted: [10, undefined, undefined], shares: [10, 45, 45] },
    { total: 100, wanted: [undefined, 10, 30], shares: [60, 10, 30] },
    { total: 100, wanted: [10, 20], shares: [10, 20] },
    { total: 10, wanted: [undefined, undefined, undefined], shares: [3, 3, 4] },
    { total: 0, wanted: [undefined, 5], shares: [0, 0] },
    { total: 100, wanted: [], shares: [] },
  ];
  for (const { total, wanted, shares } of cases) {
    const given = shareRate(total, moves(...wanted));
    t.strictSame(
      wanted.map((_, index) => given.get(`m${index}`)),
      shares,
      JSON.stringify({ total, wanted }),
    );
  }
});

t.test('what a move could use is told by what it did use', async t => {
  t.equal(demandOf(undefined), undefined, 'nothing is known');
  t.equal(demandOf({ bytesPerSecond: 5, allowedBytesPerSecond: undefined }), undefined);
  t.equal(demandOf({ bytesPerSecond: 95, allowedBytesPerSecond: 100 }), undefined);
  const slow = demandOf({ bytesPerSecond: 400_000, allowedBytesPerSecond: 10_000_000 });
  t.equal(slow, 500_000 + 65_536);
});

t.test('a share grows only after another was given up', async t => {
  const book = new ShareBook(100);
  const [m0, m1] = moves(undefined, undefined);
  const a = { node: 'a', moves: [m0] };
  const b = { node: 'b', moves: [m1] };
  const [first] = book.share([a]);
  t.match(first, { node: 'a', bytesPerSecond: 100 });
  const notices = book.share([a, b]);
  t.match(notices, [{ node: 'a', bytesPerSecond: 50 }]);
  t.strictSame(book.share([a, b]), [], 'nothing new, and b waits');
  book.obeyed('a', notices[0].number);
  t.match(book.share([a, b]), [{ node: 'b', bytesPerSecond: 50 }]);
  book.obeyed('a', first.number);
  t.equal(book.inForceBytesPerSecond(), 100, 'a late word changes nothing');
  book.forget('b');
  t.match(book.share([a]), [{ node: 'a', bytesPerSecond: 100 }]);
});

t.test('a limit comes and goes while moves run', async t => {
  const book = new ShareBook();
  const [m0, m1] = moves(undefined, undefined);
  const both = [
    { node: 'a', moves: [m0] },
    { node: 'b', moves: [m1] },
  ];
  t.match(book.share(both), [{ bytesPerSecond: undefined }, { bytesPerSecond: undefined }]);
  book.setRate(100);
  t.match(book.share(both), [{ bytesPerSecond: 50 }, { bytesPerSecond: 50 }]);
  book.setRate(undefined);
  t.match(book.share(both), [{ bytesPerSecond: undefined }, { bytesPerSecond: undefined }]);
});

t.test('a new controller counts what its predecessor has told', async t => {
  const book = new ShareBook(100);
  book.found('a', 80);
  book.found('a', 10);
  const [m0] = moves(undefined);
  t.match(book.share([{ node: 'b', moves: [m0] }]), [{ node: 'b', bytesPerSecond: 20 }]);
  book.found('c', undefined);
  t.equal(book.inForceBytesPerSecond(), Number.POSITIVE_INFINITY);
});

t.test('however late words come, nodes never use more than the rate together', async t => {
  const seed = newSeed();
  t.comment(`seed ${seed}`);
  const random = new SeededRandom(seed);
  const book = new ShareBook(1000);
  const used = new Map<string, { number: number; bytesPerSecond: number }>();
  const onTheWay: ShareNotice[] = [];
  const nodes = new Map<string, MoveDemand[]>();
  let mostUsed = 0;
  let newest = 0;
  for (let step = 0; step < 5_000; step++) {
    const node = `n${random.below(6)}`;
    if (random.once(4)) {
      const count = random.below(4);
      const own = Array.from({ length: count }, (_, index) => ({
        id: `${node}-${index}`,
        wantedBytesPerSecond: random.once(2) ? undefined : random.below(400),
      }));
      // The first move of a node begins with an answer, and older ones are left aside from then on.
      if (!nodes.has(node)) used.set(node, { number: newest, bytesPerSecond: 0 });
      nodes.set(node, own);
      if (count === 0) {
        nodes.delete(node);
        used.delete(node);
        book.forget(node);
      }
    }
    onTheWay.push(...book.share([...nodes].map(([name, own]) => ({ node: name, moves: own }))));
    newest = Math.max(newest, ...onTheWay.map(({ number }) => number));
    const [notice] = onTheWay.splice(random.below(onTheWay.length + 1), 1);
    // An agent obeys the newest word; one for moves that are over is for nobody.
    if (notice?.bytesPerSecond !== undefined && nodes.has(notice.node)) {
      const { node: name, number, bytesPerSecond } = notice;
      if ((used.get(name)?.number ?? 0) < number) used.set(name, { number, bytesPerSecond });
      if (random.once(2)) book.obeyed(name, used.get(name)?.number ?? 0);
    }
    const sum = [...used.values()].reduce((total, { bytesPerSecond }) => total + bytesPerSecond, 0);
    if (sum > 1000) t.fail(`seed ${seed}, step ${step}: ${sum} bytes per second`);
    mostUsed = Math.max(mostUsed, sum);
  }
  t.ok(mostUsed > 900, `seed ${seed}: ${mostUsed} of 1000 were used`);
});

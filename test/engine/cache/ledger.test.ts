import t from 'tap';
import { Ledger, type Reservation } from '#engine/cache/ledger.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';

function ledgerOf(bytes: number, inodes = 10): Ledger {
  const ledger = new Ledger();
  ledger.setLimit({ bytes, inodes });
  return ledger;
}

t.test('what is reserved is not given again', async t => {
  const ledger = ledgerOf(100);
  const first = ledger.tryReserve(60, 1);
  t.ok(first);
  t.equal(ledger.tryReserve(41, 1), undefined);
  t.equal(ledger.refusals, 1);
  first?.release();
  t.ok(ledger.tryReserve(100, 1));
});

t.test('inodes are refused like bytes', async t => {
  const ledger = ledgerOf(100, 1);
  t.ok(ledger.tryReserve(1, 1));
  t.equal(ledger.tryReserve(1, 1), undefined);
});

t.test('what is committed is used until it is given back', async t => {
  const ledger = ledgerOf(100);
  ledger.tryReserve(60, 1)?.commit();
  t.same([ledger.used.bytes, ledger.reserved.bytes], [60, 0]);
  ledger.giveBack({ bytes: 60, inodes: 1 });
  t.same(ledger.used, { bytes: 0, inodes: 0 });
});

t.test('a reservation ends once', async t => {
  const reservation = ledgerOf(100).tryReserve(60, 1);
  reservation?.commit();
  t.throws(() => reservation?.release(), { code: 'INTERNAL' });
});

t.test('more than was used cannot be given back', async t => {
  t.throws(() => ledgerOf(100).giveBack({ bytes: 1, inodes: 0 }), { code: 'INTERNAL' });
});

t.test('what is no amount is a mistake', async t => {
  for (const bytes of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    t.throws(() => ledgerOf(100).tryReserve(bytes, 0), { code: 'INTERNAL' });
  }
});

t.test('a limit below what is used stays there until that is gone', async t => {
  const ledger = ledgerOf(100);
  ledger.tryReserve(60, 1)?.commit();
  t.same(ledger.excessOver({ bytes: 20, inodes: 10 }), { bytes: 40, inodes: 0 });
  ledger.setLimit({ bytes: 20, inodes: 10 });
  t.equal(ledger.limit.bytes, 60);
  t.equal(ledger.tryReserve(1, 0), undefined);
  ledger.giveBack({ bytes: 60, inodes: 1 });
  ledger.setLimit({ bytes: 20, inodes: 10 });
  t.equal(ledger.limit.bytes, 20);
});

t.test('whatever comes in whatever order, the account adds up after every step', async t => {
  const seed = newSeed();
  t.comment(`STEVEDORE_TEST_SEED=${seed}`);
  const random = new SeededRandom(seed);
  const ledger = ledgerOf(1000, 20);
  const open: Reservation[] = [];
  const written: Reservation[] = [];
  const steps = [
    () => {
      const reservation = ledger.tryReserve(random.below(300), random.below(3));
      if (reservation) open.push(reservation);
    },
    () => open.pop()?.release(),
    () => {
      const reservation = open.shift();
      reservation?.commit();
      if (reservation) written.push(reservation);
    },
    () => {
      const gone = written.pop();
      if (gone) ledger.giveBack(gone);
    },
    () => ledger.setLimit({ bytes: random.below(2000), inodes: random.below(40) }),
  ];
  for (let step = 0; step < 20_000; step++) {
    random.pick(steps)();
    ledger.check();
    const total = (rows: Reservation[]) => rows.reduce((sum, { bytes }) => sum + bytes, 0);
    if (ledger.used.bytes !== total(written) || ledger.reserved.bytes !== total(open)) {
      t.fail('the account is not what was reserved and written');
    }
  }
});

t.test('reserving and committing goes a hundred times faster than disks need it', async t => {
  const ledger = ledgerOf(1e12, 1e9);
  const rounds = 200_000;
  const start = performance.now();
  for (let round = 0; round < rounds; round++) {
    ledger.tryReserve(4096, 0)?.commit();
    ledger.giveBack({ bytes: 4096, inodes: 0 });
  }
  const perSecond = rounds / ((performance.now() - start) / 1000);
  t.comment(`${Math.round(perSecond)} a second`);
  t.ok(perSecond > 200_000);
});

// Who gets a slot, when and why: limits, priorities, turns of namespaces, gangs, choice of nodes.

import t from 'tap';
import { overdueAfterMs, WAITED_MS_MAX } from '#controller/slots/slot-limits.ts';
import type { SlotRequest } from '#proto/slot-messages.ts';
import { gangOf, idsOf, newTable, requestOf } from './table-scene.ts';

const HOUR_MS = 3_600_000;

t.test('no more slots are given than any limit has', async t => {
  const cases = [
    { name: 'cluster', limits: { clusterMax: 2 }, granted: ['a', 'b'] },
    { name: 'storage class', limits: { storageClassMax: { fast: 1 } }, granted: ['a', 'd'] },
    { name: 'location', limits: { locationMax: { bucket: 2 } }, granted: ['a', 'b', 'd'] },
    { name: 'none of its own', limits: {}, granted: ['a', 'b', 'c', 'd'] },
    { name: 'held back', limits: { locationMax: { bucket: 0 } }, granted: ['d'] },
  ];
  for (const { name, limits, granted } of cases) {
    const table = newTable(limits, { n1: 2, n2: 2 });
    for (const id of ['a', 'b']) table.ask('n1', requestOf(id), 0);
    table.ask('n2', requestOf('c'), 0);
    table.ask('n2', requestOf('d', { storageClass: 'slow', location: 'other' }), 0);
    t.strictSame(idsOf(table.decide(0)), granted, name);
    t.strictSame(idsOf(table.decide(0)), [], `${name}: nothing twice`);
    table.check();
  }
});

t.test('a node runs as many as it says, and none while it is emptied', async t => {
  const table = newTable({}, { n1: 1 });
  for (const id of ['a', 'b', 'c']) table.ask('n1', requestOf(id), 0);
  t.strictSame(idsOf(table.decide(0)), ['a']);
  table.join('n1', 0);
  table.release('n1', 'a');
  t.strictSame(idsOf(table.decide(0)), []);
  table.join('n1', 2);
  t.strictSame(idsOf(table.decide(0)), ['b', 'c']);
});

t.test('a lowered limit takes nothing away and gives nothing until there is room', async t => {
  const table = newTable({ clusterMax: 3 }, { n1: 9 });
  for (const id of ['a', 'b', 'c', 'd']) table.ask('n1', requestOf(id), 0);
  t.strictSame(idsOf(table.decide(0)), ['a', 'b', 'c']);
  table.setLimits({ ...newLimits(), clusterMax: 1 });
  for (const id of ['a', 'b']) table.release('n1', id);
  t.strictSame(idsOf(table.decide(0)), []);
  table.release('n1', 'c');
  t.strictSame(idsOf(table.decide(0)), ['d']);
  table.check();
});

t.test('a higher priority goes first, and nobody waits for ever because of it', async t => {
  const table = newTable({ clusterMax: 1 }, { n1: 9 });
  table.ask('n1', requestOf('low', { priority: 0 }), 0);
  table.ask('n1', requestOf('high', { priority: 9 }), 0);
  const [first] = table.decide(0);
  t.match(first, { id: 'high', reason: { kind: 'turn', priority: 9 } });
  const lowOverdueMs = overdueAfterMs(0, HOUR_MS);
  t.equal(lowOverdueMs, 10 * HOUR_MS);
  table.ask('n1', requestOf('high2', { priority: 9 }), lowOverdueMs);
  table.release('n1', 'high');
  const [second] = table.decide(lowOverdueMs);
  t.match(second, { id: 'low', reason: { kind: 'overdue', waitedMs: lowOverdueMs } });
});

t.test('what an agent says of its waiting counts, up to a week', async t => {
  const table = newTable({ clusterMax: 1 }, { n1: 9 });
  table.ask('n1', requestOf('liar', { waitedMs: Number.MAX_VALUE, priority: 9 }), 0);
  table.ask('n1', requestOf('old', { waitedMs: WAITED_MS_MAX, priority: 9 }), 0);
  t.match(table.decide(0), [{ id: 'liar', reason: { kind: 'overdue', waitedMs: WAITED_MS_MAX } }]);
});

t.test('namespaces take turns, however much one of them asks for', async t => {
  const table = newTable({ clusterMax: 1 }, { n1: 9 });
  for (const id of ['a1', 'a2', 'a3', 'a4']) table.ask('n1', requestOf(id, { namespace: 'a' }), 0);
  const order: string[] = [];
  const serve = () => {
    const ids = idsOf(table.decide(1000));
    for (const id of ids) table.release('n1', id);
    order.push(...ids);
  };
  serve();
  serve();
  for (const id of ['b1', 'b2']) table.ask('n1', requestOf(id, { namespace: 'b' }), 1000);
  for (let count = 0; count < 4; count++) serve();
  t.strictSame(order, ['a1', 'a2', 'b1', 'a3', 'b2', 'a4']);
});

t.test('turns that were not used are given back', async t => {
  const table = newTable({ clusterMax: 1 }, { n1: 9 });
  table.ask('n1', requestOf('b0', { namespace: 'b' }), 0);
  for (const id of ['a1', 'a2', 'a3']) table.ask('n1', requestOf(id, { namespace: 'a' }), 0);
  for (const id of ['a1', 'a2', 'a3']) table.withdraw('n1', id);
  table.ask('n1', requestOf('b1', { namespace: 'b' }), 0);
  table.ask('n1', requestOf('a4', { namespace: 'a' }), 0);
  t.strictSame(idsOf(table.decide(0)), ['b0']);
  table.release('n1', 'b0');
  t.strictSame(idsOf(table.decide(0)), ['a4']);
});

t.test('a gang gets its slots together, and says so', async t => {
  const table = newTable({ clusterMax: 4 }, { n1: 4 });
  const [g1, g2, g3] = gangOf('g', 3);
  table.ask('n1', g1, 0);
  table.ask('n1', g2, 0);
  t.strictSame(idsOf(table.decide(0)), ['g1', 'g2'], 'its time of gathering is over');
  const other = newTable({ clusterMax: 4, gatherMs: 5000 }, { n1: 4 });
  other.ask('n1', g1, 0);
  other.ask('n1', g2, 0);
  t.strictSame(idsOf(other.decide(4999)), []);
  other.ask('n1', g3, 4999);
  const grants = other.decide(4999);
  t.strictSame(idsOf(grants), ['g1', 'g2', 'g3'], 'it is known to be whole');
  for (const grant of grants) t.match(grant.reason, { kind: 'gang', gang: 'g', count: 3 });
});

t.test('a gang is not starved by small requests: what becomes free is kept for it', async t => {
  const table = newTable({ clusterMax: 3 }, { n1: 9 });
  for (const id of ['a', 'b']) table.ask('n1', requestOf(id), 0);
  table.decide(0);
  for (const request of gangOf('g', 3)) table.ask('n1', request, 1);
  table.ask('n1', requestOf('late'), 2);
  t.strictSame(idsOf(table.decide(2)), [], 'the free slot is kept');
  table.release('n1', 'a');
  t.strictSame(idsOf(table.decide(3)), []);
  table.release('n1', 'b');
  t.strictSame(idsOf(table.decide(4)), ['g1', 'g2', 'g3']);
});

t.test('what a waiting gang cannot use is given to others', async t => {
  const table = newTable({ clusterMax: 4 }, { n1: 2, n2: 1 });
  table.ask('n1', requestOf('a'), 0);
  table.decide(0);
  for (const request of gangOf('g', 2)) table.ask('n1', request, 1);
  table.ask('n1', requestOf('behind'), 2);
  table.ask('n2', requestOf('elsewhere'), 2);
  t.strictSame(idsOf(table.decide(2)), ['elsewhere']);
  table.release('n1', 'a');
  t.strictSame(idsOf(table.decide(3)), ['g1', 'g2']);
});

/** Location far is full, and waited for by `first`; class slow has one slot. All are overdue. */
function narrowTable() {
  const table = newTable(
    { clusterMax: 9, storageClassMax: { slow: 1 }, locationMax: { far: 1 } },
    { n1: 2, n2: 1, n3: 1, n4: 1 },
  );
  const ask = (node: string, id: string, facts: Partial<SlotRequest>) => {
    table.ask(node, requestOf(id, { waitedMs: WAITED_MS_MAX, ...facts }), 0);
  };
  table.ask('n4', requestOf('running', { location: 'far' }), 0);
  table.decide(0);
  ask('n1', 'first', { location: 'far' });
  return { table, ask };
}

t.test('who lacks its class by its turn has a slot kept, though it lacks its location', async t => {
  const { table, ask } = narrowTable();
  ask('n2', 'last-slow', { storageClass: 'slow' });
  ask('n1', 'lacks-both', { storageClass: 'slow', location: 'far' });
  ask('n1', 'not-overdue', { waitedMs: 0 });
  t.strictSame(idsOf(table.decide(1)), ['last-slow'], 'n1 has a slot for both who lack something');
});

t.test('what is kept no more after others have begun is given away at once', async t => {
  const { table, ask } = narrowTable();
  // Is not first for its location; for its class it is, once the last slot of that is given.
  ask('n1', 'lacks-both', { storageClass: 'slow', location: 'far' });
  ask('n2', 'last-slow', { storageClass: 'slow' });
  ask('n3', 'lacks-slow', { storageClass: 'slow' });
  ask('n3', 'not-overdue', { waitedMs: 0 });
  t.strictSame(idsOf(table.decide(1)), ['last-slow', 'not-overdue']);
  t.strictSame(idsOf(table.decide(1)), []);
});

t.test('a gang that is larger than a limit begins in waves, and goes on before all', async t => {
  const table = newTable({ clusterMax: 9 }, { n1: 2 });
  for (const request of gangOf('g', 5)) table.ask('n1', request, 0);
  table.ask('n1', requestOf('other', { priority: 9 }), 1);
  t.match(table.decide(2), [{ id: 'other' }]);
  table.release('n1', 'other');
  const first = table.decide(3);
  t.strictSame(idsOf(first), ['g1', 'g2']);
  const wave = { kind: 'wave', gang: 'g', wave: 1, count: 2, leftCount: 3 };
  t.match(first, [{ reason: wave }, { reason: wave }]);
  table.ask('n1', requestOf('another', { priority: 9 }), 3);
  table.release('n1', 'g2');
  t.match(table.decide(4), [{ id: 'g3', reason: { kind: 'wave', wave: 2, leftCount: 2 } }]);
  table.release('n1', 'g1');
  table.release('n1', 'g3');
  t.match(table.decide(5), [
    { id: 'g4', reason: { wave: 3, leftCount: 1 } },
    { id: 'g5', reason: { wave: 3, leftCount: 0 } },
  ]);
  table.release('n1', 'g4');
  t.strictSame(idsOf(table.decide(6)), ['another']);
  table.check();
});

t.test('a gang over several nodes waits for all of them', async t => {
  const table = newTable({}, { n1: 1, n2: 1 });
  table.ask('n2', requestOf('a'), 0);
  table.decide(0);
  const [g1, g2] = gangOf('g', 2);
  table.ask('n1', g1, 1);
  table.ask('n2', g2, 1);
  table.ask('n1', requestOf('b'), 2);
  t.strictSame(idsOf(table.decide(2)), [], 'n1 is kept for the gang');
  table.withdraw('n2', 'g2');
  t.strictSame(idsOf(table.decide(3)), ['g1'], 'what is left of it does not wait for n2');
});

t.test('a gang with a volume that is held back waits whole', async t => {
  const table = newTable({ locationMax: { closed: 0 } }, { n1: 4 });
  const [g1, g2] = gangOf('g', 2);
  table.ask('n1', g1, 0);
  table.ask('n1', { ...g2, location: 'closed' }, 0);
  table.ask('n1', requestOf('a'), 0);
  t.strictSame(idsOf(table.decide(0)), ['a']);
  table.setLimits({ ...newLimits(), locationMax: {} });
  t.strictSame(idsOf(table.decide(1)), ['g1', 'g2']);
});

t.test('a request that several nodes make is given to the emptiest, once', async t => {
  const table = newTable({}, { n1: 2, n2: 2 });
  table.ask('n1', requestOf('a'), 0);
  table.decide(0);
  table.ask('n1', requestOf('x', { number: 7 }), 1);
  table.ask('n2', requestOf('x', { number: 9 }), 1);
  t.match(table.decide(1), [{ id: 'x', node: 'n2', number: 9 }]);
  t.equal(table.ask('n1', requestOf('x', { number: 7 }), 2), 'held');
  table.leave('n2');
  t.equal(table.ask('n1', requestOf('x', { number: 7 }), 3), 'waiting');
  t.match(table.decide(3), [{ id: 'x', node: 'n1', number: 7 }]);
  table.check();
});

t.test('volumes move over to make room for one that can run at one place only', async t => {
  const table = newTable({}, { n1: 1, n2: 1, n3: 1 });
  const [g1, g2, g3] = gangOf('g', 3);
  for (const node of ['n1', 'n2']) table.ask(node, g1, 0);
  for (const node of ['n1', 'n3']) table.ask(node, g2, 0);
  table.ask('n1', g3, 0);
  const placed = table.decide(0).map(({ id, node }) => [id, node]);
  t.strictSame(Object.fromEntries(placed), { g1: 'n2', g2: 'n3', g3: 'n1' });
});

t.test('moves that run already count, be there room or not', async t => {
  const table = newTable({ clusterMax: 2 }, { n1: 9, n2: 9 });
  table.ask('n1', requestOf('b'), 0);
  const held = { ...requestOf('b'), isAlone: true, grant: undefined };
  t.equal(table.hold('n1', held, 0), 'held');
  t.equal(table.waitingCount, 0, 'who runs does not wait');
  for (const id of ['c', 'd']) table.hold('n1', { ...held, id }, 0);
  t.equal(table.hold('n2', held, 0), 'twin');
  table.ask('n1', requestOf('e'), 0);
  t.strictSame(idsOf(table.decide(0)), []);
  for (const id of ['b', 'c']) table.release('n1', id);
  t.strictSame(idsOf(table.decide(0)), ['e']);
  table.check();
});

t.test('a limit that is no number of slots is refused by name', async t => {
  const table = newTable({}, {});
  for (const clusterMax of [-1, 1.5, Number.NaN]) {
    t.throws(() => table.setLimits({ ...newLimits(), clusterMax }), /clusterMax/);
  }
  const storageClassMax = { slow: -1 };
  t.throws(() => table.setLimits({ ...newLimits(), storageClassMax }), /storageClassMax\.slow/);
});

function newLimits() {
  return {
    clusterMax: 4,
    storageClassMax: {},
    locationMax: {},
    ageingMs: HOUR_MS,
    gatherMs: 0,
    leaseMs: 45_000,
  };
}

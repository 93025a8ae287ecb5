import t from 'tap';
import { preCopiesInTheWay } from '#controller/slots/pre-copies-in-the-way.ts';
import { idsOf, newTable, requestOf } from './table-scene.ts';

const COPY = 'pre-copy/uid/data/bucket';

function copy(name: string, facts: object = {}) {
  return requestOf(`pre-copy/${name}`, { priority: 0, ...facts });
}

t.test('a copy ahead is in the way of who waits for its node, its location or the cluster', t => {
  const limits = { clusterMax: 3, locationMax: { bucket: 2, other: 1 } };
  const table = newTable(limits, { n1: 1, n2: 2, n3: 1 });
  table.ask('n1', requestOf(COPY, { priority: 0 }), 0);
  t.strictSame(idsOf(table.decide(0)), [COPY]);
  t.strictSame(preCopiesInTheWay(table, 0), [], 'of nobody');
  table.ask('n2', copy('y', { location: 'other' }), 1);
  t.strictSame(idsOf(table.decide(1)), ['pre-copy/y']);
  table.ask('n1', requestOf('x'), 2);
  table.decide(2);
  t.strictSame(preCopiesInTheWay(table, 2), [COPY], 'at the node');
  table.ask('n3', requestOf('z', { location: 'other' }), 3);
  table.decide(3);
  t.strictSame(preCopiesInTheWay(table, 3), ['pre-copy/y', COPY], 'at the location as well');
  table.withdraw('n1', 'x');
  table.withdraw('n3', 'z');
  table.ask('n2', requestOf('third', { location: 'else' }), 4);
  t.strictSame(idsOf(table.decide(4)), ['third']);
  table.ask('n3', requestOf('fourth', { location: 'else' }), 5);
  table.decide(5);
  t.strictSame(preCopiesInTheWay(table, 5), ['pre-copy/y'], 'of the cluster one: the later');
  t.end();
});

t.test('copies are in the way of no copy, and moves are never in the way', t => {
  const table = newTable({ clusterMax: 1 }, { n1: 1, n2: 1 });
  table.ask('n1', copy('x'), 0);
  table.decide(0);
  table.ask('n2', copy('y'), 1);
  table.decide(1);
  t.strictSame(preCopiesInTheWay(table, 1), []);
  table.release('n1', 'pre-copy/x');
  table.withdraw('n2', 'pre-copy/y');
  table.ask('n1', requestOf('x'), 2);
  table.decide(2);
  table.ask('n2', requestOf('y'), 3);
  table.decide(3);
  t.strictSame(preCopiesInTheWay(table, 3), []);
  t.end();
});

// Everybody who waits has a place and a cause.

import t from 'tap';
import { describeQueue } from '#controller/slots/describe-queue.ts';
import { gangOf, newTable, requestOf } from './table-scene.ts';

t.test('each cause of waiting is named, in the order of the queue', async t => {
  const limits = { clusterMax: 4, locationMax: { closed: 0 }, storageClassMax: { slow: 1 } };
  const table = newTable({ ...limits, gatherMs: 1000 }, { n1: 2, n2: 1, n3: 9 });
  table.ask('n1', requestOf('runs'), 0);
  table.ask('n3', requestOf('slow1', { storageClass: 'slow' }), 0);
  table.decide(0);
  for (const request of gangOf('g', 2, { priority: 9 })) table.ask('n1', request, 0);
  table.ask('n1', requestOf('behind', { priority: 8 }), 0);
  table.ask('n3', requestOf('slow2', { storageClass: 'slow', priority: 7 }), 0);
  table.ask('n3', requestOf('stopped', { location: 'closed', priority: 6 }), 0);
  table.ask('n3', requestOf('new', { priority: 5 }), 0);
  table.ask('n3', requestOf('h1', { gang: { key: 'h' }, priority: 4 }), 0);
  const entries = describeQueue(table, 500, false).map(({ id, place, cause }) => ({
    [id]: { place, cause },
  }));
  const n1 = { kind: 'node', name: 'n1' };
  t.strictSame(Object.assign({}, ...entries), {
    g1: { place: 1, cause: { kind: 'full', limit: n1 } },
    g2: { place: 1, cause: { kind: 'full', limit: n1 } },
    behind: { place: 2, cause: { kind: 'kept', limit: n1, forId: 'g1' } },
    slow2: { place: 3, cause: { kind: 'full', limit: { kind: 'storage-class', name: 'slow' } } },
    stopped: { place: 4, cause: { kind: 'stopped', limit: { kind: 'location', name: 'closed' } } },
    new: { place: 5, cause: { kind: 'next' } },
    h1: { place: 6, cause: { kind: 'gathering', gang: 'h' } },
  });
});

t.test('what is kept for a gang is kept for one of those who still wait', async t => {
  const table = newTable({}, { n1: 2 });
  table.ask('n1', requestOf('runs'), 0);
  table.decide(0);
  for (const request of gangOf('g', 3)) table.ask('n1', request, 0);
  table.ask('n1', requestOf('behind'), 0);
  table.withdraw('n1', 'g1');
  const behind = describeQueue(table, 0, false).find(({ id }) => id === 'behind');
  t.match(behind?.cause, { kind: 'kept', forId: 'g2' });
});

t.test('a controller that starts says that this is what all wait for', async t => {
  const table = newTable({}, { n1: 1 });
  table.ask('n1', requestOf('a', { waitedMs: 7 }), 0);
  t.match(describeQueue(table, 1, true), [
    { id: 'a', place: 1, waitedMs: 8, cause: { kind: 'starting' } },
  ]);
});

// What a node is told of those that wait on it.

import t from 'tap';
import { SlotDesk } from '#controller/slots/slot-desk.ts';
import { DEFAULT_LIMITS } from '#controller/slots/slot-limits.ts';
import { WaitBoard } from '#controller/slots/wait-board.ts';

const VOLUME = { namespace: 'a', pod: 'p', storageClass: '', location: 'default' };

function request(id: string, number: number) {
  return { ...VOLUME, id, number, priority: 5, waitedMs: 0 };
}

t.test('a node is told of its own, twenty at most, with place and cause', async t => {
  const limits = { ...DEFAULT_LIMITS, clusterMax: 1 };
  const desk = new SlotDesk({ epoch: 1, limits, nodes: [], nowMs: 0 });
  const board = new WaitBoard(desk);
  const report = (node: string, ids: readonly string[]) =>
    desk.hear(
      {
        ...{ node, session: 1, sequence: 1, epoch: 1, sentAtMs: 0, slotsMax: 50, holds: [] },
        requests: ids.map((id, index) => request(id, index + 1)),
      },
      0,
    );
  report('n1', ['x']);
  desk.decide(0);
  t.strictSame(board.waitsOf('n1', 0), [], 'it has its slot');
  report(
    'n2',
    Array.from({ length: 30 }, (_, index) => `y-${index}`),
  );
  desk.decide(0);
  const waits = board.waitsOf('n2', 0);
  t.equal(waits.length, 20);
  const limit = { kind: 'cluster', name: '' };
  t.strictSame(waits[0], { id: 'y-0', place: 1, cause: 'full', limit });
  t.equal(waits[19].place, 20);
});

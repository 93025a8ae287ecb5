import t from 'tap';
import {
  expiredIncomplete,
  type FoundSnapshot,
  resumedSnapshots,
  supersededBy,
} from '#engine/snapshot/incomplete.ts';
import { snapshotWith } from '#test/support/stored-tree.ts';

const HOUR_NS = 3600n * 1_000_000_000n;

/** A snapshot that began `hours` before now. */
function found(id: string, hours: number, more: { incomplete?: string; pins?: string[] } = {}) {
  const { incomplete = 'checkpoint', pins = [] } = more;
  const startTimeNs = NOW_NS - BigInt(Math.round(hours * 3600)) * 1_000_000_000n;
  const snapshot = snapshotWith({ id, startTimeNs, incomplete, pins });
  return { snapshot, modifiedNs: 7n } satisfies FoundSnapshot;
}

const NOW_NS = 1_000n * HOUR_NS;
const idsOf = (list: readonly FoundSnapshot[]) => list.map(({ snapshot }) => snapshot.id);

t.test('a complete snapshot makes the incomplete ones before it superfluous', async t => {
  const list = [
    found('before', 5),
    found('complete', 4, { incomplete: '' }),
    found('pinned', 3, { pins: ['keep'] }),
    found('after', -1),
  ];
  t.strictSame(idsOf(supersededBy(list, NOW_NS)), ['before']);
});

t.test('a backup goes on from what is newer than the last complete one', async t => {
  const complete = found('complete', 4, { incomplete: '' });
  const list = [found('b', 2), found('old', 5), complete, found('a', 3), found('c', 1)];
  t.strictSame(idsOf(resumedSnapshots(list, complete.snapshot)), ['a', 'b', 'c']);
  t.strictSame(idsOf(resumedSnapshots(list, undefined)), ['a', 'b', 'c'], 'the newest three');
});

t.test('of incomplete ones the young and the newest are kept, as kopia keeps them', async t => {
  const young = Array.from({ length: 5 }, (_, i) => found(`young-${i}`, 1 + i / 10));
  const old = [found('old-1', 5), found('old-2', 6), found('old-3', 7, { pins: ['keep'] })];
  const first = found('complete', 8, { incomplete: '' });
  const before = found('before', 9);
  const list = [before, ...old, ...young, first];
  const resumed = resumedSnapshots(list, first.snapshot);
  t.strictSame(idsOf(expiredIncomplete(list, resumed, NOW_NS)), ['old-1', 'old-2', 'before']);
  const few = [found('old-1', 5), found('old-2', 6), found('old-3', 7)];
  t.strictSame(idsOf(expiredIncomplete(few, [], NOW_NS)), ['old-3'], 'with the checkpoint three');
  t.strictSame(expiredIncomplete(few, few, NOW_NS), [], 'none that is built upon');
});

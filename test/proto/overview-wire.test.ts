// An overview comes out as it went in, and never larger than a message may be.

import t from 'tap';
import { encodeOverviewWithin, overviewFromWire } from '#proto/overview-wire.ts';
import { decodeOverview } from '#proto/session-codec.ts';
import { MESSAGE_BYTES_MAX } from '#proto/wire-limits.ts';
import { OVERVIEW } from '#test/controller/overview/sample-overview.ts';

const overTheWire = (overview = OVERVIEW) =>
  overviewFromWire(decodeOverview(encodeOverviewWithin(overview)));

t.test('an overview comes out as it went in', async t => {
  t.strictSame(overTheWire(), OVERVIEW);
});

t.test('of a queue that is too long for a message the first are said, and how many', async t => {
  const [first] = OVERVIEW.waiting;
  const pod = 'p'.repeat(500);
  const volume = { ...first.volume, pod, move: pod, volumeName: pod };
  const waiting = Array.from({ length: 20_000 }, (_, index) => ({
    ...first,
    volume: { ...volume, id: `w-${index}` },
  }));
  const long = { ...OVERVIEW, waiting, waitingCount: waiting.length };
  t.ok(encodeOverviewWithin(long).length <= MESSAGE_BYTES_MAX);
  const said = overTheWire(long);
  t.equal(said.waitingCount, 20_000);
  t.ok(said.waiting.length > 1_000);
  t.equal(said.waiting[0]?.volume.id, 'w-0');
  t.strictSame(said.nodes, OVERVIEW.nodes);
});

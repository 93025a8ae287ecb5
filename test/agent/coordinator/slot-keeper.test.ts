// What is said of the controller: that it gives slots, that it is away, that this node goes alone.

import t from 'tap';
import { SlotKeeper, type Standing } from '#agent/coordinator/slot-keeper.ts';
import { systemClock } from '#engine/base/clock.ts';
import {
  LEASE_MS,
  newStage,
  passUntil,
  REPORT_MS,
  startController,
} from '#test/controller/slot-scene.ts';

t.test('a node that was alone without losing its session says that it is so no more', async t => {
  const stage = await newStage(t);
  const { scene } = await startController(t, { ...stage, clock: systemClock });
  const standings: Standing['kind'][] = [];
  const preCopies: number[] = [];
  const end = new AbortController();
  const token = scene.tokenOf('n1');
  const keeper = new SlotKeeper({
    address: { host: 'localhost', port: scene.port },
    access: async () => ({ trust: scene.trust, token }),
    hello: { node: 'n1', version: 'test', wireVersion: 1, capabilities: [], session: 1 },
    ...{ clock: stage.clock, slotsMax: 1, leaseMs: LEASE_MS, reportMs: REPORT_MS },
    keepAliveMs: 3_600_000,
    onStart: () => undefined,
    onStop: () => undefined,
    onStanding: ({ kind }) => standings.push(kind),
    onPreCopies: ({ length }) => preCopies.push(length),
  });
  const running = keeper.run(end.signal);
  t.teardown(async () => {
    end.abort();
    await running;
  });
  await passUntil(stage, () => standings.length === 1, 'it is with the controller');
  // A node that stood still: its time goes on before anything can come.
  await stage.clock.pass(2 * LEASE_MS);
  await passUntil(stage, () => !keeper.isAlone, 'it has been answered');
  t.strictSame(standings, ['with', 'alone', 'with']);
  t.strictSame(preCopies, [0], 'alone it copies nothing ahead of backups');
});

// The API server goes away for ten minutes in the middle of a move, by a clock that hurries while
// it is away: the move goes on, ends, and is reported when the server is back.

import t from 'tap';
import { readConfig } from '#agent/config.ts';
import { createLog } from '#agent/log.ts';
import { AgentMetrics } from '#agent/metrics.ts';
import { Readiness } from '#agent/readiness.ts';
import { runMoves } from '#agent/run-moves.ts';
import {
  type PodVolumeBackup,
  POD_VOLUME_BACKUPS,
} from '#agent/moves/objects/pod-volume-backup.ts';
import { DEFAULT_EXPOSURE } from '#agent/moves/exposure-config.ts';
import { Slots } from '#agent/moves/slots.ts';
import { systemClock, type Clock } from '#engine/base/clock.ts';
import { HttpKubeClient } from '#kube/http-client.ts';
import * as velero from '#test/demo/velero-objects.ts';
import { startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { until } from '#test/kube/manual-clock.ts';
import { gate, ScriptedMover } from '#test/moves/scripted-mover.ts';
import { BACKUP } from '#test/support/agent-scene.ts';

const AWAY_MS = 10 * 60_000;
const PAUSE_MS_MAX = 2;

/** Pauses are short while it hurries, and time goes by as if they had not been. */
function hurryingClock() {
  let skippedMs = 0;
  let isHurrying = false;
  const clock: Clock = {
    now: () => systemClock.now() + skippedMs,
    nowNanoseconds: () => systemClock.nowNanoseconds() + BigInt(skippedMs) * 1_000_000n,
    monotonic: () => systemClock.monotonic() + skippedMs,
    sleep: async (ms, signal) => {
      if (!isHurrying) return await systemClock.sleep(ms, signal);
      await systemClock.sleep(Math.min(ms, PAUSE_MS_MAX), signal);
      skippedMs += Math.max(0, Math.floor(ms - PAUSE_MS_MAX));
    },
  };
  const hurry = (is: boolean) => void (isHurrying = is);
  return { clock, hurry, skippedMs: () => skippedMs };
}

t.test('a move goes on for ten minutes without an API server, and is reported once', async t => {
  const api = await startKubeEmulator({ velero: '1.18' });
  t.teardown(() => api.stop());
  const { clock, hurry, skippedMs } = hurryingClock();
  const words = ['--node-name', velero.NODE];
  const outcome = readConfig({ words, environment: {}, readText: () => '', columns: 80 });
  if (outcome.kind !== 'config') throw new Error('that is a text');
  using metrics = new AgentMetrics(velero.NODE);
  const lines: string[] = [];
  const hold = gate();
  const progress = [{ totalBytes: 5000, bytesDone: 1000 }];
  const mover = new ScriptedMover(() => ({ progress, until: hold.opened }));
  const told = new AbortController();
  const moves = await runMoves(outcome.config, {
    client: new HttpKubeClient(api.connection(), { clock }),
    mover,
    doneFiles: { tidy: async () => undefined, tellAgain: async () => false },
    slots: new Slots(1),
    node: { slotCount: 1, exposure: DEFAULT_EXPOSURE },
    standing: () => 'none',
    events: { emit: () => {}, stop: async () => {} },
    failed: { note: () => undefined },
    clock,
    log: createLog({ level: 'debug', format: 'json', write: line => lines.push(line) }),
    metrics,
    readiness: new Readiness(),
    signal: told.signal,
  });
  api.add(velero.podVolumeBackup('daily-1', BACKUP, { name: 'web', uid: 'of-web' }));
  const statusOf = (name: string) =>
    api.object<PodVolumeBackup>(POD_VOLUME_BACKUPS, { namespace: 'velero', name })?.status ?? {};
  await mover.begun(1);
  await until(() => statusOf('daily-1').progress?.bytesDone === 1000);

  await api.goAway();
  hurry(true);
  await until(() => skippedMs() > AWAY_MS / 2);
  hold.open();
  await until(() => skippedMs() > AWAY_MS);
  t.match(statusOf('daily-1'), { phase: 'InProgress' }, 'nobody could be told');
  t.match(lines.join(''), 'move is tried again');
  await api.comeBack();
  await until(() => statusOf('daily-1').phase === 'Completed');
  hurry(false);
  t.match(statusOf('daily-1'), { progress: { totalBytes: 5000, bytesDone: 5000 } });
  await until(() => lines.some(line => line.includes('"move ended"')));

  api.add(velero.podVolumeBackup('daily-2', BACKUP, { name: 'web', uid: 'of-web' }));
  await until(() => statusOf('daily-2').phase === 'Completed');
  t.equal(mover.backups.length, 2, 'each was done once, and what came later is seen');
  t.strictSame(mover.abortCount, 0);
  await moves.stop(1000);
});

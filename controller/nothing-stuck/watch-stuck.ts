// Ends moves that are stuck, explains restores that wait and deletes what moves have left behind,
// for as long as this controller leads.
// It follows the custom resources of moves, keeping a few words of each, and looks at nodes and
// pods only where a move has no agent that is known to be there.

import type { Log } from '#agent/log.ts';
import { DATA_DOWNLOADS } from '#agent/moves/objects/data-download.ts';
import { DATA_UPLOADS } from '#agent/moves/objects/data-upload.ts';
import { POD_VOLUME_BACKUPS } from '#agent/moves/objects/pod-volume-backup.ts';
import { POD_VOLUME_RESTORES } from '#agent/moves/objects/pod-volume-restore.ts';
import { EventWriter } from '#kube/events.ts';
import { Informer } from '#kube/informer.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { Resource } from '#kube/kube-object.ts';
import type { LeftoverCounts } from './leftover-counts.ts';
import { isOpen, type MoveRecord, recordOf } from './move-record.ts';
import { StuckLook, type StuckParts } from './stuck-look.ts';
import { LeftoverSweep } from './sweep-leftovers.ts';

export interface WatchParts extends StuckParts {
  readonly client: KubeClient;
  readonly log: Log;
  readonly leftovers: LeftoverCounts;
}

const LOOK_MS = 15_000;
/** Between two sweeps, and less where agents are waited for no longer than that. */
const SWEEP_MS = 300_000;
const MOVES = Object.freeze([
  POD_VOLUME_BACKUPS,
  POD_VOLUME_RESTORES,
  DATA_UPLOADS,
  DATA_DOWNLOADS,
]);
/** Source of events. */
const COMPONENT = 'stevedore-controller';

/** Until the signal fires. */
export async function watchStuck(parts: WatchParts, signal: AbortSignal): Promise<void> {
  const { client, clock, log, namespace, limits } = parts;
  const onError = (error: unknown) => {
    if (!signal.aborted) log.warn({ error }, 'moves that may be stuck could not be looked at');
  };
  const onUntold = (error: unknown) => log.warn({ error }, 'an event could not be written');
  const events = new EventWriter({ client, component: COMPONENT, clock, onError: onUntold });
  const informerOf = (resource: Resource) =>
    new Informer<MoveRecord>(
      { client, clock, onError },
      { resource, query: { namespace }, project: object => recordOf(resource, object) },
    );
  // Where some may not be seen the others are looked after all the same.
  const informers = MOVES.map(informerOf);
  const following = informers.map(informer => informer.run(signal));
  const look = new StuckLook(parts, events);
  const sweep = new LeftoverSweep(parts, events);
  const sweepMs = Math.min(SWEEP_MS, limits.agentAbsenceMs / 2);
  let sweptAtMs = -Infinity;
  try {
    for (;;) {
      await clock.sleep(LOOK_MS, signal).catch(() => undefined);
      if (signal.aborted) return;
      const moves = informers.flatMap(informer => informer.list());
      await look.at(moves.filter(isOpen), signal).catch(onError);
      if (clock.monotonic() - sweptAtMs < sweepMs) continue;
      sweptAtMs = clock.monotonic();
      await sweep.at(moves, signal).catch(onError);
    }
  } finally {
    await Promise.allSettled(following);
    await events.stop();
  }
}

// Informers, queues and reconcilers of all kinds, wired: a change of an object puts its key into
// the queue of its kind, a change of a pod the keys of the moves that concern it.

import { hostname } from 'node:os';
import { settlesWithin } from '#engine/base/settles-within.ts';
import type { Answering } from '#agent/moves/last-minutes.ts';
import type { PodVolumeRestore } from '#agent/moves/objects/pod-volume-restore.ts';
import type { Pod } from '#agent/moves/objects/pod.ts';
import { podVolumeBackups } from '#agent/moves/pod-volume-backups.ts';
import { podVolumeRestores } from '#agent/moves/pod-volume-restores.ts';
import { ServerVersion } from '#agent/moves/server-version.ts';
import { hasSuccessor, ownImage } from '#agent/moves/successor.ts';
import { PODS } from '#kube/core-resources.ts';
import type { EventWriter } from '#kube/events.ts';
import { Informer } from '#kube/informer.ts';
import { keyOf, type ObjectKey } from '#kube/kube-object.ts';
import type { AgentConfig } from './config-table.ts';
import { makeDataMoves } from './data-move-kinds.ts';
import { type DoneFileParts, DoneFiles } from './done-files.ts';
import { shareGrace } from './grace-shares.ts';
import type { MetricSources } from './metrics.ts';
import { informerParts, type Kind, makeKind, type SharedParts } from './move-kind.ts';
import type { NodeSettings } from './read-node-settings.ts';
import type { Readiness } from './readiness.ts';
import type { Tracing } from './tracing.ts';

export interface MovesParts extends SharedParts {
  readonly doneFiles: DoneFileParts['mover'];
  readonly node: NodeSettings;
  readonly standing: MetricSources['standing'];
  readonly readiness: Readiness;
  /** Stopped with the moves. */
  readonly events: Pick<EventWriter, 'emit' | 'stop'>;
  /** Sent to the end with the events. */
  readonly tracer?: Tracing;
}

export interface MovesEnd {
  /** Keys of objects that could not be written any more. */
  readonly unreported: readonly ObjectKey[];
  /** False when something is held by a volume that does not answer. */
  readonly isSettled: boolean;
}

export interface RunningMoves {
  /** Within the time that `shareGrace` leaves for them. */
  stop(graceMs: number, answering?: Answering): Promise<MovesEnd>;
}

/** So the DaemonSet's container is called, too, and in Velero's own. */
const CONTAINER = 'node-agent';
/** What our pods have and those of a stock agent have not. */
const OUR_MARK = Object.freeze({ label: 'app.kubernetes.io/name', value: 'stevedore' });

/** Resolves when all that is there has been seen once. @throws ABORTED, KUBE_… */
export async function runMoves(config: AgentConfig, parts: MovesParts): Promise<RunningMoves> {
  const { client, clock, events, metrics, readiness, slots } = parts;
  const { namespace, nodeName } = config;
  const end = new AbortController();
  const query = { fieldSelector: `spec.nodeName=${nodeName}` };
  const pods = new Informer<Pod>(informerParts(parts, 'pods'), { resource: PODS, query });
  const serverVersion = new ServerVersion({
    client,
    clock,
    namespace,
    setting: config.serverVersion,
  });
  const shared = { ...parts, config, pods, serverVersion };
  // Beside Velero's own agent volumes of pods are that one's.
  const isAlone = config.dataMover === 'velero';
  const backups = isAlone ? await makeKind('PodVolumeBackup', podVolumeBackups, shared) : undefined;
  const onCompleted = (item: PodVolumeRestore) => doneFiles?.completed(item);
  const restores = isAlone
    ? await makeKind('PodVolumeRestore', podVolumeRestores, shared, { onCompleted })
    : undefined;
  const kinds: Kind[] = await makeDataMoves(shared);
  if (backups && restores) kinds.unshift(backups, restores);
  const doneFiles =
    restores &&
    new DoneFiles({
      ...{ mover: parts.doneFiles, pods, restoresOf: restores.ofPod },
      ...{ clock, log: parts.log, signal: end.signal },
    });
  readiness.set('caches', 'objects are being listed');
  const following = [pods, ...kinds.map(({ objects }) => objects)];
  const runs = following.map(informer => informer.run(end.signal));
  await Promise.all(following.map(informer => informer.synced(parts.signal)));
  readiness.set('caches', undefined);
  pods.onChange(key => {
    for (const kind of kinds) kind.lookFor(key);
    doneFiles?.podChanged(key);
  });
  for (const kind of kinds) kind.begin();
  for (const pod of pods.list()) doneFiles?.podChanged(keyOf(pod));
  metrics.observe({
    standing: parts.standing,
    slots: () => ({ total: slots.count, used: slots.usedCount, waiting: slots.waitingCount }),
    queueDepths: () => Object.fromEntries(kinds.map(({ name, loop }) => [name, loop.depth])),
  });
  return {
    async stop(graceMs, answering) {
      const startMs = clock.monotonic();
      for (const kind of kinds) kind.close();
      const name = { namespace, name: config.daemonSet };
      const { successorMs: withinMs, eventsMs, settleMs, closeMs } = shareGrace(graceMs);
      const image = ownImage(pods, name, { hostName: hostname(), container: CONTAINER });
      const marks = { ...OUR_MARK, container: CONTAINER, image };
      const isFollowed = await hasSuccessor(client, name, marks, { clock, nodeName, withinMs });
      parts.log.info({ isFollowed }, 'it is known whether an agent of ours follows');
      const othersMs = clock.monotonic() - startMs + eventsMs + settleMs + closeMs;
      const ownMs = Math.max(0, graceMs - othersMs);
      const options = { graceMs: ownMs, hasSuccessor: isFollowed, answering };
      const unreported = await Promise.all(kinds.map(({ stop }) => stop(options)));
      end.abort();
      const ending = [...runs, ...kinds.map(({ loop }) => loop.stop())];
      if (doneFiles) ending.push(doneFiles.settled());
      const isSettled = await settlesWithin(Promise.allSettled(ending), settleMs);
      // Whoever has ended may have had something to say.
      await Promise.all([events.stop({ withinMs: eventsMs }), parts.tracer?.stop(eventsMs)]);
      return { unreported: unreported.flat(), isSettled };
    },
  };
}

// One kind of move, wired: its informer, its queue and its reconciler.

import type { Clock } from '#engine/base/clock.ts';
import type { FailedMoves } from '#agent/coordinator/failed-moves.ts';
import { readStatusRules } from '#agent/moves/crd-phases.ts';
import type { ExposedItem } from '#agent/moves/exposed-moves.ts';
import type { MoveAdapter } from '#agent/moves/move-adapter.ts';
import type { MoveReport, StopOptions } from '#agent/moves/move-components.ts';
import { MoveReconciler } from '#agent/moves/move-reconciler.ts';
import type { Tracer } from '#agent/moves/move-trace.ts';
import type { MoveObject, PodReference } from '#agent/moves/objects/move-object.ts';
import type { Pod } from '#agent/moves/objects/pod.ts';
import { phaseOf } from '#agent/moves/phases.ts';
import type { ServerVersion } from '#agent/moves/server-version.ts';
import type { MoveSlots } from '#agent/moves/slots.ts';
import type { VolumeMover } from '#agent/moves/volume-mover.ts';
import { ControlLoop } from '#kube/control-loop.ts';
import type { EventWriter } from '#kube/events.ts';
import { Informer } from '#kube/informer.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import { keyOf, type ObjectKey } from '#kube/kube-object.ts';
import type { AgentConfig } from './config-table.ts';
import type { Log } from './log.ts';
import type { AgentMetrics, MoveKind } from './metrics.ts';
import { tellOfMoves } from './tell-of-moves.ts';

export interface Kind<Item extends MoveObject = MoveObject> {
  readonly name: MoveKind;
  readonly isNew: (key: ObjectKey) => boolean;
  /** How many of ours are Accepted or Prepared, by all agents or by that of a node. */
  readonly preparedBy: (nodeName?: string) => number;
  /** All that name the pod of that key. */
  readonly ofPod: (pod: ObjectKey) => Item[];
  readonly objects: Pick<Informer<MoveObject>, 'run' | 'synced'>;
  readonly loop: ControlLoop;
  /** No move begins any more. */
  readonly close: () => void;
  readonly stop: (options: Omit<StopOptions, 'stopLoop'>) => Promise<ObjectKey[]>;
  /** Not before all caches are full: what is not in them looks as if it were gone. */
  readonly begin: () => void;
  /** At all moves of the pod of that key, and at the move whose mover pod it is. */
  readonly lookFor: (pod: ObjectKey) => void;
}

/** Shared by all kinds. */
export interface SharedParts {
  readonly client: KubeClient;
  readonly mover: VolumeMover;
  readonly slots: MoveSlots;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: AgentMetrics;
  readonly events: Pick<EventWriter, 'emit'>;
  readonly failed: Pick<FailedMoves, 'note'>;
  readonly signal: AbortSignal;
  /** Absent where nothing is traced. */
  readonly tracer?: Tracer;
}

export interface KindParts extends SharedParts {
  readonly config: AgentConfig;
  readonly pods: Informer<Pod>;
  readonly serverVersion: ServerVersion;
}

export interface KindOptions<Item> {
  readonly onCompleted?: (item: Item) => void;
  readonly mayAccept?: (key: ObjectKey) => boolean;
}

export async function makeKind<Item extends MoveObject>(
  name: MoveKind,
  adapter: MoveAdapter<Item>,
  parts: KindParts,
  { onCompleted, mayAccept }: KindOptions<Item> = {},
): Promise<Kind<Item>> {
  const { client, clock, config, events, log, pods, signal } = parts;
  const { nodeName, namespace, dataMoverPrepareTimeout: prepareTimeoutMs } = config;
  const { resource } = adapter;
  const objects = new Informer<Item>(informerParts(parts, name), {
    resource,
    query: { namespace },
    indexes: {
      pod: item => podOf(item) ?? [],
      // What others prepare takes no room of ours.
      prepared: item => (adapter.isForeign?.(item) ? [] : preparersOf(item)),
    },
  });
  const rules = await readStatusRules(client, resource, { signal });
  log.info({ kind: name, phases: [...rules.phases], source: rules.source }, 'phases are known');
  const tell = tellOfMoves(name, { ...parts, resource, emit: events.emit });
  const reconciler = new MoveReconciler<Item>(
    {
      ...parts,
      adapter,
      objects,
      site: { nodeName, pods },
      mayAccept,
      rules,
      enqueue: key => enqueue(key),
      report: report => {
        tell(report);
        parts.failed.note(name, report);
        // What the reconciler of a kind reports is about items of that kind.
        if (isCompletion(report)) onCompleted?.(report.item as Item);
      },
    },
    { prepareTimeoutMs },
  );
  const loop = new ControlLoop({
    clock,
    reconcile: (key, loopSignal) => reconciler.reconcile(key, loopSignal),
    onError: (key, error) => log.warn({ kind: name, move: key, error }, 'move is tried again'),
  });
  const enqueue = (key: ObjectKey) => {
    try {
      loop.enqueue(key);
    } catch (error) {
      // The queue is full; the next change of the object puts it in.
      log.error({ kind: name, move: key, error }, 'move is passed over for now');
    }
  };
  return {
    name,
    isNew: key => {
      const item = objects.get(key);
      return item !== undefined && phaseOf(item.status?.phase) === 'New';
    },
    preparedBy: (node = ALL) => objects.byIndex('prepared', node).length,
    ofPod: pod => objects.byIndex('pod', pod),
    objects,
    loop,
    close: () => reconciler.close(),
    stop: options => reconciler.stop({ ...options, stopLoop: () => loop.stop() }),
    begin: () => {
      objects.onChange(enqueue);
      objects.list().map(keyOf).forEach(enqueue);
    },
    lookFor: pod => {
      objects.byIndex('pod', pod).map(keyOf).forEach(enqueue);
      // A stock agent's mover pod is called as its move, and lies beside it.
      if (objects.get(pod)) enqueue(pod);
    },
  };
}

function isCompletion(report: MoveReport): boolean {
  return report.type === 'phase' && report.phase === 'Completed';
}

export function informerParts(
  { client, clock, log }: Pick<SharedParts, 'client' | 'clock' | 'log'>,
  what: string,
) {
  const onError = (error: unknown) => log.warn({ what, error }, 'watch was interrupted');
  return { client, clock, onError };
}

/** No name of a node. */
const ALL = '*';

function preparersOf({ status }: MoveObject): string[] {
  const phase = phaseOf(status?.phase);
  if (phase !== 'Accepted' && phase !== 'Prepared') return [];
  // Kinds of moves have it or not.
  const { acceptedByNode } = status as ExposedItem['status'] & object;
  return acceptedByNode === undefined ? [ALL] : [ALL, acceptedByNode];
}

/** Of the pod whose volume it is; none for kinds that have no pod. */
function podOf({ spec }: { readonly spec?: object }): ObjectKey[] | undefined {
  // Kinds of moves have it or not; where it is there, it is an ObjectReference.
  const { pod } = (spec ?? {}) as { readonly pod?: PodReference };
  return pod && [`${pod.namespace}/${pod.name}`];
}

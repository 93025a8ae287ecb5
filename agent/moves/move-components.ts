// What the reconcilers of all kinds are made of, what they are told, and what they tell.

import type { Clock } from '#engine/base/clock.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { ObjectKey } from '#kube/kube-object.ts';
import type { StatusRules } from './crd-phases.ts';
import type { Answering } from './last-minutes.ts';
import type { MoveAdapter, MoveSite } from './move-adapter.ts';
import type { Tracer } from './move-trace.ts';
import type { MoveObject } from './objects/move-object.ts';
import type { Phase } from './phases.ts';
import type { MoveSlots } from './slots.ts';
import type { VolumeMover } from './volume-mover.ts';

export interface MoveComponents<Item extends MoveObject> {
  readonly client: KubeClient;
  readonly adapter: MoveAdapter<Item>;
  /** Of an informer; may be behind. */
  readonly objects: { get(key: ObjectKey): Item | undefined; list(): Iterable<Item> };
  readonly site: MoveSite;
  /** Whether this agent may prepare that one now, too; always where it is not there. */
  readonly mayAccept?: (key: ObjectKey) => boolean;
  readonly mover: VolumeMover;
  /** Shared by all kinds. */
  readonly slots: MoveSlots;
  readonly rules: StatusRules;
  readonly serverVersion: { current(signal?: AbortSignal): Promise<string | undefined> };
  readonly clock: Clock;
  /** Puts a key into the queue from which `reconcile` is called; at once, and must not throw. */
  readonly enqueue: (key: ObjectKey) => void;
  /** Must not throw. */
  readonly report: (report: MoveReport) => void;
  /** Absent where nothing is traced. */
  readonly tracer?: Tracer;
}

/** For the log, the metrics and the events; the reconciler has none of them. */
export type MoveReport = MoveNews & {
  /** Of a move that is traced. */
  readonly traceId?: string;
};

export type MoveNews =
  | {
      readonly type: 'phase';
      readonly item: MoveObject;
      readonly phase: Phase;
      readonly message?: string;
    }
  /** Completed, and yet something a user has to know: an Event of type Warning with that reason. */
  | {
      readonly type: 'warning';
      readonly item: MoveObject;
      readonly reason: string;
      readonly message: string;
    }
  /** For a slot of the controller: why, each time that is another reason. */
  | {
      readonly type: 'waiting';
      readonly item: MoveObject;
      readonly cause: string;
      readonly message: string;
    }
  /** Accepted, and this is what its volume waits for; each time that it is something else. */
  | { readonly type: 'exposing'; readonly item: MoveObject; readonly missing: string }
  /** What was made for it has to go first; each time that it is something else. */
  | { readonly type: 'withdrawing'; readonly item: MoveObject; readonly leaving: string }
  /** The engine has begun; `isTakenOver`: the object was InProgress when it was found. */
  | { readonly type: 'run-started'; readonly item: MoveObject; readonly isTakenOver: boolean }
  | { readonly type: 'finalizer-removed'; readonly item: MoveObject }
  | { readonly type: 'stock-pod-deleted'; readonly item: MoveObject }
  /** The server refused a phase; from now on those of 1.16 are written. */
  | { readonly type: 'rules-corrected'; readonly item: MoveObject };

export interface MoveSettings {
  /** `--data-mover-prepare-timeout` */
  readonly prepareTimeoutMs: number;
}

export interface ReconcileResult {
  /** Call again after that, if nothing happens before. */
  readonly requeueAfterMs?: number;
}

export interface StopOptions {
  /** For all of it, the last writes included. */
  readonly graceMs: number;
  /** Another agent of ours follows: what runs may stay InProgress. */
  readonly hasSuccessor: boolean;
  /** What moves wait for; while it does not answer they are not waited for as long. */
  readonly answering?: Answering;
  /** No more calls of `reconcile` come, and what is under way is aborted. */
  readonly stopLoop: () => Promise<void>;
}

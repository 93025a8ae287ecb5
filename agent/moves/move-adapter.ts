// What one kind of move differs in: who does it, when it can begin, what is asked of the volume
// mover, and what its status says in the end. Adding a kind is one file with one of these.

import type { Exposure } from '#agent/exposer/holder-state.ts';
import type { Withdrawal } from '#agent/exposer/withdrawal.ts';
import type { ObjectKey, Resource } from '#kube/kube-object.ts';
import type { MoveObject } from './objects/move-object.ts';
import type { Pod } from './objects/pod.ts';
import type { Phase } from './phases.ts';
import type { MoveOptions, VolumeMover } from './volume-mover.ts';

/** Where this agent is. */
export interface MoveSite {
  readonly nodeName: string;
  /** The pods of this node, of all namespaces; complete before the first question is asked. */
  readonly pods: { get(key: ObjectKey): Pod | undefined };
}

export type MoveSituation =
  /** Another agent's of ours, or nobody's yet. */
  | { readonly type: 'elsewhere' }
  /** Ours, and something is missing that may come; `missing` completes `… is missing`. */
  | { readonly type: 'waiting'; readonly missing: string }
  | { readonly type: 'ready' }
  /** Ours, and its volume has to be made first; `missing` as above, when that is known. */
  | { readonly type: 'exposing'; readonly missing?: string }
  /** Ours, and whoever waited for it has gone on: it was done before this process began. */
  | { readonly type: 'passed'; readonly success: MoveSuccess }
  /** Ours, and it will never work. */
  | { readonly type: 'hopeless'; readonly message: string };

/** What a move that completed leaves in its object. */
export interface MoveSuccess {
  /** Fields of the status; those that the CRD does not have are left out. */
  readonly status: Readonly<Record<string, unknown>>;
  readonly totalBytes: number;
  /** What a user has to know although it is Completed. */
  readonly message?: string;
  /** Reason of an event that warns of it; absent when the message is no warning. */
  readonly warning?: string;
}

/** What is known of a run when its object is at its end. */
export interface EndedRun {
  /** Undefined when it did not end well. */
  readonly success: MoveSuccess | undefined;
  readonly mayHavePublished: boolean;
  /** The object was InProgress when it was found: a run before may have published, too. */
  readonly isTakenOver: boolean;
}

export interface MoveAdapter<Item extends MoveObject> {
  readonly resource: Resource;
  /** Short name in messages, as Velero's: PVB, PVR. */
  readonly shortName: string;
  /** What stock agents put on objects of this kind. */
  readonly stockFinalizer: string;
  /** Label of stock's mover pods; its value is the object's name. */
  readonly stockPodLabel: string;
  /** False where servers before 1.18.3 wait for ever when one of these becomes Canceled. */
  readonly isCanceledAlwaysCounted: boolean;
  /** What a user is told after an interruption. */
  readonly afterInterruption: string;
  /** The application may stand still until all of its volumes have been moved. */
  readonly isFrozen: boolean;

  /**
   * Whether it is for somebody who is none of us, such as another data mover: it is never touched,
   * at its end no more than before. Absent where all are ours.
   */
  readonly isForeign?: (item: Item) => boolean;

  situationOf(item: Item, site: MoveSite): MoveSituation;

  /** What is written into the status with that phase, besides it and its time. */
  statusAt(phase: Phase, site: MoveSite): Readonly<Record<string, unknown>>;

  /** Does the work. @throws what VolumeMover throws */
  run(item: Item, work: MoveWork): Promise<MoveSuccess>;

  /** For kinds of which any agent may do one, once it has made what is needed. */
  readonly exposer?: MoveExposer<Item>;

  /** Whose volume it is, for kinds whose objects name no pod. */
  readonly volumeOf?: (item: Item) => { readonly namespace: string; readonly claim: string };

  /**
   * After a run of this process has ended, and the object has come to its end, whoever wrote that.
   * Also when this process has cancelled what one before it had begun. Never rejects.
   */
  readonly afterEnd?: (
    item: Item,
    run: EndedRun,
    mover: VolumeMover,
    signal: AbortSignal,
  ) => Promise<void>;

  /**
   * What a stock mover pod has left as termination message (Velero pkg/datapath/types.go Result);
   * undefined when that is none.
   */
  successOfStock(result: StockResult): MoveSuccess | undefined;
}

export interface MoveWork {
  readonly mover: VolumeMover;
  readonly options: MoveOptions;
  readonly site: MoveSite;
}

/** Makes what a move needs, and takes it away; a call does what it can and tells how far it is. */
export interface MoveExposer<Item extends MoveObject> {
  /** @throws KUBE_…: call again later */
  expose(item: Item, signal?: AbortSignal): Promise<Exposure>;

  /** Of one that is at its end. @throws KUBE_…: call again later */
  withdraw(item: Item, signal?: AbortSignal): Promise<Withdrawal>;
}

export interface StockResult {
  readonly snapshotID?: string;
  readonly emptySnapshot?: boolean;
  readonly source?: { readonly byPath?: string };
  readonly totalBytes?: number;
  readonly incrementalBytes?: number;
}

/** A setting of the uploader that counts something; undefined for the default. */
export function countSetting(
  settings: Readonly<Record<string, string>> | null | undefined,
  name: string,
): number | undefined {
  const count = Number(settings?.[name] ?? 0);
  return Number.isSafeInteger(count) && count > 0 ? count : undefined;
}

/** Only kopia is ours; an empty type means restic, as in Velero before 1.10. */
export function unsupportedUploader(item: {
  readonly spec: { readonly uploaderType?: string };
}): MoveSituation | undefined {
  const type = item.spec.uploaderType ?? '';
  if (type === 'kopia') return undefined;
  const name = type === '' ? 'none, which means restic' : type;
  return {
    type: 'hopeless',
    message: `the uploader type is ${name}; this node agent moves volumes with kopia alone`,
  };
}

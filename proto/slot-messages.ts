// What agents and the controller say to each other about slots, as plain values: the shapes that
// the wire carries, and that both sides compute with.
//
// An agent says what is (a report of all that it waits for and all that it holds), not what
// happened, and the controller answers with all that it has granted. So a message that is lost is
// made good by the next one, and one that is late, doubled or out of order is known by its number
// and left aside.

/** A volume that wants to move, as the limits see it. */
export interface SlotVolume {
  /** Uid of the custom resource of the move. */
  readonly id: string;
  readonly namespace: string;
  readonly pod: string;
  /** Empty for volumes that have none. */
  readonly storageClass: string;
  /** Name of the BackupStorageLocation. */
  readonly location: string;
  readonly gang?: GangMembership;
  /** `PodVolumeBackup/daily-1`; empty where the agent does not say it. For people. */
  readonly move?: string;
  /** In its pod. For people. */
  readonly volumeName?: string;
}

/** Volumes with the same key get their slots together. */
export interface GangMembership {
  readonly key: string;
  /**
   * How many they are, where that is known; else the controller waits a moment for more of them.
   */
  readonly count?: number;
}

/**
 * A request for a slot. It stands in every report until the slot is there or not wanted any more.
 */
export interface SlotRequest extends SlotVolume {
  /** Counts the requests of this agent: who asks again for the same move takes a new number. */
  readonly number: number;
  /** 0 to PRIORITY_MAX; more is sooner. */
  readonly priority: number;
  /** For how long it has wanted one, by the agent's clock, restarts of anybody included. */
  readonly waitedMs: number;
}

export const PRIORITY_MAX = 9;
export const PRIORITY_DEFAULT = 5;

/** Names one grant for ever: serials begin anew with each epoch. */
export interface GrantSerial {
  readonly epoch: number;
  readonly serial: number;
}

/** A move that runs on the agent. */
export interface SlotHold extends SlotVolume {
  readonly number: number;
  /** Undefined for a move that began without the controller. */
  readonly grant: GrantSerial | undefined;
  /**
   * The controller was away for a lease time while this move ran, or when it began: its slot may
   * have been given to another one.
   */
  readonly isAlone: boolean;
}

/** From an agent, at every change and every REPORT_MS. */
export interface SlotReport {
  readonly node: string;
  /** Grows with every start of the agent on this node. */
  readonly session: number;
  /** Grows with every report of the session. */
  readonly sequence: number;
  /** The highest epoch that the agent has heard from; 0 for none. */
  readonly epoch: number;
  /** The agent's monotonic clock when it sent this; given back in the answer. */
  readonly sentAtMs: number;
  /** How many moves this node runs at once (Velero's `loadConcurrency`); 0 takes no more. */
  readonly slotsMax: number;
  readonly requests: readonly SlotRequest[];
  readonly holds: readonly SlotHold[];
}

/** Why a slot was given now. */
export type GrantReason =
  /** Its turn among the namespaces of its priority. */
  | { readonly kind: 'turn'; readonly priority: number }
  /** It waited for longer than its priority may wait. */
  | { readonly kind: 'overdue'; readonly waitedMs: number }
  /** All waiting volumes of its gang at once. */
  | { readonly kind: 'gang'; readonly gang: string; readonly count: number }
  /**
   * The gang is larger than a limit: `count` of it now; `leftCount` follow as slots become free.
   */
  | {
      readonly kind: 'wave';
      readonly gang: string;
      readonly wave: number;
      readonly count: number;
      readonly leftCount: number;
    }
  /** The controller is of a later version, and its reason has no name here. */
  | { readonly kind: 'later' };

export interface SlotGrant extends GrantSerial {
  readonly id: string;
  readonly node: string;
  /** The number of the request that it answers. */
  readonly number: number;
  readonly reason: GrantReason;
}

/** Why a volume has no slot yet. */
export interface SlotWait {
  readonly id: string;
  /** In the queue of the cluster, from 1. */
  readonly place: number;
  /** As in controller/slots/describe-queue.ts; `later`: of a later version. */
  readonly cause: (typeof WAIT_CAUSES)[number];
  /** What it waits at, where that is a limit. */
  readonly limit?: { readonly kind: string; readonly name: string };
}

/** By their numbers in coordinator.proto. */
export const WAIT_CAUSES = Object.freeze([
  'later',
  'full',
  'kept',
  'stopped',
  'gathering',
  'starting',
  'next',
] as const);

/** From the controller: after each report, and whenever this node was granted something. */
export interface SlotAnswer {
  readonly node: string;
  readonly session: number;
  readonly epoch: number;
  /** Grows with every answer of the epoch to this session. */
  readonly number: number;
  /** Of the newest report that was heard. The lease of all slots counts from its `sentAtMs`. */
  readonly heard: { readonly sequence: number; readonly sentAtMs: number };
  /** All slots of this node, those that it has told of included. */
  readonly grants: readonly SlotGrant[];
  /** Ids of moves that the controller wants stopped. */
  readonly revoked: readonly string[];
  /** Of what the node waits for, the first of them; absent where nobody has looked. */
  readonly waits?: readonly SlotWait[];
}

/** How long a slot outlives the last report that was heard. */
export const LEASE_MS = 45_000;
export const REPORT_MS = 10_000;

// How things stand at the controller, as plain values: what `stevedore queue` and `stevedore nodes`
// show. For people; nothing is decided by it.

import type { AgentHeartbeat, BandwidthShares, MoveRate } from './agent-saying.ts';
import type { SlotGrant, SlotVolume, SlotWait } from './slot-messages.ts';

export interface ClusterOverview {
  /** Of the controller's program. */
  readonly version: string;
  /** Who leads: name of its pod, or of its machine. */
  readonly leader: string;
  readonly epoch: number;
  /** It does not know yet what runs, and grants nothing. */
  readonly isStarting: boolean;
  /** All that wait; `waiting` has the first of them. */
  readonly waitingCount: number;
  readonly waiting: readonly WaitingMove[];
  readonly runningCount: number;
  readonly running: readonly RunningMove[];
  readonly nodes: readonly NodeOverview[];
  /** The limit of the cluster. */
  readonly slotsMax: number;
  readonly upload: RateOverview;
  readonly download: RateOverview;
}

export interface WaitingMove {
  readonly volume: SlotVolume;
  readonly priority: number;
  readonly waitedMs: number;
  readonly wait: SlotWait;
  /** Id of the first volume that room is kept for; empty where none is. */
  readonly keptFor: string;
  /** Nodes that ask for it. */
  readonly nodes: readonly string[];
}

export interface RunningMove {
  readonly volume: SlotVolume;
  readonly node: string;
  /** For how long this controller has known of it. */
  readonly runningMs: number;
  /**
   * Undefined for a move that began without a controller; its reason is `later` where an earlier
   * controller gave it.
   */
  readonly grant: SlotGrant | undefined;
  /** Of the agent's last heartbeat. */
  readonly progress: MoveRate | undefined;
}

export interface NodeOverview {
  readonly name: string;
  /** Without a session its slots are held until their lease ends. */
  readonly isConnected: boolean;
  /** Empty without a session. */
  readonly version: string;
  readonly connectedMs: number;
  readonly slotsUsed: number;
  /** 0 takes no more. */
  readonly slotsMax: number;
  readonly waitingCount: number;
  readonly heartbeat: AgentHeartbeat | undefined;
  /** What it was told to use at most. */
  readonly shares: BandwidthShares;
}

/** In bytes a second. */
export interface RateOverview {
  /** Undefined for no limit. */
  readonly limit: number | undefined;
  /** What nodes may be using together; undefined where one of them has no limit. */
  readonly given: number | undefined;
  readonly used: number;
}

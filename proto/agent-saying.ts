// What an agent says besides Hello, as values that were looked at: heartbeats and shares in force,
// and reports by slot-wire.ts. And what the controller tells besides answers.

import type { AgentMessage, ControllerMessage, ReadAgentMessage } from './session-codec.ts';
import type { Hello__Output as ReadHello } from './generated/stevedore/v1/Hello.ts';
import type { Heartbeat__Output as ReadHeartbeat } from './generated/stevedore/v1/Heartbeat.ts';
import type { FailedMove__Output as ReadFailed } from './generated/stevedore/v1/FailedMove.ts';
import type { MoveProgress__Output as ReadMove } from './generated/stevedore/v1/MoveProgress.ts';
import type { Share__Output as ReadShare } from './generated/stevedore/v1/Share.ts';
import type { SharesInForce__Output as InForce } from './generated/stevedore/v1/SharesInForce.ts';
import type { SlotReport } from './slot-messages.ts';
import { reportFromWire } from './slot-wire.ts';
import { requireCount, requireList, requireName, requireText } from './wire-fields.ts';
import { CAPABILITIES_MAX, FAILED_MAX, FAILURE_CHARACTERS_MAX, MOVES_MAX } from './wire-limits.ts';

export interface AgentHello {
  readonly node: string;
  readonly version: string;
  readonly wireVersion: number;
  readonly capabilities: readonly string[];
  /** Greater than that of any earlier start of the agent on this node. */
  readonly session: number;
}

export interface MoveRate {
  /** Uid of the custom resource. */
  readonly id: string;
  readonly kind: string;
  readonly doneBytes: number;
  readonly totalBytes: number | undefined;
  readonly uploadBytesPerSecond: number;
  readonly downloadBytesPerSecond: number;
  /** Of `doneBytes`. */
  readonly doneBytesPerSecond: number | undefined;
}

export interface AgentHeartbeat {
  readonly diskFreeBytes: number | undefined;
  readonly cache: CacheUse | undefined;
  readonly memory: { readonly usedBytes: number; readonly limitBytes: number | undefined };
  readonly moves: readonly MoveRate[];
  /** The newest first. */
  readonly failed: readonly FailedMove[];
}

export interface CacheUse {
  readonly limitBytes: number;
  readonly usedBytes: number;
  /** Promised to what is being written. */
  readonly reservedBytes: number | undefined;
  /** Free space of the disk at which the kubelet begins to evict pods; undefined for never. */
  readonly evictionLineBytes: number | undefined;
}

/** Ended, and not as it should have. */
export interface FailedMove {
  /** Uid of the custom resource. */
  readonly id: string;
  /** Its kind and name. */
  readonly move: string;
  readonly namespace: string;
  readonly pod: string;
  readonly volumeName: string;
  /** `Failed`, `Canceled`, or `Completed` where something is missing or differs. */
  readonly phase: string;
  /** Of docs/errors.md, or empty. */
  readonly code: string;
  readonly message: string;
  readonly endedAgoMs: number;
}

/** Of one direction; undefined rate for no limit. */
export interface BandwidthShare {
  readonly number: number;
  readonly bytesPerSecond: number | undefined;
}

/** Undefined where nothing was ever said. */
export interface BandwidthShares {
  readonly upload: BandwidthShare | undefined;
  readonly download: BandwidthShare | undefined;
}

export type AgentSaying =
  | { readonly kind: 'heartbeat'; readonly heartbeat: AgentHeartbeat }
  | { readonly kind: 'slots'; readonly report: SlotReport }
  | { readonly kind: 'shares'; readonly shares: BandwidthShares }
  /** Of a later version of the wire. */
  | { readonly kind: 'unknown' };

/** @throws COORDINATOR_MESSAGE_INVALID */
export function helloFromWire(wire: ReadHello): AgentHello {
  const capabilities = requireList(wire.capabilities, 'capabilities', CAPABILITIES_MAX);
  return {
    node: requireName(wire.node, 'node'),
    version: requireText(wire.version, 'version'),
    wireVersion: requireCount(wire.wireVersion, 'wire_version'),
    capabilities: capabilities.map(name => requireName(name, 'capability')),
    session: requireCount(wire.session, 'session'),
  };
}

/** Of the session of `speaker`. @throws COORDINATOR_MESSAGE_INVALID */
export function sayingFromWire(
  message: ReadAgentMessage,
  speaker: Pick<AgentHello, 'node' | 'session'>,
): AgentSaying {
  const { heartbeat, slots, shares } = message;
  if (heartbeat) return { kind: 'heartbeat', heartbeat: heartbeatFromWire(heartbeat) };
  if (slots) return { kind: 'slots', report: reportFromWire(slots, speaker) };
  if (shares) return { kind: 'shares', shares: sharesFromWire(shares) };
  return { kind: 'unknown' };
}

export function heartbeatToWire(beat: AgentHeartbeat): AgentMessage {
  const { diskFreeBytes, cache, memory, moves, failed } = beat;
  return {
    heartbeat: {
      ...{ diskFreeBytes, cache, memory, moves: moves.slice(0, MOVES_MAX) },
      failed: failed.slice(0, FAILED_MAX).map(failedToWire),
    },
  };
}

/** A message names files, whose names may be anything, and must not end the session. */
function failedToWire({ message, endedAgoMs, ...move }: FailedMove) {
  const printable = message.replace(/[^\x20-\x7e]/gu, '?');
  const isLong = printable.length > FAILURE_CHARACTERS_MAX;
  const cut = isLong ? `${printable.slice(0, FAILURE_CHARACTERS_MAX - 3)}...` : printable;
  return { ...move, message: cut, endedAgoMs: Math.floor(endedAgoMs) };
}

/** @throws COORDINATOR_MESSAGE_INVALID */
export function heartbeatFromWire(wire: ReadHeartbeat): AgentHeartbeat {
  const { cache, memory, diskFreeBytes } = wire;
  return {
    diskFreeBytes: optionalCount(diskFreeBytes, 'disk_free_bytes'),
    cache: cache
      ? {
          limitBytes: requireCount(cache.limitBytes, 'cache.limit_bytes'),
          usedBytes: requireCount(cache.usedBytes, 'cache.used_bytes'),
          reservedBytes: optionalCount(cache.reservedBytes, 'cache.reserved_bytes'),
          evictionLineBytes: optionalCount(cache.evictionLineBytes, 'cache.eviction_line_bytes'),
        }
      : undefined,
    memory: {
      usedBytes: requireCount(memory?.usedBytes ?? 0, 'memory.used_bytes'),
      limitBytes: optionalCount(memory?.limitBytes, 'memory.limit_bytes'),
    },
    moves: requireList(wire.moves, 'moves', MOVES_MAX).map(moveRateFromWire),
    failed: requireList(wire.failed, 'failed', FAILED_MAX).map(failedFromWire),
  };
}

function failedFromWire(wire: ReadFailed): FailedMove {
  return {
    id: requireName(wire.id, 'failed.id'),
    move: requireText(wire.move, 'failed.move'),
    namespace: requireText(wire.namespace, 'failed.namespace'),
    pod: requireText(wire.pod, 'failed.pod'),
    volumeName: requireText(wire.volumeName, 'failed.volume_name'),
    phase: requireText(wire.phase, 'failed.phase'),
    code: requireText(wire.code, 'failed.code'),
    message: requireText(wire.message, 'failed.message'),
    endedAgoMs: requireCount(wire.endedAgoMs, 'failed.ended_ago_ms'),
  };
}

/** @throws COORDINATOR_MESSAGE_INVALID */
export function moveRateFromWire(move: ReadMove): MoveRate {
  const { uploadBytesPerSecond: upload, downloadBytesPerSecond: download } = move;
  return {
    id: requireName(move.id, 'move.id'),
    kind: requireText(move.kind, 'move.kind'),
    doneBytes: requireCount(move.doneBytes, 'done_bytes'),
    totalBytes: optionalCount(move.totalBytes, 'total_bytes'),
    uploadBytesPerSecond: requireCount(upload, 'upload_bytes_per_second'),
    downloadBytesPerSecond: requireCount(download, 'download_bytes_per_second'),
    doneBytesPerSecond: optionalCount(move.doneBytesPerSecond, 'done_bytes_per_second'),
  };
}

export function sharesToWire(shares: BandwidthShares): ControllerMessage {
  return { shares };
}

/** Either way. @throws COORDINATOR_MESSAGE_INVALID */
export function sharesFromWire({ upload, download }: InForce): BandwidthShares {
  return { upload: shareFromWire(upload), download: shareFromWire(download) };
}

function shareFromWire(share: ReadShare | null): BandwidthShare | undefined {
  if (share === null) return undefined;
  return {
    number: requireCount(share.number, 'share.number'),
    bytesPerSecond: optionalCount(share.bytesPerSecond, 'bytes_per_second'),
  };
}

/** @throws COORDINATOR_MESSAGE_INVALID */
export function optionalCount(value: number | undefined, name: string): number | undefined {
  return value === undefined ? undefined : requireCount(value, name);
}

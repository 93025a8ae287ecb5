// An overview (overview-messages.ts) as the wire carries it.

import {
  heartbeatFromWire,
  heartbeatToWire,
  moveRateFromWire,
  optionalCount,
  sharesFromWire,
} from './agent-saying.ts';
import { grantFromWire, grantToWire, waitFromWire, waitToWire } from './answer-wire.ts';
import type {
  ClusterOverview as WireOverview,
  ClusterOverview__Output as ReadOverview,
} from './generated/stevedore/v1/ClusterOverview.ts';
import type { NodeOverview as WireNode } from './generated/stevedore/v1/NodeOverview.ts';
import type { NodeOverview__Output as ReadNode } from './generated/stevedore/v1/NodeOverview.ts';
import type { RateOverview__Output as ReadRate } from './generated/stevedore/v1/RateOverview.ts';
import type { RunningMove__Output as ReadRunning } from './generated/stevedore/v1/RunningMove.ts';
import type { WaitingMove__Output as ReadWaiting } from './generated/stevedore/v1/WaitingMove.ts';
import type {
  ClusterOverview,
  NodeOverview,
  RateOverview,
  RunningMove,
  WaitingMove,
} from './overview-messages.ts';
import { encodeOverview } from './session-codec.ts';
import { volumeFromWire, volumeToWire } from './slot-wire.ts';
import { requireCount, requireList, requireName, requirePart, requireText } from './wire-fields.ts';
import { MESSAGE_BYTES_MAX, OVERVIEW_ROWS_MAX, WAIT_NODES_MAX } from './wire-limits.ts';

/** With as many rows as there is room for. */
export function encodeOverviewWithin(overview: ClusterOverview): Buffer {
  for (let rowsMax = OVERVIEW_ROWS_MAX; ; rowsMax >>= 1) {
    const bytes = encodeOverview(overviewToWire(overview, rowsMax));
    if (bytes.length <= MESSAGE_BYTES_MAX || rowsMax === 0) return bytes;
  }
}

function overviewToWire(overview: ClusterOverview, rowsMax: number): WireOverview {
  const { isStarting: starting, waiting, running, nodes, ...rest } = overview;
  return {
    ...rest,
    starting,
    waiting: waiting.slice(0, rowsMax).map(each => ({
      ...each,
      volume: volumeToWire(each.volume),
      wait: waitToWire(each.wait),
      waitedMs: Math.floor(each.waitedMs),
      nodes: each.nodes.slice(0, WAIT_NODES_MAX),
    })),
    running: running.slice(0, rowsMax).map(each => ({
      ...each,
      volume: volumeToWire(each.volume),
      grant: each.grant && grantToWire(each.grant),
      runningMs: Math.floor(each.runningMs),
    })),
    nodes: nodes.slice(0, rowsMax).map(nodeToWire),
  };
}

/** @throws COORDINATOR_MESSAGE_INVALID */
export function overviewFromWire(wire: ReadOverview): ClusterOverview {
  const { waiting, running, nodes } = wire;
  const most = OVERVIEW_ROWS_MAX;
  return {
    version: requireText(wire.version, 'version'),
    leader: requireText(wire.leader, 'leader'),
    epoch: requireCount(wire.epoch, 'epoch'),
    isStarting: wire.starting,
    waitingCount: requireCount(wire.waitingCount, 'waiting_count'),
    waiting: requireList(waiting, 'waiting', most).map(waitingFromWire),
    runningCount: requireCount(wire.runningCount, 'running_count'),
    running: requireList(running, 'running', most).map(runningFromWire),
    nodes: requireList(nodes, 'nodes', most).map(nodeFromWire),
    slotsMax: requireCount(wire.slotsMax, 'slots_max'),
    upload: rateFromWire(wire.upload),
    download: rateFromWire(wire.download),
  };
}

function nodeToWire({ isConnected: connected, heartbeat, ...rest }: NodeOverview): WireNode {
  const connectedMs = Math.floor(rest.connectedMs);
  const beat = heartbeat && heartbeatToWire(heartbeat).heartbeat;
  return { ...rest, connected, connectedMs, heartbeat: beat };
}

function waitingFromWire({ volume, wait, ...wire }: ReadWaiting): WaitingMove {
  return {
    volume: volumeFromWire(volume),
    priority: requireCount(wire.priority, 'priority'),
    waitedMs: requireCount(wire.waitedMs, 'waited_ms'),
    wait: waitFromWire(requirePart(wait, 'wait')),
    keptFor: requireText(wire.keptFor, 'kept_for'),
    nodes: requireList(wire.nodes, 'nodes', WAIT_NODES_MAX).map(node => requireName(node, 'node')),
  };
}

function runningFromWire({ volume, grant, progress, ...wire }: ReadRunning): RunningMove {
  const node = requireName(wire.node, 'node');
  return {
    volume: volumeFromWire(volume),
    node,
    runningMs: requireCount(wire.runningMs, 'running_ms'),
    grant: grant === null ? undefined : grantFromWire(grant, node),
    progress: progress === null ? undefined : moveRateFromWire(progress),
  };
}

function nodeFromWire({ heartbeat, shares, ...wire }: ReadNode): NodeOverview {
  return {
    name: requireName(wire.name, 'name'),
    isConnected: wire.connected,
    version: requireText(wire.version, 'version'),
    connectedMs: requireCount(wire.connectedMs, 'connected_ms'),
    slotsUsed: requireCount(wire.slotsUsed, 'slots_used'),
    slotsMax: requireCount(wire.slotsMax, 'slots_max'),
    waitingCount: requireCount(wire.waitingCount, 'waiting_count'),
    heartbeat: heartbeat === null ? undefined : heartbeatFromWire(heartbeat),
    shares: sharesFromWire(shares ?? { upload: null, download: null }),
  };
}

function rateFromWire(wire: ReadRate | null): RateOverview {
  const { limit, given, used } = requirePart(wire, 'rate');
  return {
    limit: optionalCount(limit, 'limit'),
    given: optionalCount(given, 'given'),
    used: requireCount(used, 'used'),
  };
}
